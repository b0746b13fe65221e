#include "image/surface.hpp"

#include "image/checked_fields.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<DataRole, std::string_view>, 5> roleNames{{{DataRole::scalar, "scalar"},
                                                                          {DataRole::label, "label"},
                                                                          {DataRole::colour, "colour"},
                                                                          {DataRole::normal, "normal"},
                                                                          {DataRole::vector, "vector"}}};

Error wrongArray(const std::string& what, const std::string& name) {
  return {ErrorCode::invalidInput, what, name};
}

bool fits(const AttachedData& data, const ArrayInfo& array) {
  switch (data.role) {
    case DataRole::scalar: return true;
    case DataRole::label: return array.type == VoxelType::int32;
    case DataRole::colour: return array.type == VoxelType::uint8 && (array.components == 3 || array.components == 4);
    case DataRole::normal:
    case DataRole::vector: return array.type == VoxelType::float32 && array.components == 3;
  }
  return false;
}

std::optional<Error> wrongMesh(const SurfaceInfo& info, const ArrayBlock& arrays, const std::string& name) {
  if (info.points.has_value() != info.triangleCorners.has_value()) {
    return wrongArray("a mesh needs points and triangles", name);
  }
  if (!info.points)
    return info.triangles == 0 ? std::nullopt : std::optional(wrongArray("triangles without points", name));
  const std::size_t count = arrays.arrays().size();
  if (*info.points >= count || *info.triangleCorners >= count) return wrongArray("an array is missing", name);
  const ArrayInfo& points = arrays.arrays()[*info.points];
  const ArrayInfo& corners = arrays.arrays()[*info.triangleCorners];
  if (points.type != VoxelType::float32 || points.components != 3 || points.count != info.vertices ||
      corners.type != VoxelType::uint32 || corners.components != 3 || corners.count != info.triangles) {
    return wrongArray("the mesh is not what its header says", name);
  }
  const auto indices = arrays.as<std::uint32_t>(*info.triangleCorners);
  const auto largest = indices.empty() ? 0 : *std::max_element(indices.begin(), indices.end());
  if (!indices.empty() && largest >= info.vertices) {
    return wrongArray(
        "a triangle names vertex " + std::to_string(largest) + ", but there are only " + std::to_string(info.vertices),
        name);
  }
  return std::nullopt;
}

}  // namespace

std::string_view toString(DataRole role) {
  for (const auto& [known, name] : roleNames) {
    if (known == role) return name;
  }
  return "scalar";
}

bool fromString(std::string_view name, DataRole& role) {
  for (const auto& [known, text] : roleNames) {
    if (text != name) continue;
    role = known;
    return true;
  }
  return false;
}

Result<Surface> Surface::create(SurfaceInfo info, ArrayBlock arrays, std::string name) {
  if (auto error = wrongMesh(info, arrays, name)) return tl::make_unexpected(std::move(*error));
  for (const AttachedData& data : info.data) {
    if (data.array >= arrays.arrays().size()) return tl::make_unexpected(wrongArray("an array is missing", name));
    const ArrayInfo& array = arrays.arrays()[data.array];
    if (!fits(data, array)) return tl::make_unexpected(wrongArray("\"" + data.name + "\" has the wrong type", name));
    if (info.points && array.count != info.vertices) {
      return tl::make_unexpected(wrongArray("\"" + data.name + "\" has " + std::to_string(array.count) +
                                                " values for " + std::to_string(info.vertices) + " vertices",
                                            name));
    }
  }
  return Surface(std::move(info), std::move(arrays), std::move(name));
}

std::span<const float> Surface::points() const {
  return info_.points ? arrays_.as<float>(*info_.points) : std::span<const float>{};
}

std::span<const std::uint32_t> Surface::triangles() const {
  return info_.triangleCorners ? arrays_.as<std::uint32_t>(*info_.triangleCorners) : std::span<const std::uint32_t>{};
}

json toJson(const AttachedData& data) {
  json out{{"name", jsonText(data.name)},
           {"role", toString(data.role)},
           {"array", data.array},
           {"intent", jsonText(data.intent)},
           {"structure", jsonText(data.structure)},
           {"min", nullptr},
           {"max", nullptr},
           {"finite", data.finite},
           {"components", data.components},
           {"timePoints", data.timePoints}};
  if (data.finite > 0) {
    out["min"] = jsonNumber(data.min);
    out["max"] = jsonNumber(data.max);
  }
  if (data.labels) out["labels"] = toJson(*data.labels);
  return out;
}

Result<AttachedData> attachedDataFromJson(const json& object) {
  CheckedFields fields(object);
  AttachedData data;
  data.name = fields.text("name");
  fields.check(fromString(fields.text("role"), data.role), "role");
  data.array = fields.count("array");
  data.intent = fields.optionalText("intent");
  data.structure = fields.optionalText("structure");
  data.finite = fields.count("finite");
  data.components = static_cast<std::int64_t>(fields.count("components", CheckedFields::maxCount));
  data.timePoints = static_cast<std::int64_t>(fields.count("timePoints", CheckedFields::maxCount));
  data.min = fields.optionalFinite("min").value_or(0);
  data.max = fields.optionalFinite("max").value_or(0);
  if (!fields.at("labels").is_null()) {
    auto labels = labelTableFromJson(fields.at("labels"));
    if (!labels) return tl::make_unexpected(labels.error());
    data.labels = std::move(*labels);
  }
  if (!fields.good()) return fail(ErrorCode::invalidInput, "attached data have no usable \"" + fields.wrong() + "\"");
  return data;
}

json toJson(const SurfaceInfo& info) {
  json data = json::array();
  for (const AttachedData& each : info.data) data.push_back(toJson(each));
  json out{{"kind", "surface"},
           {"format", jsonText(info.format)},
           {"vertices", info.vertices},
           {"triangles", info.triangles},
           {"structure", jsonText(info.structure)},
           {"space", jsonText(info.space)},
           {"description", jsonText(info.description)},
           {"data", std::move(data)},
           {"fields", jsonPairs(info.fields)},
           {"warnings", jsonTexts(info.warnings)}};
  if (info.verticesAtLeast) out["verticesAtLeast"] = true;
  if (info.points) {
    out["points"] = *info.points;
    out["boundsMm"] = {info.boundsLow, info.boundsHigh};
  }
  if (info.triangleCorners) out["triangleCorners"] = *info.triangleCorners;
  return out;
}

Result<SurfaceInfo> surfaceInfoFromJson(const json& object) {
  CheckedFields fields(object);
  SurfaceInfo info;
  fields.check(fields.at("kind") == "surface", "kind");
  info.format = fields.text("format");
  info.vertices = static_cast<std::int64_t>(fields.count("vertices", CheckedFields::maxCount));
  info.verticesAtLeast = fields.at("verticesAtLeast") == true;
  info.triangles = static_cast<std::int64_t>(fields.count("triangles", CheckedFields::maxCount));
  info.points = fields.optionalCount("points");
  info.triangleCorners = fields.optionalCount("triangleCorners");
  if (info.points) {
    const json& bounds = fields.list("boundsMm", 2);
    fields.check(bounds.size() == 2, "boundsMm");
    if (fields.good()) info.boundsLow = fields.vector(bounds[0], "boundsMm");
    if (fields.good()) info.boundsHigh = fields.vector(bounds[1], "boundsMm");
  }
  info.structure = fields.optionalText("structure");
  info.space = fields.optionalText("space");
  info.description = fields.optionalText("description");
  info.fields = fields.pairs("fields");
  info.warnings = fields.texts("warnings");
  for (const json& each : fields.list("data")) {
    auto data = attachedDataFromJson(each);
    if (!data) return tl::make_unexpected(data.error());
    info.data.push_back(std::move(*data));
  }
  if (!fields.good()) {
    return fail(ErrorCode::invalidInput, "the header of the surface has no usable \"" + fields.wrong() + "\"");
  }
  return info;
}

namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  std::int64_t finite = 0;
};

template <class T>
void widen(Range& range, std::span<const T> finite) {
  T low = finite.front(), high = low;
  for (const T value : finite) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  range.low = std::min(range.low, static_cast<double>(low));
  range.high = std::max(range.high, static_cast<double>(high));
  range.finite += static_cast<std::int64_t>(finite.size());
}

/// Of the finite values. In blocks: most have nothing odd, and then the loops have no branches.
template <class T>
Range rangeOf(std::span<const T> values) {
  constexpr std::size_t block = 1024;
  Range range;
  for (; !values.empty(); values = values.subspan(std::min(block, values.size()))) {
    const auto part = values.first(std::min(block, values.size()));
    bool odd = false;
    if constexpr (std::is_floating_point_v<T>) {
      for (const T value : part) odd |= !(std::abs(value) <= std::numeric_limits<T>::max());
    }
    if (!odd) {
      widen(range, part);
      continue;
    }
    for (const T& value : part) {
      if (std::isfinite(value)) widen(range, std::span(&value, 1));
    }
  }
  return range;
}

}  // namespace

void measure(AttachedData& data, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory) {
  if (data.array >= arrays.size()) return;
  const ArrayInfo& array = arrays[data.array];
  const bool series = data.intent == "time series" && data.role == DataRole::scalar;
  data.components = series ? 1 : array.components;
  data.timePoints = series ? array.components : 1;
  visitScalar(array.type, [&](auto zero) {
    using T = decltype(zero);
    const std::span<const T> values(reinterpret_cast<const T*>(memory.data() + array.offset),
                                    static_cast<std::size_t>(array.count * array.components));
    const auto [low, high, finite] = rangeOf(values);
    data.finite = finite;
    if (finite > 0) {
      data.min = low;
      data.max = high;
    }
  });
}

bool allFinite(std::span<const float> values) {
  constexpr std::uint32_t exponent = 0x7f800000;
  bool odd = false;
  for (const float value : values) odd |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent;
  return !odd;
}

void measureBounds(std::span<const float> points, Vec3& low, Vec3& high) {
  constexpr std::size_t lanes = 12;  // four points side by side, which the compiler can vectorise
  constexpr std::size_t block = 64 * lanes;
  constexpr float largest = std::numeric_limits<float>::max();
  std::array<float, lanes> least, most;
  least.fill(largest);
  most.fill(-largest);
  const auto add = [&](const float* at, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      least[k] = std::min(least[k], at[k]);
      most[k] = std::max(most[k], at[k]);
    }
  };
  for (std::size_t begin = 0; begin + 3 <= points.size(); begin += block) {
    const auto part = points.subspan(begin, std::min(block, (points.size() - begin) / 3 * 3));
    const bool whole = part.size() == block && allFinite(part);
    for (std::size_t i = 0; whole && i < block; i += lanes) add(&part[i], lanes);
    for (std::size_t i = 0; !whole && i < part.size(); i += 3) {
      if (allFinite(part.subspan(i, 3))) add(&part[i], 3);
    }
  }
  if (least[0] > most[0]) return;
  for (std::size_t k = 0; k < 3; ++k) {
    low[k] = std::min({least[k], least[k + 3], least[k + 6], least[k + 9]});
    high[k] = std::max({most[k], most[k + 3], most[k + 6], most[k + 9]});
  }
}

void measure(SurfaceInfo& info, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory) {
  if (info.points && *info.points < arrays.size()) {
    const ArrayInfo& points = arrays[*info.points];
    measureBounds(
        {reinterpret_cast<const float*>(memory.data() + points.offset), static_cast<std::size_t>(points.count) * 3},
        info.boundsLow, info.boundsHigh);
  }
  for (AttachedData& data : info.data) measure(data, arrays, memory);
}

}  // namespace nora
