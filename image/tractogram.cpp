#include "image/tractogram.hpp"

#include "image/checked_fields.hpp"
#include "image/streamline_measure.hpp"

#include <algorithm>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxGroups = 65536;

template <class T>
std::span<const T> numbers(const ArrayInfo& array, std::span<const std::byte> memory) {
  return {reinterpret_cast<const T*>(memory.data() + array.offset),
          static_cast<std::size_t>(array.count * array.components)};
}

std::optional<std::string> wrongStreamlines(const TractogramInfo& info, const ArrayBlock& arrays) {
  const auto& all = arrays.arrays();
  if (info.positions >= all.size() || info.offsets >= all.size()) return "an array is missing";
  const ArrayInfo& positions = all[info.positions];
  const ArrayInfo& offsets = all[info.offsets];
  if (positions.type != VoxelType::float32 || positions.components != 3 || positions.count != info.points ||
      offsets.type != VoxelType::uint64 || offsets.components != 1 || offsets.count != info.streamlines + 1) {
    return "the streamlines are not what their header says";
  }
  const auto starts = arrays.as<std::uint64_t>(info.offsets);
  if (starts.front() != 0 || starts.back() != static_cast<std::uint64_t>(info.points) ||
      !std::is_sorted(starts.begin(), starts.end())) {
    return "the beginnings of the streamlines make no sense";
  }
  return std::nullopt;
}

std::optional<std::string> wrongData(const std::vector<AttachedData>& list, std::int64_t count,
                                     const ArrayBlock& arrays) {
  for (const AttachedData& data : list) {
    if (data.array >= arrays.arrays().size()) return "an array is missing";
    const ArrayInfo& array = arrays.arrays()[data.array];
    if (array.count == count) continue;
    return "\"" + data.name + "\" has " + std::to_string(array.count) + " values, not " + std::to_string(count);
  }
  return std::nullopt;
}

std::optional<std::string> wrongGroups(const TractogramInfo& info, const ArrayBlock& arrays) {
  for (const StreamlineGroup& group : info.groups) {
    if (group.array >= arrays.arrays().size() || arrays.arrays()[group.array].type != VoxelType::uint32) {
      return "group \"" + group.name + "\" has no members of the right type";
    }
    for (const std::uint32_t member : arrays.as<std::uint32_t>(group.array)) {
      if (member < static_cast<std::uint64_t>(info.streamlines)) continue;
      return "group \"" + group.name + "\" names streamline " + std::to_string(member) + ", but there are only " +
             std::to_string(info.streamlines);
    }
  }
  return std::nullopt;
}

json groupToJson(const StreamlineGroup& group) {
  json out{{"name", jsonText(group.name)}, {"array", group.array}, {"count", group.count}};
  if (group.rgb) out["rgb"] = *group.rgb;
  return out;
}

StreamlineGroup groupFromJson(CheckedFields& outer, const json& object) {
  CheckedFields fields(object);
  StreamlineGroup group;
  group.name = fields.text("name");
  group.array = fields.count("array");
  group.count = static_cast<std::int64_t>(fields.count("count", CheckedFields::maxCount));
  if (const json& rgb = fields.list("rgb", 3); !rgb.empty()) {
    group.rgb.emplace();
    for (std::size_t i = 0; i < 3; ++i) {
      const bool byte = i < rgb.size() && rgb[i].is_number_unsigned() && rgb[i].get<std::uint64_t>() < 256;
      fields.check(byte, "rgb");
      if (byte) (*group.rgb)[i] = rgb[i].get<std::uint8_t>();
    }
  }
  outer.check(fields.good(), "groups");
  return group;
}

Result<std::vector<AttachedData>> dataFromJson(const json& list) {
  std::vector<AttachedData> out;
  for (const json& each : list) {
    auto data = attachedDataFromJson(each);
    if (!data) return tl::make_unexpected(data.error());
    out.push_back(std::move(*data));
  }
  return out;
}

void referenceFromJson(CheckedFields& fields, TractogramInfo& info) {
  if (!fields.at("affine").is_null()) info.worldFromVoxel = fields.affine("affine");
  if (const json& dims = fields.list("dims", 3); !dims.empty()) {
    fields.check(dims.size() == 3, "dims");
    info.dims.emplace();
    for (std::size_t i = 0; fields.good() && i < 3; ++i) (*info.dims)[i] = fields.positive(dims[i], "dims");
  }
}

}  // namespace

Result<Tractogram> Tractogram::create(TractogramInfo info, ArrayBlock arrays, std::string name) {
  auto wrong = wrongStreamlines(info, arrays);
  if (!wrong) wrong = wrongData(info.perPoint, info.points, arrays);
  if (!wrong) wrong = wrongData(info.perStreamline, info.streamlines, arrays);
  if (!wrong) wrong = wrongGroups(info, arrays);
  if (wrong) return fail(ErrorCode::invalidInput, *wrong, std::move(name));
  return Tractogram(std::move(info), std::move(arrays), std::move(name));
}

std::span<const float> Tractogram::positions() const {
  return arrays_.as<float>(info_.positions);
}

std::span<const std::uint64_t> Tractogram::offsets() const {
  return arrays_.as<std::uint64_t>(info_.offsets);
}

json toJson(const TractogramInfo& info) {
  json out{{"kind", "tracts"},
           {"format", jsonText(info.format)},
           {"streamlines", info.streamlines},
           {"points", info.points},
           {"positions", info.positions},
           {"offsets", info.offsets},
           {"boundsMm", {info.boundsLow, info.boundsHigh}},
           {"lengthMm", {{"min", info.lengthMinMm}, {"mean", info.lengthMeanMm}, {"max", info.lengthMaxMm}}},
           {"space", jsonText(info.space)},
           {"perPoint", json::array()},
           {"perStreamline", json::array()},
           {"groups", json::array()},
           {"fields", jsonPairs(info.fields)},
           {"warnings", jsonTexts(info.warnings)}};
  for (const AttachedData& data : info.perPoint) out["perPoint"].push_back(toJson(data));
  for (const AttachedData& data : info.perStreamline) out["perStreamline"].push_back(toJson(data));
  for (const StreamlineGroup& group : info.groups) out["groups"].push_back(groupToJson(group));
  if (info.worldFromVoxel) out["affine"] = jsonAffine(*info.worldFromVoxel);
  if (info.dims) out["dims"] = *info.dims;
  return out;
}

Result<TractogramInfo> tractogramInfoFromJson(const json& object) {
  CheckedFields fields(object);
  TractogramInfo info;
  fields.check(fields.at("kind") == "tracts", "kind");
  info.format = fields.text("format");
  info.streamlines = static_cast<std::int64_t>(fields.count("streamlines", std::uint64_t{1} << 48));
  info.points = static_cast<std::int64_t>(fields.count("points", std::uint64_t{1} << 48));
  info.positions = fields.count("positions");
  info.offsets = fields.count("offsets");
  const json& bounds = fields.list("boundsMm", 2);
  fields.check(bounds.size() == 2, "boundsMm");
  if (fields.good()) info.boundsLow = fields.vector(bounds[0], "boundsMm");
  if (fields.good()) info.boundsHigh = fields.vector(bounds[1], "boundsMm");
  CheckedFields length(fields.at("lengthMm"));
  info.lengthMinMm = length.finite("min");
  info.lengthMeanMm = length.finite("mean");
  info.lengthMaxMm = length.finite("max");
  fields.check(length.good(), "lengthMm");
  info.space = fields.optionalText("space");
  info.fields = fields.pairs("fields");
  info.warnings = fields.texts("warnings");
  referenceFromJson(fields, info);
  for (const json& group : fields.list("groups", maxGroups)) info.groups.push_back(groupFromJson(fields, group));
  auto perPoint = dataFromJson(fields.list("perPoint"));
  if (!perPoint) return tl::make_unexpected(perPoint.error());
  auto perStreamline = dataFromJson(fields.list("perStreamline"));
  if (!perStreamline) return tl::make_unexpected(perStreamline.error());
  info.perPoint = std::move(*perPoint);
  info.perStreamline = std::move(*perStreamline);
  if (!fields.good()) {
    return fail(ErrorCode::invalidInput, "the header of the tractogram has no usable \"" + fields.wrong() + "\"");
  }
  return info;
}

void measure(TractogramInfo& info, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory,
             bool pointsMeasured) {
  if (info.positions >= arrays.size() || info.offsets >= arrays.size()) return;
  const auto points = numbers<float>(arrays[info.positions], memory);
  const auto starts = numbers<std::uint64_t>(arrays[info.offsets], memory);
  const bool sound = !starts.empty() && starts.front() == 0 && starts.back() * 3 == points.size() &&
                     std::is_sorted(starts.begin(), starts.end());
  if (!pointsMeasured && sound) {
    StreamlineMeasure measured(starts);
    measured.add(points);
    measured.finish(info);
  }
  for (AttachedData& data : info.perPoint) measure(data, arrays, memory);
  for (AttachedData& data : info.perStreamline) measure(data, arrays, memory);
  for (StreamlineGroup& group : info.groups) {
    if (group.array < arrays.size()) group.count = arrays[group.array].count;
  }
}

}  // namespace nora
