#include "image/io/nrrd_keys.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/nrrd_space.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <unordered_map>

namespace nora {
namespace {

constexpr std::size_t maxFields = 200;       // of key/value pairs
constexpr std::size_t maxValueBytes = 1000;  // of one of them

using Values = std::unordered_map<std::string_view, std::string_view>;

Values valuesOf(const NrrdHeader& header) {
  Values out;
  for (const auto& [key, value] : header.pairs) out.emplace(key, trimmed(value));
  return out;
}

std::string_view valueAt(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::string_view{} : found->second;
}

std::string numbered(const char* prefix, std::size_t n) {
  const std::string number = std::to_string(n);
  return prefix + std::string(number.size() < 4 ? 4 - number.size() : 0, '0') + number;
}

std::optional<Vec3> vectorFrom(std::string_view text) {
  const auto parts = words(text);
  Vec3 out{};
  if (parts.size() != 3) return std::nullopt;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = numberFrom<double>(parts[i]);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    out[i] = *number;
  }
  return out;
}

/// Gradients in the order of the images, as the header has them; empty with a warning if they are not as many.
std::vector<Vec3> gradientsOf(const Values& values, ImageInfo& info) {
  const auto count = static_cast<std::size_t>(info.timePoints);
  std::vector<Vec3> out;
  while (out.size() < count) {
    const std::size_t n = out.size();
    const auto gradient = vectorFrom(valueAt(values, numbered("DWMRI_gradient_", n)));
    if (!gradient) {
      info.warnings.push_back("the diffusion gradients are not used: " + numbered("DWMRI_gradient_", n) +
                              " is missing or no vector, and there are " + std::to_string(count) + " images");
      return {};
    }
    const auto repeats = numberFrom<std::size_t>(valueAt(values, numbered("DWMRI_NEX_", n))).value_or(1);
    out.insert(out.end(), std::clamp<std::size_t>(repeats, 1, count - n), *gradient);
  }
  if (!valueAt(values, numbered("DWMRI_gradient_", count)).empty()) {
    info.warnings.push_back("the diffusion gradients are not used: they are more than the " + std::to_string(count) +
                            " images");
    return {};
  }
  return out;
}

/// The columns of the field "measurement frame": the space of the file from the gradients' own. Identity if absent.
std::array<Vec3, 3> measurementFrame(const NrrdHeader& header, ImageInfo& info) {
  std::array<Vec3, 3> columns{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
  const std::string* field = header.field("measurementframe");
  if (field == nullptr) return columns;
  const auto pieces = nrrdPieces(*field);
  std::array<Vec3, 3> read{};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto column = c < pieces.size() ? nrrdVector(pieces[c]) : std::nullopt;
    if (!column || column->size() < 3) {
      info.warnings.emplace_back("the measurement frame is no matrix; taken as the axes of the space");
      return columns;
    }
    read[c] = {(*column)[0], (*column)[1], (*column)[2]};
  }
  return read;
}

void setDiffusion(const NrrdHeader& header, const Values& values, ImageInfo& info) {
  info.modality = "MR";
  const auto nominal = numberFrom<double>(valueAt(values, "DWMRI_b-value"));
  if (!nominal || !std::isfinite(*nominal)) {
    info.warnings.emplace_back("the diffusion gradients are not used: the header has no DWMRI_b-value");
    return;
  }
  const auto gradients = gradientsOf(values, info);
  if (gradients.empty()) return;
  double longest = 0;
  for (const Vec3& g : gradients) longest = std::max(longest, length(g));
  const auto frame = measurementFrame(header, info);
  const Vec3 signs = nrrdSpace(header).signs;
  DiffusionScheme scheme{"in the image", {}, {}};
  for (const Vec3& g : gradients) {
    const double share = longest > 0 ? length(g) / longest : 0;
    const Vec3 inSpace = frame[0] * g[0] + frame[1] * g[1] + frame[2] * g[2];
    scheme.bValues.push_back(*nominal * share * share);
    scheme.directions.push_back(normalised({inSpace[0] * signs[0], inSpace[1] * signs[1], inSpace[2] * signs[2]}));
  }
  info.diffusion = std::move(scheme);
}

/// "0.5 0.68 1": red, green, blue from 0 to 1.
std::optional<std::array<std::uint8_t, 4>> colourFrom(std::string_view text) {
  const auto colour = vectorFrom(text);
  if (!colour) return std::nullopt;
  std::array<std::uint8_t, 4> out{0, 0, 0, 255};
  for (std::size_t i = 0; i < 3; ++i) {
    out[i] = static_cast<std::uint8_t>(std::lround(std::clamp((*colour)[i], 0.0, 1.0) * 255));
  }
  return out;
}

void setLabels(const Values& values, ImageInfo& info) {
  std::vector<Label> labels;
  std::set<std::int64_t> seen;
  bool doubled = false;
  for (std::size_t n = 0; n < LabelTable::maxLabels; ++n) {
    const std::string segment = "Segment" + std::to_string(n) + "_";
    const std::string_view name = valueAt(values, segment + "Name");
    if (name.empty() && valueAt(values, segment + "ID").empty()) break;
    // Before Slicer 4.11 every segment had a layer of its own, with the value 1.
    const auto layer =
        numberFrom<std::int64_t>(valueAt(values, segment + "Layer")).value_or(static_cast<std::int64_t>(n));
    const auto value = numberFrom<std::int64_t>(valueAt(values, segment + "LabelValue")).value_or(1);
    if (info.components > 1) {
      info.fields.emplace_back("component " + std::to_string(layer) + ", value " + std::to_string(value),
                               printable(name.substr(0, maxValueBytes)));
    }
    if (!seen.insert(value).second) {
      doubled = true;
      continue;
    }
    const auto colour = colourFrom(valueAt(values, segment + "Color"));
    labels.push_back({value, std::string(name), colour.value_or(std::array<std::uint8_t, 4>{}), colour.has_value()});
  }
  if (doubled) {
    info.warnings.emplace_back(
        "segments of several layers share a label value; names and colours are those of the first");
  }
  if (!labels.empty()) info.labels = LabelTable(std::move(labels), "in the image");
}

void setFields(const NrrdHeader& header, ImageInfo& info) {
  if (const std::string* content = header.field("content")) info.description = printable(*content);
  if (const std::string* unit = header.field("sampleunits")) {
    const auto pieces = nrrdPieces(*unit);
    if (!pieces.empty()) info.unit = printable(pieces[0]);
  }
  for (const char* name : {"space", "measurementframe", "oldmin", "oldmax", "thicknesses"}) {
    if (const std::string* field = header.field(name)) info.fields.emplace_back(name, printable(*field));
  }
  std::size_t kept = 0;
  for (const auto& [key, value] : header.pairs) {
    if (key.starts_with("DWMRI_gradient_") || (info.labels && key.starts_with("Segment"))) continue;
    if (++kept > maxFields) break;
    info.fields.emplace_back(printable(key.substr(0, maxValueBytes)), printable(value.substr(0, maxValueBytes)));
  }
}

}  // namespace

void applyNrrdKeys(const NrrdHeader& header, NrrdLayout& layout) {
  const Values values = valuesOf(header);
  ImageInfo& info = layout.image.info;
  const bool diffusion = valueAt(values, "modality") == "DWMRI";
  if (diffusion) setDiffusion(header, values, info);
  if (info.intent == "label") setLabels(values, info);
  setFields(header, info);
}

}  // namespace nora
