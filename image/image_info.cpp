#include "image/image_info.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

// Bounds of what a header from a reader process may hold.
constexpr std::size_t maxStringBytes = 16384;
constexpr std::size_t maxWarnings = 1000;

/// JSON has no NaN and no infinity.
json number(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

json number(const std::optional<double>& value) {
  return value ? number(*value) : json(nullptr);
}

/// Valid UTF-8 as it is; each byte that is not becomes U+FFFD, so that the object can be written.
std::string validUtf8(const std::string& text) {
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

/// Takes fields out of an object; remembers the first that is wrong.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  void check(bool good, const char* key) {
    if (!good && wrong_.empty()) wrong_ = key;
  }

  const json& at(const char* key) {
    static const json nothing;
    const auto found = object_.find(key);
    return found == object_.end() ? nothing : *found;
  }

  double finite(const json& value, const char* key) {
    const double read = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    check(std::isfinite(read), key);
    return std::isfinite(read) ? read : 0;
  }
  double finite(const char* key) { return finite(at(key), key); }

  std::optional<double> optionalFinite(const char* key) {
    return at(key).is_null() ? std::nullopt : std::optional(finite(key));
  }

  std::int64_t positive(const json& value, const char* key) {
    // Numbers above the range of int64 become negative and are refused as well.
    const std::int64_t read = value.is_number_integer() ? value.get<std::int64_t>() : 0;
    check(read >= 1, key);
    return read;
  }

  std::uint64_t count(const char* key) {
    const json& value = at(key);
    check(value.is_number_unsigned(), key);
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  }

  std::string text(const json& value, const char* key) {
    const bool good = value.is_string() && value.get_ref<const std::string&>().size() <= maxStringBytes;
    check(good, key);
    return good ? value.get<std::string>() : std::string{};
  }
  std::string text(const char* key) { return text(at(key), key); }

 private:
  const json& object_;
  std::string wrong_;
};

json affineToJson(const Affine& affine) {
  json rows = json::array();
  for (int r = 0; r < 4; ++r) {
    json row = json::array();
    for (int c = 0; c < 4; ++c) row.push_back(number(affine(r, c)));
    rows.push_back(std::move(row));
  }
  return rows;
}

Affine affineFromJson(Fields& fields) {
  constexpr const char* key = "affine";
  const json& rows = fields.at(key);
  Affine affine;
  fields.check(rows.is_array() && rows.size() == 4, key);
  for (std::size_t r = 0; fields.wrong().empty() && r < 4; ++r) {
    fields.check(rows[r].is_array() && rows[r].size() == 4, key);
    for (std::size_t c = 0; fields.wrong().empty() && c < 4; ++c) {
      affine(static_cast<int>(r), static_cast<int>(c)) = fields.finite(rows[r][c], key);
    }
  }
  const bool lastRow = affine(3, 0) == 0 && affine(3, 1) == 0 && affine(3, 2) == 0 && affine(3, 3) == 1;
  fields.check(lastRow && inverse(affine).has_value(), key);
  return affine;
}

void statisticsToJson(const VoxelStatistics& s, json& out) {
  if (s.finite > 0) {
    out["min"] = number(s.min);
    out["max"] = number(s.max);
    out["mean"] = number(s.mean);
  }
  out["finite"] = s.finite;
  out["notFinite"] = s.notFinite;
  out["percentile2"] = number(s.percentile2);
  out["percentile98"] = number(s.percentile98);
  out["backgroundLevel"] = number(s.backgroundLevel);
  out["integral"] = s.integral;
  out["distinct"] = s.distinct;
}

std::optional<VoxelStatistics> statisticsFromJson(Fields& fields) {
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
  return s;
}

void dimsFromJson(Fields& fields, ImageInfo& info) {
  const json& dims = fields.at("dims");
  fields.check(dims.is_array() && dims.size() >= 3 && dims.size() <= 5, "dims");
  if (!fields.wrong().empty()) return;
  for (std::size_t i = 0; i < 3; ++i) info.dims[i] = fields.positive(dims[i], "dims");
  info.timePoints = fields.positive(fields.at("timePoints"), "timePoints");
  info.components = fields.positive(fields.at("components"), "components");
  fields.check(info.timePoints == (dims.size() > 3 ? fields.positive(dims[3], "dims") : 1), "timePoints");
  fields.check(info.components == (dims.size() > 4 ? fields.positive(dims[4], "dims") : 1), "components");
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
  json warnings = json::array();
  for (const std::string& warning : info.warnings) warnings.push_back(validUtf8(warning));
  json out{{"kind", "image"},
           {"format", validUtf8(info.format)},
           {"dims", std::move(dims)},
           {"type", toString(info.type)},
           {"spacingMm", {number(spacing[0]), number(spacing[1]), number(spacing[2])}},
           {"affine", affineToJson(info.worldFromVoxel)},
           {"affineSource", validUtf8(info.affineSource)},
           {"orientation", orientationCode(info.worldFromVoxel)},
           {"slope", number(info.slope)},
           {"inter", number(info.inter)},
           {"min", nullptr},
           {"max", nullptr},
           {"mean", nullptr},
           {"timePoints", info.timePoints},
           {"components", info.components},
           {"warnings", std::move(warnings)},
           {"description", validUtf8(info.description)},
           {"modality", validUtf8(info.modality)},
           {"intent", validUtf8(info.intent)},
           {"windowLow", number(info.windowLow)},
           {"windowHigh", number(info.windowHigh)},
           {"timeStepSeconds", number(info.timeStepSeconds)}};
  if (info.statistics) statisticsToJson(*info.statistics, out);
  return out;
}

Result<ImageInfo> imageInfoFromJson(const json& object) {
  Fields fields(object);
  ImageInfo info;
  fields.check(object.is_object() && fields.at("kind") == "image", "kind");
  if (fields.wrong().empty()) dimsFromJson(fields, info);
  if (fields.wrong().empty()) info.worldFromVoxel = affineFromJson(fields);
  if (fields.wrong().empty()) {
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
    const json& warnings = fields.at("warnings");
    fields.check(warnings.is_array() && warnings.size() <= maxWarnings, "warnings");
    for (std::size_t i = 0; fields.wrong().empty() && i < warnings.size(); ++i) {
      info.warnings.push_back(fields.text(warnings[i], "warnings"));
    }
    info.statistics = statisticsFromJson(fields);
  }
  if (!fields.wrong().empty()) {
    return fail(ErrorCode::invalidInput, "the header of the image has no usable \"" + fields.wrong() + "\"");
  }
  if (const auto count = voxelCount(info, ""); !count) return tl::make_unexpected(count.error());
  return info;
}

}  // namespace nora
