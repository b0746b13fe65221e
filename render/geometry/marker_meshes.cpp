#include "render/geometry/marker_meshes.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace nora {
namespace {

constexpr int sectors = 24;
constexpr int stacks = 12;

std::uint32_t add(MarkerMesh& mesh, const Vec3& point, const Vec3& normal) {
  const auto number = static_cast<std::uint32_t>(mesh.points.size() / 3);
  for (std::size_t a = 0; a < 3; ++a) {
    mesh.points.push_back(static_cast<float>(point[a]));
    mesh.normals.push_back(static_cast<float>(normal[a]));
  }
  return number;
}

void addQuad(MarkerMesh& mesh, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  mesh.triangles.insert(mesh.triangles.end(), {a, b, c, a, c, d});
}

void addSphere(MarkerMesh& mesh, const Vec3& middle, double radius) {
  const auto at = [&](int stack, int sector) {
    const double polar = std::numbers::pi * stack / stacks;
    const double turn = 2 * std::numbers::pi * sector / sectors;
    const Vec3 out{std::sin(polar) * std::cos(turn), std::sin(polar) * std::sin(turn), std::cos(polar)};
    return add(mesh, middle + out * radius, out);
  };
  for (int stack = 0; stack <= stacks; ++stack) {
    for (int sector = 0; sector <= sectors; ++sector) {
      const std::uint32_t own = at(stack, sector);
      if (stack == 0 || sector == 0) continue;
      addQuad(mesh, own, own - 1, own - sectors - 2, own - sectors - 1);
    }
  }
}

/// Two directions across another.
std::array<Vec3, 2> across(const Vec3& along) {
  const Vec3 other = std::abs(along[0]) < 0.9 ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  const Vec3 first = normalised(cross(along, other));
  return {first, cross(along, first)};
}

/// Between two discs, of which the second may be a point; both closed.
void addCone(MarkerMesh& mesh, const Vec3& from, const Vec3& to, double radiusFrom, double radiusTo) {
  const Vec3 along = normalised(to - from);
  const auto [u, v] = across(along);
  const double slope = (radiusFrom - radiusTo) / std::max(length(to - from), 1e-9);
  for (int sector = 0; sector <= sectors; ++sector) {
    const double turn = 2 * std::numbers::pi * sector / sectors;
    const Vec3 out = u * std::cos(turn) + v * std::sin(turn);
    const Vec3 normal = normalised(out + along * slope);
    add(mesh, from + out * radiusFrom, normal);
    const std::uint32_t own = add(mesh, to + out * radiusTo, normal);
    if (sector > 0) addQuad(mesh, own, own - 2, own - 3, own - 1);
  }
  for (const bool end : {false, true}) {
    const Vec3 middle = end ? to : from;
    const double radius = end ? radiusTo : radiusFrom;
    if (radius <= 0) continue;
    const Vec3 normal = end ? along : along * -1;
    const std::uint32_t centre = add(mesh, middle, normal);
    for (int sector = 0; sector <= sectors; ++sector) {
      const double turn = 2 * std::numbers::pi * sector / sectors;
      const std::uint32_t own = add(mesh, middle + (u * std::cos(turn) + v * std::sin(turn)) * radius, normal);
      if (sector > 0) mesh.triangles.insert(mesh.triangles.end(), {centre, own - 1, own});
    }
  }
}

void addArrow(MarkerMesh& mesh, const Marker& marker) {
  constexpr double headWidth = 3;   // of the shaft's
  constexpr double headLength = 3;  // of the head's radius
  const Vec3 way = marker.toMm - marker.atMm;
  const double all = length(way);
  if (!(all > 0)) return addSphere(mesh, marker.atMm, marker.sizeMm / 2);
  const double head = std::min(all, marker.sizeMm / 2 * headWidth * headLength / 2);
  const Vec3 neck = marker.toMm - normalised(way) * head;
  addCone(mesh, marker.atMm, neck, marker.sizeMm / 2, marker.sizeMm / 2);
  addCone(mesh, neck, marker.toMm, marker.sizeMm / 2 * headWidth, 0);
}

}  // namespace

MarkerMesh meshOf(const Marker& marker) {
  MarkerMesh mesh;
  switch (marker.kind) {
    case MarkerKind::point: addSphere(mesh, marker.atMm, marker.sizeMm / 2); break;
    case MarkerKind::arrow: addArrow(mesh, marker); break;
    case MarkerKind::box: return boxEdges(marker.atMm, marker.toMm, marker.sizeMm);
  }
  return mesh;
}

MarkerMesh boxEdges(const Vec3& lowMm, const Vec3& highMm, double widthMm) {
  MarkerMesh mesh;
  const auto corner = [&](int number) {
    Vec3 out{};
    for (std::size_t a = 0; a < 3; ++a) out[a] = (number >> a & 1) != 0 ? highMm[a] : lowMm[a];
    return out;
  };
  for (int from = 0; from < 8; ++from) {
    addSphere(mesh, corner(from), widthMm / 2);
    for (int axis = 0; axis < 3; ++axis) {
      const int to = from | 1 << axis;
      if (to != from && length(corner(to) - corner(from)) > 0)
        addCone(mesh, corner(from), corner(to), widthMm / 2, widthMm / 2);
    }
  }
  return mesh;
}

MarkerMesh cubeFaces(const Vec3& middleMm, double edgeMm, std::size_t axis) {
  MarkerMesh mesh;
  const std::size_t u = (axis + 1) % 3, v = (axis + 2) % 3;
  for (const double side : {-1.0, 1.0}) {
    Vec3 normal{};
    normal[axis] = side;
    std::array<std::uint32_t, 4> corners{};
    for (std::size_t c = 0; c < 4; ++c) {
      Vec3 point = middleMm + normal * (edgeMm / 2);
      point[u] += (c == 0 || c == 3 ? -0.5 : 0.5) * edgeMm;
      point[v] += (c < 2 ? -0.5 : 0.5) * edgeMm;
      corners[c] = add(mesh, point, normal);
    }
    addQuad(mesh, corners[0], corners[1], corners[2], corners[3]);
  }
  return mesh;
}

}  // namespace nora
