// Generated surfaces and streamlines for the renderer's tests.
#pragma once

#include "image/content.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora::phantom {

using Point = std::array<float, 3>;
using Corners = std::array<std::uint32_t, 3>;

/// Arrays one after the other, with room for their description.
class Arrays {
 public:
  template <class T>
  std::size_t add(const std::vector<T>& numbers, std::int64_t components = 1) {
    const std::size_t array =
        plan_.add(voxelTypeOf<T>(), static_cast<std::int64_t>(numbers.size()) / components, components);
    const auto* first = reinterpret_cast<const std::byte*>(numbers.data());
    parts_.emplace_back(first, first + numbers.size() * sizeof(T));
    return array;
  }
  ArrayBlock block() {
    std::vector<std::byte> bytes(plan_.totalBytes().value());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].empty()) std::memcpy(bytes.data() + plan_.arrays()[i].offset, parts_[i].data(), parts_[i].size());
    }
    return ArrayBlock::copyOf(plan_.arrays(), bytes, "phantom").value();
  }
  [[nodiscard]] const std::vector<ArrayInfo>& arrays() const { return plan_.arrays(); }

 private:
  ArrayPlan plan_;
  std::vector<std::vector<std::byte>> parts_;
};

struct Mesh {
  std::vector<Point> points;
  std::vector<Corners> triangles;
};

inline std::vector<float> flat(const std::vector<Point>& points) {
  std::vector<float> out;
  for (const Point& p : points) out.insert(out.end(), p.begin(), p.end());
  return out;
}

struct NamedValues {
  std::string name;
  std::vector<float> values;
  DataRole role = DataRole::scalar;
  std::optional<LabelTable> labels = {};
  std::string structure = {};
};

template <class Info>
void addData(Arrays& arrays, const std::vector<NamedValues>& values, std::vector<AttachedData>& out, Info) {
  for (const auto& one : values) {
    AttachedData data;
    data.name = one.name;
    data.role = one.role;
    data.labels = one.labels;
    data.structure = one.structure;
    if (one.role == DataRole::label) {
      data.array = arrays.add(std::vector<std::int32_t>(one.values.begin(), one.values.end()));
    } else {
      data.array = arrays.add(one.values);
    }
    for (const float v : one.values) {
      if (!std::isfinite(v)) continue;
      data.min = data.finite == 0 ? v : std::min<double>(data.min, v);
      data.max = data.finite == 0 ? v : std::max<double>(data.max, v);
      ++data.finite;
    }
    out.push_back(data);
  }
}

/// A mesh with values; without points the values alone.
inline std::shared_ptr<const Content> surface(const Mesh& mesh, const std::vector<NamedValues>& values = {},
                                              const std::string& structure = {}) {
  Arrays arrays;
  SurfaceInfo info;
  info.format = "phantom";
  info.structure = structure;
  info.vertices = static_cast<std::int64_t>(mesh.points.size());
  if (!mesh.points.empty()) {
    info.triangles = static_cast<std::int64_t>(mesh.triangles.size());
    info.points = arrays.add(flat(mesh.points), 3);
    std::vector<std::uint32_t> corners;
    for (const Corners& t : mesh.triangles) corners.insert(corners.end(), t.begin(), t.end());
    info.triangleCorners = arrays.add(corners, 3);
  } else if (!values.empty()) {
    info.vertices = static_cast<std::int64_t>(values.front().values.size());
  }
  addData(arrays, values, info.data, info);
  const auto points = flat(mesh.points);
  measureBounds(points, info.boundsLow, info.boundsHigh);
  auto made = Surface::create(info, arrays.block(), "phantom");
  if (!made) {
    ADD_FAILURE() << describe(made.error());
    return nullptr;
  }
  return std::make_shared<const Content>(std::move(*made));
}

inline std::shared_ptr<const Content> tracts(const std::vector<std::vector<Point>>& lines,
                                             const std::vector<NamedValues>& perPoint = {},
                                             const std::vector<NamedValues>& perStreamline = {},
                                             const std::vector<std::vector<std::uint32_t>>& groups = {}) {
  Arrays arrays;
  TractogramInfo info;
  info.format = "phantom";
  std::vector<Point> points;
  std::vector<std::uint64_t> offsets{0};
  for (const auto& line : lines) {
    points.insert(points.end(), line.begin(), line.end());
    offsets.push_back(points.size());
  }
  info.streamlines = static_cast<std::int64_t>(lines.size());
  info.points = static_cast<std::int64_t>(points.size());
  info.positions = arrays.add(flat(points), 3);
  info.offsets = arrays.add(offsets);
  addData(arrays, perPoint, info.perPoint, info);
  addData(arrays, perStreamline, info.perStreamline, info);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    StreamlineGroup group{"group " + std::to_string(g), arrays.add(groups[g]), {}, 0};
    group.count = static_cast<std::int64_t>(groups[g].size());
    info.groups.push_back(group);
  }
  measureBounds(flat(points), info.boundsLow, info.boundsHigh);
  auto made = Tractogram::create(info, arrays.block(), "phantom");
  if (!made) {
    ADD_FAILURE() << describe(made.error());
    return nullptr;
  }
  return std::make_shared<const Content>(std::move(*made));
}

inline Mesh sphere(const Point& middle, float radius, int stacks = 64) {
  Mesh out;
  const int sectors = stacks * 2;
  for (int s = 0; s <= stacks; ++s) {
    for (int t = 0; t < sectors; ++t) {
      const double polar = std::numbers::pi * s / stacks, turn = 2 * std::numbers::pi * t / sectors;
      out.points.push_back({middle[0] + radius * static_cast<float>(std::sin(polar) * std::cos(turn)),
                            middle[1] + radius * static_cast<float>(std::sin(polar) * std::sin(turn)),
                            middle[2] + radius * static_cast<float>(std::cos(polar))});
    }
  }
  const auto at = [&](int s, int t) { return static_cast<std::uint32_t>(s * sectors + t % sectors); };
  for (int s = 0; s < stacks; ++s) {
    for (int t = 0; t < sectors; ++t) {
      out.triangles.push_back({at(s, t), at(s + 1, t), at(s + 1, t + 1)});
      out.triangles.push_back({at(s, t), at(s + 1, t + 1), at(s, t + 1)});
    }
  }
  return out;
}

/// A rectangle across the y axis.
inline Mesh plate(float y, float halfX, float halfZ) {
  return {{{-halfX, y, -halfZ}, {halfX, y, -halfZ}, {halfX, y, halfZ}, {-halfX, y, halfZ}}, {{0, 1, 2}, {0, 2, 3}}};
}

inline Mesh box(const Point& low, const Point& high) {
  Mesh out;
  for (int c = 0; c < 8; ++c) {
    out.points.push_back(
        {(c & 1) != 0 ? high[0] : low[0], (c & 2) != 0 ? high[1] : low[1], (c & 4) != 0 ? high[2] : low[2]});
  }
  out.triangles = {{0, 2, 1}, {1, 2, 3}, {4, 5, 6}, {5, 7, 6}, {0, 1, 4}, {1, 5, 4},
                   {2, 6, 3}, {3, 6, 7}, {0, 4, 2}, {2, 4, 6}, {1, 3, 5}, {3, 7, 5}};
  return out;
}

}  // namespace nora::phantom
