#include "image/image_info.hpp"

#include "image/checked_fields.hpp"

#include <limits>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxTimePoints = std::size_t{1} << 20;  // of a diffusion scheme

void statisticsToJson(const VoxelStatistics& s, json& out) {
  if (s.finite > 0) {
    out["min"] = jsonNumber(s.min);
    out["max"] = jsonNumber(s.max);
    out["mean"] = jsonNumber(s.mean);
  }
  out["finite"] = s.finite;
  out["notFinite"] = s.notFinite;
  out["percentile2"] = jsonNumber(s.percentile2);
  out["percentile98"] = jsonNumber(s.percentile98);
  out["backgroundLevel"] = jsonNumber(s.backgroundLevel);
  out["integral"] = s.integral;
  out["distinct"] = s.distinct;
  out["plateaus"] = jsonNumber(s.plateaus);
}

std::optional<VoxelStatistics> statisticsFromJson(CheckedFields& fields) {
  if (fields.at("finite").is_null()) return std::nullopt;
  VoxelStatistics s;
  s.finite = fields.count("finite");
  s.notFinite = fields.count("notFinite");
  if (s.finite > 0) {
    s.min = fields.finite("min");
    s.max = fields.finite("max");
    s.mean = fields.finite("mean");
    fields.check(s.min <= s.max, "max");
  }
  s.percentile2 = fields.finite("percentile2");
  s.percentile98 = fields.finite("percentile98");
  s.backgroundLevel = fields.finite("backgroundLevel");
  fields.check(fields.at("integral").is_boolean(), "integral");
  s.integral = fields.at("integral") == true;
  const std::uint64_t distinct = fields.count("distinct");
  fields.check(distinct <= std::numeric_limits<std::uint32_t>::max(), "distinct");
  s.distinct = static_cast<std::uint32_t>(distinct);
  s.plateaus = fields.finite("plateaus");
  return s;
}

void dimsFromJson(CheckedFields& fields, ImageInfo& info) {
  const json& dims = fields.at("dims");
  fields.check(dims.is_array() && dims.size() >= 3 && dims.size() <= 5, "dims");
  if (!fields.good()) return;
  for (std::size_t i = 0; i < 3; ++i) info.dims[i] = fields.positive(dims[i], "dims");
  info.timePoints = fields.positive(fields.at("timePoints"), "timePoints");
  info.components = fields.positive(fields.at("components"), "components");
  fields.check(info.timePoints == (dims.size() > 3 ? fields.positive(dims[3], "dims") : 1), "timePoints");
  fields.check(info.components == (dims.size() > 4 ? fields.positive(dims[4], "dims") : 1), "components");
}

/// What only some images have; left out where there is none.
void furtherToJson(const ImageInfo& info, json& out) {
  if (!info.unit.empty()) out["unit"] = jsonText(info.unit);
  if (!info.fields.empty()) out["fields"] = jsonPairs(info.fields);
  if (info.labels) out["labels"] = toJson(*info.labels);
  for (const OtherUnit& other : info.otherUnits) out["otherUnits"].push_back({jsonText(other.unit), other.factor});
  for (const WindowPreset& preset : info.windowPresets) {
    out["windowPresets"].push_back({jsonText(preset.name), preset.low, preset.high});
  }
  if (info.diffusion) {
    json scheme{{"source", jsonText(info.diffusion->source)}, {"b", json::array()}, {"directions", json::array()}};
    for (const double b : info.diffusion->bValues) scheme["b"].push_back(jsonNumber(b));
    for (const Vec3& g : info.diffusion->directions) scheme["directions"].push_back(g);
    out["diffusion"] = std::move(scheme);
  }
}

std::optional<DiffusionScheme> diffusionFromJson(CheckedFields& fields) {
  constexpr const char* key = "diffusion";
  if (fields.at(key).is_null()) return std::nullopt;
  CheckedFields inner(fields.at(key));
  DiffusionScheme scheme;
  scheme.source = inner.text("source");
  for (const json& b : inner.list("b", maxTimePoints)) scheme.bValues.push_back(inner.finite(b, key));
  for (const json& g : inner.list("directions", maxTimePoints)) scheme.directions.push_back(inner.vector(g, key));
  fields.check(inner.good() && scheme.bValues.size() == scheme.directions.size(), key);
  return scheme;
}

void furtherFromJson(CheckedFields& fields, ImageInfo& info) {
  info.unit = fields.optionalText("unit");
  info.fields = fields.pairs("fields");
  for (const json& other : fields.list("otherUnits")) {
    fields.check(other.is_array() && other.size() == 2, "otherUnits");
    if (!fields.good()) return;
    info.otherUnits.push_back({fields.text(other[0], "otherUnits"), fields.finite(other[1], "otherUnits")});
  }
  for (const json& preset : fields.list("windowPresets")) {
    constexpr const char* key = "windowPresets";
    fields.check(preset.is_array() && preset.size() == 3, key);
    if (!fields.good()) return;
    info.windowPresets.push_back(
        {fields.text(preset[0], key), fields.finite(preset[1], key), fields.finite(preset[2], key)});
  }
  if (!fields.at("labels").is_null()) {
    auto labels = labelTableFromJson(fields.at("labels"));
    fields.check(labels.has_value(), "labels");
    if (labels) info.labels = std::move(*labels);
  }
  info.diffusion = diffusionFromJson(fields);
}

}  // namespace

Result<std::uint64_t> voxelCount(const ImageInfo& info, const std::string& name) {
  std::uint64_t count = 1;
  for (const std::int64_t n : {info.dims[0], info.dims[1], info.dims[2], info.timePoints, info.components}) {
    if (n < 1)
      return fail(ErrorCode::invalidInput, "a dimension is " + std::to_string(n) + "; it must be 1 or more", name);
    // Half of the range leaves room for the size of a voxel and offsets.
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(n), &count) || count > (std::uint64_t{1} << 56)) {
      return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
    }
  }
  return count;
}

json toJson(const ImageInfo& info) {
  json dims = info.dims;
  if (info.timePoints > 1 || info.components > 1) dims.push_back(info.timePoints);
  if (info.components > 1) dims.push_back(info.components);
  const Vec3 spacing = spacingMm(info.worldFromVoxel);
  json out{{"kind", "image"},
           {"format", jsonText(info.format)},
           {"dims", std::move(dims)},
           {"type", toString(info.type)},
           {"spacingMm", {jsonNumber(spacing[0]), jsonNumber(spacing[1]), jsonNumber(spacing[2])}},
           {"affine", jsonAffine(info.worldFromVoxel)},
           {"affineSource", jsonText(info.affineSource)},
           {"orientation", orientationCode(info.worldFromVoxel)},
           {"slope", jsonNumber(info.slope)},
           {"inter", jsonNumber(info.inter)},
           {"min", nullptr},
           {"max", nullptr},
           {"mean", nullptr},
           {"timePoints", info.timePoints},
           {"components", info.components},
           {"warnings", jsonTexts(info.warnings)},
           {"description", jsonText(info.description)},
           {"modality", jsonText(info.modality)},
           {"intent", jsonText(info.intent)},
           {"windowLow", jsonNumber(info.windowLow)},
           {"windowHigh", jsonNumber(info.windowHigh)},
           {"timeStepSeconds", jsonNumber(info.timeStepSeconds)}};
  furtherToJson(info, out);
  if (info.statistics) statisticsToJson(*info.statistics, out);
  return out;
}

Result<ImageInfo> imageInfoFromJson(const json& object) {
  CheckedFields fields(object);
  ImageInfo info;
  fields.check(object.is_object() && fields.at("kind") == "image", "kind");
  if (fields.good()) dimsFromJson(fields, info);
  if (fields.good()) info.worldFromVoxel = fields.affine("affine");
  if (fields.good()) {
    info.format = fields.text("format");
    fields.check(fromString(fields.text("type"), info.type), "type");
    info.slope = fields.finite("slope");
    info.inter = fields.finite("inter");
    info.affineSource = fields.text("affineSource");
    info.description = fields.text("description");
    info.modality = fields.text("modality");
    info.intent = fields.text("intent");
    info.windowLow = fields.optionalFinite("windowLow");
    info.windowHigh = fields.optionalFinite("windowHigh");
    info.timeStepSeconds = fields.finite("timeStepSeconds");
    fields.check(info.timeStepSeconds >= 0, "timeStepSeconds");
    fields.check(fields.at("warnings").is_array(), "warnings");
    info.warnings = fields.texts("warnings");
    furtherFromJson(fields, info);
    info.statistics = statisticsFromJson(fields);
  }
  if (!fields.good()) {
    return fail(ErrorCode::invalidInput, "the header of the image has no usable \"" + fields.wrong() + "\"");
  }
  if (const auto count = voxelCount(info, ""); !count) return tl::make_unexpected(count.error());
  return info;
}

}  // namespace nora
