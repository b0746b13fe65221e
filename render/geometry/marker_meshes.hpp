// Triangles for markers: spheres, arrows, boxes.
#pragma once

#include "render/scene/scene.hpp"

#include <cstdint>
#include <vector>

namespace nora {

struct MarkerMesh {
  std::vector<float> points;             // x y z, RAS mm
  std::vector<float> normals;            // the same count; empty: flat
  std::vector<std::uint32_t> triangles;  // three corners each
};

[[nodiscard]] MarkerMesh meshOf(const Marker& marker);

/// The twelve edges of a box as bars.
[[nodiscard]] MarkerMesh boxEdges(const Vec3& lowMm, const Vec3& highMm, double widthMm);

/// Two faces of a cube that look along an axis (0, 1, 2) and against it.
[[nodiscard]] MarkerMesh cubeFaces(const Vec3& middleMm, double edgeMm, std::size_t axis);

}  // namespace nora
