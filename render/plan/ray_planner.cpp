#include "render/plan/ray_planner.hpp"

#include "render/plan/shown_layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nora {
namespace {

void copyTo(double* out, const Vec3& v) {
  std::copy(v.begin(), v.end(), out);
}

}  // namespace

/// A volume view shows the first visible layer that is not a label map, or a label map if there is nothing else.
std::optional<kernel::RayPlan> RayPlanner::plan(const RenderRequest& request, const View& view,
                                                const ViewGeometry& geometry, const kernel::Kernels& kernels,
                                                Frame& frame) {
  static_cast<void>(view);
  const Layer* shown = nullptr;
  for (const bool labels : {false, true}) {
    for (const auto& layer : request.scene->layers) {
      if (!shown && layer.visible && isLabels(layer) == labels && drawableOf(layer, *request.volumes)) shown = &layer;
    }
  }
  if (!shown) return std::nullopt;
  const std::shared_ptr<const Volume>& volume = *drawableOf(*shown, *request.volumes);
  const ImageInfo& info = volume->info();
  PreparedVolume& prepared = prepared_.get(volume, shownTime(*shown, info), shownComponent(*shown, info), kernels);
  transfer_ = makeTransferFunction(*shown, info);

  constexpr double mostStepsAcross = 8192;  // bounds the work for images with very thin voxels
  const Vec3 size = spacingMm(info.worldFromVoxel);
  const double spacing = std::min({size[0], size[1], size[2]});
  const Bounds bounds = worldBounds(info);
  const double stepMm = std::max(spacing * request.stepScale, length(bounds.high - bounds.low) / mostStepsAcross);
  const double entries = TransferFunction::entries - 1;
  rays_ = {};
  rays_.grid = prepared.grid();
  copyTo(rays_.origin, volume->voxelFromWorld().point(geometry.originMm));
  copyTo(rays_.right, volume->voxelFromWorld().direction(geometry.rightMm));
  copyTo(rays_.down, volume->voxelFromWorld().direction(geometry.downMm));
  copyTo(rays_.step, volume->voxelFromWorld().direction(geometry.forward * stepMm));
  rays_.entryPerStored = static_cast<float>(perWidth(entries * info.slope, transfer_.window));
  rays_.entryOffset = static_cast<float>(perWidth(entries * (info.inter - transfer_.window.low), transfer_.window));
  rays_.lastEntry = static_cast<int>(entries);
  segments_.fill(transfer_, stepMm);
  rays_.extinction = segments_.extinction();
  rays_.extinctionBefore = segments_.extinctionBefore();
  rays_.segments = segments_.segments();
  planShading(*volume, geometry, spacing);
  std::copy(prepared.bricks(), prepared.bricks() + 3, rays_.bricks);
  rays_.distance = prepared.distances(transfer_, rays_.entryPerStored, rays_.entryOffset);
  rays_.width = frame.width;
  rays_.height = frame.height;
  rays_.rgba = frame.rgba.data();
  return rays_;
}

/// The light stands a little above and to the left of the viewer: shapes read better than with a lamp at the eye.
void RayPlanner::planShading(const Volume& volume, const ViewGeometry& geometry, double spacing) {
  constexpr double lampUp = 0.35;
  constexpr double lampLeft = 0.25;
  constexpr double weakGradient = 0.02;  // of the window, per voxel
  const Vec3 lamp = normalised(geometry.forward * -1 + normalised(geometry.downMm) * -lampUp +
                               normalised(geometry.rightMm) * -lampLeft);
  const Affine& a = volume.voxelFromWorld();
  std::array<Vec3, 3> rows{};
  for (int r = 0; r < 3; ++r) {
    rows[static_cast<std::size_t>(r)] = {a(r, 0), a(r, 1), a(r, 2)};
    rays_.light[r] = static_cast<float>(dot(rows[static_cast<std::size_t>(r)], lamp));
    rays_.viewer[r] = static_cast<float>(dot(rows[static_cast<std::size_t>(r)], geometry.forward * -1));
  }
  const std::array<double, 6> metric{dot(rows[0], rows[0]), dot(rows[1], rows[1]), dot(rows[2], rows[2]),
                                     dot(rows[0], rows[1]), dot(rows[0], rows[2]), dot(rows[1], rows[2])};
  std::transform(metric.begin(), metric.end(), rays_.metric, [](double v) { return static_cast<float>(v); });
  const double weak = weakGradient * (TransferFunction::entries - 1) / spacing;
  rays_.flatGradient = static_cast<float>(weak * weak);
}

}  // namespace nora
