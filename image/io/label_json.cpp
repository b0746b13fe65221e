// Look-up tables in JSON: NiiVue's colour maps (arrays R, G, B, A, I, labels), "labels" of nnU-Net and others, and
// plain objects of values and names.
#include "image/io/label_parsers.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/json_check.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

tl::unexpected<Error> wrongEntry(const std::string& what, const std::string& name) {
  return fail(ErrorCode::invalidInput, what, name);
}

std::optional<std::int64_t> wholeNumber(const json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string()) return numberFrom<std::int64_t>(value.get_ref<const std::string&>());
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  constexpr double most = 9007199254740992;  // 2^53
  if (!(std::abs(number) <= most) || number != std::floor(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<std::uint8_t> byteOf(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if (!(number >= 0 && number <= 255)) return std::nullopt;
  return static_cast<std::uint8_t>(std::lround(number));
}

const json* member(const json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

/// A hexadecimal text, or an array of three or four numbers (to 255; to 1 if they are fractions).
std::optional<std::array<std::uint8_t, 4>> colourOf(const json& value) {
  if (value.is_string()) return colourFromHexText(value.get_ref<const std::string&>());
  if (!value.is_array() || value.size() < 3 || value.size() > 4) return std::nullopt;
  const bool fractions =
      std::any_of(value.begin(), value.end(), [](const json& v) { return v.is_number_float(); }) &&
      std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_number() && v.get<double>() <= 1; });
  std::array<std::uint8_t, 4> rgba{0, 0, 0, 255};
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto channel = byteOf(fractions ? json(value[i].get<double>() * 255) : value[i]);
    if (!channel) return std::nullopt;
    rgba[i] = *channel;
  }
  return rgba;
}

/// NiiVue: entry i has the value I[i], or min + i, or i.
ParsedLabels niivue(const json& object, const std::string& name) {
  const json *r = member(object, {"R"}), *g = member(object, {"G"}), *b = member(object, {"B"});
  if (r == nullptr || g == nullptr || b == nullptr || !r->is_array()) return std::nullopt;
  const json *alpha = member(object, {"A"}), *values = member(object, {"I"}), *names = member(object, {"labels"});
  const std::size_t count = r->size();
  for (const json* column : {r, g, b, alpha, values}) {
    if (column != nullptr && (!column->is_array() || column->size() != count)) {
      return wrongEntry("R, G, B, A and I must be arrays of one length", name);
    }
  }
  if (names != nullptr && !names->is_array()) return wrongEntry("\"labels\" must be an array", name);
  const json* low = member(object, {"min"});
  const std::int64_t first = low == nullptr ? 0 : wholeNumber(*low).value_or(0);
  LabelRows out{"NiiVue colour map", {}, true};
  for (std::size_t i = 0; i < count && i <= LabelTable::maxLabels; ++i) {
    const std::string where = "entry " + std::to_string(i) + ": ";
    const auto value =
        values == nullptr ? std::optional(first + static_cast<std::int64_t>(i)) : wholeNumber((*values)[i]);
    if (!value) return wrongEntry(where + "I must be a whole number", name);
    Label label{*value, "", {0, 0, 0, 0}, true};
    const auto red = byteOf((*r)[i]), green = byteOf((*g)[i]), blue = byteOf((*b)[i]);
    const auto opaque = alpha == nullptr ? std::optional<std::uint8_t>(*value == 0 ? 0 : 255) : byteOf((*alpha)[i]);
    if (!red || !green || !blue || !opaque) {
      return wrongEntry(where + "R, G, B and A must be numbers from 0 to 255", name);
    }
    label.rgba = {*red, *green, *blue, *opaque};
    if (names != nullptr && i < names->size() && (*names)[i].is_string()) label.name = (*names)[i].get<std::string>();
    out.labels.push_back(std::move(label));
  }
  return out;
}

/// {"value": 3, "name": "...", "color": ...}
std::optional<Label> labelFrom(const json& object, std::optional<std::int64_t> value) {
  if (!value) {
    const json* own = member(object, {"value", "index", "id", "label", "labelID", "LabelValue", "number"});
    if (own != nullptr) value = wholeNumber(*own);
  }
  const json* text = member(object, {"name", "Name", "label_name", "labelName", "SegmentLabel", "text", "label"});
  if (!value || text == nullptr || !text->is_string()) return std::nullopt;
  Label label{*value, text->get<std::string>(), {0, 0, 0, 0}, false};
  const json* colour = member(object, {"color", "colour", "Color", "rgba", "rgb", "recommendedDisplayRGBValue"});
  if (const auto rgba = colour == nullptr ? std::nullopt : colourOf(*colour)) {
    label.rgba = *rgba;
    label.hasColour = true;
  }
  return label;
}

/// A list: texts (the value is the place), or objects.
ParsedLabels labelList(const json& list, const std::string& name) {
  LabelRows out{"JSON labels", {}, true};
  for (std::size_t i = 0; i < list.size() && i <= LabelTable::maxLabels; ++i) {
    const json& entry = list[i];
    const auto label =
        entry.is_string()
            ? std::optional(Label{static_cast<std::int64_t>(i), entry.get<std::string>(), {0, 0, 0, 0}, false})
        : entry.is_object() ? labelFrom(entry, std::nullopt)
                            : std::nullopt;
    if (!label) {
      if (i == 0) return std::nullopt;
      return wrongEntry("label " + std::to_string(i) + " has no name or no value", name);
    }
    out.labels.push_back(*label);
  }
  return out.labels.empty() ? std::nullopt : ParsedLabels(std::move(out));
}

/// {"1": "name"}, {"name": 1}, {"1": {"name": "...", "color": ...}}: all entries must be of one kind.
ParsedLabels labelObject(const json& object) {
  LabelRows out{"JSON labels", {}, true};
  for (const auto& [key, value] : object.items()) {
    const auto number = numberFrom<std::int64_t>(key);
    std::optional<Label> label;
    if (number && value.is_string()) {
      label = Label{*number, value.get<std::string>(), {0, 0, 0, 0}, false};
    } else if (value.is_object()) {
      label = labelFrom(value, number);
    } else if (value.is_number_integer() && !number) {
      label = Label{value.get<std::int64_t>(), key, {0, 0, 0, 0}, false};
    }
    if (!label) return std::nullopt;
    out.labels.push_back(std::move(*label));
    if (out.labels.size() > LabelTable::maxLabels) break;
  }
  return out.labels.empty() ? std::nullopt : ParsedLabels(std::move(out));
}

bool keysAreNumbers(const json& object) {
  return !object.empty() && std::all_of(object.items().begin(), object.items().end(), [](const auto& item) {
    return numberFrom<std::int64_t>(item.key()).has_value();
  });
}

}  // namespace

ParsedLabels parseLabelJson(std::string_view text, const std::string& name) {
  const JsonCheck check = checkJson(text);
  if (!check.good || check.values > 16 * LabelTable::maxLabels) return std::nullopt;
  const json object = json::parse(text, nullptr, false);
  if (object.is_array()) return object.empty() || object[0].is_string() ? std::nullopt : labelList(object, name);
  if (!object.is_object()) return std::nullopt;
  if (auto map = niivue(object, name)) return map;
  const json* labels = member(object, {"labels", "Labels"});
  if (labels != nullptr && labels->is_array()) return labelList(*labels, name);
  if (labels != nullptr && labels->is_object()) return labelObject(*labels);
  // Objects of any other key are metadata far more often.
  return keysAreNumbers(object) ? labelObject(object) : std::nullopt;
}

}  // namespace nora
