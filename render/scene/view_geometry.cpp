#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nora {
namespace {

constexpr int maxPixels = 16384;      // along one side of a picture
constexpr double emptySceneMm = 200;  // edge of the cube that an empty scene shows
constexpr double smallestFieldMm = 1e-9;

/// Unit directions of one pixel to the right and one down.
struct Axes {
  Vec3 right{};
  Vec3 down{};
};

Axes sliceAxes(Plane plane, Convention convention) {
  const double side =
      convention == Convention::radiological ? -1 : 1;  // patient's left (-x) to the right: radiological
  switch (plane) {
    case Plane::axial: return {{side, 0, 0}, {0, -1, 0}};
    case Plane::coronal: return {{side, 0, 0}, {0, 0, -1}};
    case Plane::sagittal:
    case Plane::oblique: break;
  }
  return {{0, -1, 0}, {0, 0, -1}};
}

Axes obliqueAxes(const View& view) {
  const Vec3 right = normalised(view.right);
  const Vec3 forward = normalised(cross(right, normalised(view.down)));
  return {right, cross(forward, right)};
}

Axes cameraAxes(const View& view) {
  constexpr double radians = std::numbers::pi / 180;
  constexpr double turn = 360;
  const double azimuth = std::fmod(view.azimuthDeg, turn) * radians;
  const double elevation = std::fmod(view.elevationDeg, turn) * radians;
  const Vec3 toCamera{-std::cos(elevation) * std::sin(azimuth), std::cos(elevation) * std::cos(azimuth),
                      std::sin(elevation)};
  const Vec3 right{-std::cos(azimuth), -std::sin(azimuth), 0};
  return {right, cross(toCamera * -1, right)};
}

double extentAlong(const Vec3& size, const Vec3& axis) {
  return std::abs(axis[0]) * size[0] + std::abs(axis[1]) * size[1] + std::abs(axis[2]) * size[2];
}

}  // namespace

Bounds worldBounds(const ImageInfo& info) {
  Bounds out;
  for (int corner = 0; corner < 8; ++corner) {
    Vec3 voxel{};
    for (std::size_t a = 0; a < 3; ++a)
      voxel[a] = (corner >> a & 1) != 0 ? static_cast<double>(info.dims[a]) - 0.5 : -0.5;
    const Vec3 world = info.worldFromVoxel.point(voxel);
    for (std::size_t a = 0; a < 3; ++a) {
      out.low[a] = corner == 0 ? world[a] : std::min(out.low[a], world[a]);
      out.high[a] = corner == 0 ? world[a] : std::max(out.high[a], world[a]);
    }
  }
  return out;
}

Result<ViewGeometry> viewGeometry(const Scene& scene, const View& view, const ImageInfo* background, int width,
                                  int height) {
  std::optional<Bounds> bounds;
  if (background) bounds = worldBounds(*background);
  return viewGeometry(scene, view, bounds, width, height);
}

Result<ViewGeometry> viewGeometry(const Scene& scene, const View& view, const std::optional<Bounds>& background,
                                  int width, int height) {
  if (width < 1 || height < 1 || width > maxPixels || height > maxPixels) {
    return fail(ErrorCode::invalidInput, "a picture has 1 to 16384 pixels on each side", view.name);
  }
  constexpr double half = emptySceneMm / 2;
  const Bounds bounds = background.value_or(Bounds{{-half, -half, -half}, {half, half, half}});
  const Vec3 size = bounds.high - bounds.low;
  const bool slice = view.kind == ViewKind::slice;
  const bool oblique = slice && view.plane == Plane::oblique;
  const Axes axes = oblique ? obliqueAxes(view) : slice ? sliceAxes(view.plane, scene.convention) : cameraAxes(view);

  // A volume view keeps its scale while it turns: the sphere around the bounds fits.
  const double across = slice ? extentAlong(size, axes.right) : length(size);
  const double along = slice ? extentAlong(size, axes.down) : length(size);
  const double fit = std::max(across / width, along / height);
  const double pixelMm = std::max(fit, smallestFieldMm) / view.zoom;

  ViewGeometry out;
  out.rightMm = axes.right * pixelMm;
  out.downMm = axes.down * pixelMm;
  out.forward = normalised(cross(axes.right, axes.down));
  Vec3 centre = view.centreMm ? *view.centreMm : (bounds.low + bounds.high) * 0.5;
  if (oblique) centre = centre + out.forward * dot(scene.crosshairMm - centre, out.forward);
  if (slice && !oblique) {
    // Axes are exact unit vectors here: the normal's own coordinate comes from the crosshair, bit for bit.
    for (std::size_t a = 0; a < 3; ++a) {
      if (std::abs(out.forward[a]) > 0.5) centre[a] = scene.crosshairMm[a];
    }
  }
  out.originMm = centre - out.rightMm * (0.5 * width) - out.downMm * (0.5 * height);
  return out;
}

}  // namespace nora
