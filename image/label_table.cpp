#include "image/label_table.hpp"

#include "base/utf8.hpp"
#include "image/checked_fields.hpp"
#include "image/label_palette.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace nora {
namespace {

using nlohmann::json;
using Rgba = std::array<std::uint8_t, 4>;

std::string cleanName(const std::string& name) {
  // Every byte becomes at least one: what lies behind is cut anyway.
  std::string clean = printable(std::string_view(name).substr(0, LabelTable::maxNameBytes + 4));
  std::size_t end = 0;
  while (end < clean.size()) {
    const std::size_t length = std::max<std::size_t>(1, utf8Length(clean, end));
    if (end + length > LabelTable::maxNameBytes) break;
    end += length;
  }
  clean.resize(end);
  return clean;
}

std::string hexColour(const Rgba& rgba) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "#";
  for (const std::uint8_t channel : rgba) {
    out += digits[channel >> 4];
    out += digits[channel & 15];
  }
  return out;
}

std::optional<Rgba> colourFromHex(const std::string& text) {
  Rgba rgba{};
  if (text.size() != 9 || text.front() != '#') return std::nullopt;
  for (std::size_t i = 0; i < rgba.size(); ++i) {
    const char* from = text.data() + 1 + 2 * i;
    const auto [end, error] = std::from_chars(from, from + 2, rgba[i], 16);
    if (error != std::errc{} || end != from + 2) return std::nullopt;
  }
  return rgba;
}

}  // namespace

LabelTable::LabelTable(std::vector<Label> labels, std::string source)
    : labels_(std::move(labels)), source_(std::move(source)) {
  std::stable_sort(labels_.begin(), labels_.end(), [](const Label& a, const Label& b) { return a.value < b.value; });
  // From the back: of equal values the later stays.
  const auto same = [](const Label& a, const Label& b) { return a.value == b.value; };
  const auto kept = std::unique(labels_.rbegin(), labels_.rend(), same);
  labels_.erase(labels_.begin(), kept.base());
  if (labels_.size() > maxLabels) labels_.resize(maxLabels);
  for (Label& label : labels_) {
    label.name = cleanName(label.name);
    if (!label.hasColour) label.rgba = colourOfLabel(label.value);
  }
}

const Label* LabelTable::find(std::int64_t value) const {
  const auto at = std::lower_bound(labels_.begin(), labels_.end(), value,
                                   [](const Label& label, std::int64_t wanted) { return label.value < wanted; });
  return at == labels_.end() || at->value != value ? nullptr : &*at;
}

Rgba colourOfLabel(std::int64_t value) {
  if (value == 0) return {0, 0, 0, 0};
  const auto& rgb = labelPalette()[labelPaletteIndex(value)];
  return {rgb[0], rgb[1], rgb[2], 255};
}

json toJson(const LabelTable& table) {
  json labels = json::array();
  for (const Label& label : table.labels()) {
    json entry{label.value, label.name, hexColour(label.rgba)};
    if (!label.hasColour) entry.push_back(false);
    labels.push_back(std::move(entry));
  }
  return {{"source", jsonText(table.source())}, {"labels", std::move(labels)}};
}

Result<LabelTable> labelTableFromJson(const json& object) {
  constexpr const char* key = "labels";
  CheckedFields fields(object);
  std::vector<Label> labels;
  const std::string source = fields.text("source");
  for (const json& entry : fields.list(key, LabelTable::maxLabels)) {
    fields.check(entry.is_array() && (entry.size() == 3 || entry.size() == 4), key);
    if (!fields.good()) break;
    const bool inRange = entry[0].is_number_integer() &&
                         (!entry[0].is_number_unsigned() ||
                          entry[0].get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    const auto colour = colourFromHex(fields.text(entry[2], key));
    fields.check(inRange && colour.has_value() && (entry.size() == 3 || entry[3] == false), key);
    const std::string name = fields.text(entry[1], key);
    if (!fields.good()) break;
    labels.push_back({entry[0].get<std::int64_t>(), name, *colour, entry.size() == 3});
  }
  if (!fields.good())
    return fail(ErrorCode::invalidInput, "the table of labels has no usable \"" + fields.wrong() + "\"");
  return LabelTable(std::move(labels), source);
}

}  // namespace nora
