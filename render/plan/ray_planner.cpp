#include "render/plan/ray_planner.hpp"

#include "render/plan/shown_layers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nora {
namespace {

constexpr double lastEntry = TransferFunction::entries - 1;

void copyTo(double* out, const Vec3& v) {
  std::copy(v.begin(), v.end(), out);
}

kernel::RayMode modeOf(VolumeMode mode) {
  switch (mode) {
    case VolumeMode::shaded: break;
    case VolumeMode::maximum: return kernel::RayMode::maximum;
    case VolumeMode::minimum: return kernel::RayMode::minimum;
    case VolumeMode::mean: return kernel::RayMode::mean;
    case VolumeMode::isosurface: return kernel::RayMode::isosurface;
  }
  return kernel::RayMode::shaded;
}

kernel::RayKind kindOf(const Layer& layer, const ImageInfo& info, VolumeMode mode) {
  if (isLabels(layer) && !isColour(info.type)) return kernel::RayKind::labels;
  if (mode == VolumeMode::shaded) return kernel::RayKind::medium;
  return mode == VolumeMode::isosurface ? kernel::RayKind::surface : kernel::RayKind::projection;
}

double smallestSpacing(const ImageInfo& info) {
  const Vec3 size = spacingMm(info.worldFromVoxel);
  return std::min({size[0], size[1], size[2]});
}

kernel::RayCut cutOf(const Vec3& pointMm, const Vec3& normal, const ViewGeometry& geometry, double stepMm) {
  const Vec3 n = normalised(normal) * (1 / stepMm);
  return {dot(geometry.originMm - pointMm, n), dot(geometry.rightMm, n), dot(geometry.downMm, n),
          dot(geometry.forward, n) * stepMm};
}

void addCuts(const View& view, const ViewGeometry& geometry, double stepMm, kernel::RayPlan& rays) {
  const auto add = [&](const Vec3& point, const Vec3& normal) {
    if (rays.cutCount < kernel::mostRayCuts && length(normal) > 0) {
      rays.cuts[rays.cutCount++] = cutOf(point, normal, geometry, stepMm);
    }
  };
  for (std::size_t a = 0; view.crop && a < 3; ++a) {
    Vec3 axis{};
    axis[a] = 1;
    add(view.crop->highMm, axis);
    add(view.crop->lowMm, axis * -1);
  }
  for (const ClipPlane& plane : view.clipPlanes) add(plane.pointMm, plane.normal);
}

/// Bones of CT, else what stands out from the background.
double isoValueOf(const Layer& layer, const ImageInfo& info, const Window& window) {
  constexpr double boneHu = 200;
  if (layer.isoValue) return *layer.isoValue;
  const bool ct = info.modality == "CT" || (info.statistics && info.statistics->min <= -900);
  if (ct && info.statistics && info.statistics->max > boneHu) return boneHu;
  if (layer.thresholdLow && layer.symmetric) return *layer.thresholdLow;
  const bool known = info.statistics && info.statistics->finite > 0;
  return known ? info.statistics->backgroundLevel : (window.low + window.high) / 2;
}

/// What a colour image shows where only one value has room: its luminance in grays.
void lookOfLuminance(kernel::SliceLayer& look) {
  static const std::array<std::uint32_t, 512> grays = [] {
    std::array<std::uint32_t, 512> out{};
    for (std::uint32_t i = 0; i < out.size(); ++i) out[i] = (i & 0xffU) * 0x010101U;
    return out;
  }();
  look.look = kernel::Look::ramp;
  look.slope = 1;
  look.inter = 0;
  look.windowLow = 0;
  look.indexPerValue = 1;
  look.symmetric = false;
  look.colours = grays.data();
}

void planShading(const Volume& volume, const ViewGeometry& geometry, double flatPerMm, kernel::RayLayer& out) {
  const Vec3 lamp = lampOf(geometry);
  const Affine& a = volume.voxelFromWorld();
  std::array<Vec3, 3> rows{};
  for (int r = 0; r < 3; ++r) {
    rows[static_cast<std::size_t>(r)] = {a(r, 0), a(r, 1), a(r, 2)};
    out.light[r] = static_cast<float>(dot(rows[static_cast<std::size_t>(r)], lamp));
    out.viewer[r] = static_cast<float>(dot(rows[static_cast<std::size_t>(r)], geometry.forward * -1));
  }
  const std::array<double, 6> metric{dot(rows[0], rows[0]), dot(rows[1], rows[1]), dot(rows[2], rows[2]),
                                     dot(rows[0], rows[1]), dot(rows[0], rows[2]), dot(rows[1], rows[2])};
  std::transform(metric.begin(), metric.end(), out.metric, [](double v) { return static_cast<float>(v); });
  out.flatGradient = static_cast<float>(flatPerMm * flatPerMm);
}

/// Values are rounded to entries, and lie half an entry below the first that shows something at most; an entry shows
/// up to the next one, too.
double firstShownOf(const TransferFunction& transfer) {
  const auto& extinction = transfer.extinctionPerMm;
  const auto first = std::find_if(extinction.begin(), extinction.end(), [](float e) { return e > 0; });
  return static_cast<double>(first - extinction.begin()) - 1;
}

void planMedium(const PreparedVolume& prepared, const ImageInfo& info, const TransferFunction& transfer,
                SegmentTable& segments, SkipField& skip, double stepMm, kernel::RayLayer& out) {
  out.entryPerStored = static_cast<float>(perWidth(lastEntry * info.slope, transfer.window));
  out.entryOffset = static_cast<float>(perWidth(lastEntry * (info.inter - transfer.window.low), transfer.window));
  out.lastEntry = static_cast<int>(lastEntry);
  if (out.kind != kernel::RayKind::medium) return;
  segments.fill(transfer, stepMm);
  out.extinction = segments.extinction();
  out.extinctionBefore = segments.extinctionBefore();
  out.segments = segments.segments();
  out.firstShown = static_cast<float>(firstShownOf(transfer));
  out.distance = skip.distances(prepared, transfer, out.entryPerStored, out.entryOffset);
}

void planSurface(const Layer& layer, const ImageInfo& info, const PreparedVolume& prepared,
                 const TransferFunction& transfer, SkipField& skip, kernel::RayLayer& out) {
  const double iso = isoValueOf(layer, info, effectiveWindow(layer, info));
  out.isoValue = static_cast<float>(iso);
  const double entry = perWidth(lastEntry * (iso - transfer.window.low), transfer.window);
  const auto nearest = static_cast<std::size_t>(std::lround(std::clamp(entry, 0.0, lastEntry)));
  out.surfaceColours[0] = out.surfaceColours[1] = transfer.colours[nearest];
  if (layer.symmetric && out.look.look == kernel::Look::ramp) {
    const double place = (iso - out.look.windowLow) * out.look.indexPerValue;
    const auto index = static_cast<std::size_t>(std::lround(std::clamp(place, 0.0, 255.0)));
    out.surfaceColours[0] = out.look.colours[index];
    out.surfaceColours[1] = out.look.colours[index + 256];
  }
  const float other = layer.symmetric ? -out.isoValue : out.isoValue;
  out.distance = skip.distances(prepared, ShownRange{out.isoValue, out.isoValue}, ShownRange{other, other},
                                out.look.slope, out.look.inter);
}

void planLabels(const PreparedVolume& prepared, SkipField& skip, kernel::RayLayer& out) {
  constexpr float half = 0.5F;  // fractions are rounded
  const float low = out.look.thresholdLow - half;
  const float high = out.look.thresholdHigh + half;
  const ShownRange positive{std::max(half, low), high};
  ShownRange negative{low, std::min(-half, high)};
  if (out.look.symmetric) negative = {-positive.high, -positive.low};
  out.distance = skip.distances(prepared, positive, negative, out.look.slope, out.look.inter);
}

/// Beyond the ends of the window nothing looks brighter, unless a threshold ends it.
float enoughOf(const kernel::SliceLayer& look, kernel::RayMode mode) {
  constexpr float never = std::numeric_limits<float>::infinity();
  const float other = look.windowLow + 255 / look.indexPerValue;
  if (look.symmetric || !std::isfinite(other)) return never;
  if (mode == kernel::RayMode::minimum) {
    const bool ended = look.thresholdLow > -never;
    return ended ? never : -std::min({look.windowLow, other, look.thresholdHigh});
  }
  return look.thresholdHigh < never ? never : std::max({look.windowLow, other, look.thresholdLow});
}

}  // namespace

kernel::RayPlan RayPlanner::plan(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                                 const kernel::Kernels& kernels, Frame& frame) {
  chooseLayers(request);
  layers_.clear();
  rays_ = kernel::RayPlan();
  rays_.width = frame.width;
  rays_.height = frame.height;
  rays_.rgba = frame.rgba.data();
  rays_.mode = modeOf(view.mode);
  const double stepMm = chooseStep(request, view);
  if (stepMm > 0) {
    while (layers_.size() < shown_.size()) addLayer(request, view, geometry, kernels, stepMm);
  }
  shown_.clear();  // keeps no volume alive
  rays_.layers = layers_.data();
  rays_.layerCount = static_cast<int>(layers_.size());
  const double unit = stepMm > 0 ? stepMm : 1;
  addCuts(view, geometry, unit, rays_);
  addSlices(request, view, geometry, unit, frame);
  rays_.geometry.stepsPerMm = 1 / unit;
  return rays_;
}

/// Those that say so, and of the others the first visible one that is no label map; a label map if there is nothing
/// else. None of the others where surfaces or streamlines are shown: they mostly lie inside, and nobody would see them.
void RayPlanner::chooseLayers(const RenderRequest& request) {
  shown_.clear();
  const Layer* automatic = nullptr;
  const Layer* labels = nullptr;
  bool asked = false;
  for (const Layer& layer : request.scene->layers) {
    if (!layer.visible || !drawableOf(layer, *request.volumes)) continue;
    if (!automatic && !isLabels(layer)) automatic = &layer;
    if (!labels && isLabels(layer) && !layer.inVolume) labels = &layer;
    asked = asked || layer.inVolume.value_or(false);
  }
  if (!automatic && !asked) automatic = labels;
  const bool shapes = std::any_of(request.scene->layers.begin(), request.scene->layers.end(), [&](const Layer& layer) {
    const auto* shape = request.shapes ? shapeOf(layer, *request.shapes) : nullptr;
    return shape && layer.visible && layer.opacity > 0 && layer.inVolume.value_or(true);
  });
  if (shapes) automatic = nullptr;
  for (const Layer& layer : request.scene->layers) {
    const auto* volume = drawableOf(layer, *request.volumes);
    const bool shown = layer.inVolume ? *layer.inVolume : &layer == automatic;
    if (!volume || !layer.visible || !shown || !(layer.opacity > 0)) continue;
    if (shown_.size() < kernel::mostRayLayers) shown_.push_back({&layer, *volume});
  }
}

/// One step for all: the smallest voxel's. Stills look for extremes at half of it.
double RayPlanner::chooseStep(const RenderRequest& request, const View& view) const {
  constexpr double mostStepsAcross = 8192;  // bounds the work for images with very thin voxels
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (shown_.empty()) return 0;
  double spacing = infinity;
  double across = 0;
  for (const Shown& shown : shown_) {
    const Bounds bounds = worldBounds(shown.volume->info());
    spacing = std::min(spacing, smallestSpacing(shown.volume->info()));
    across = std::max(across, length(bounds.high - bounds.low));
  }
  const bool extreme = view.mode == VolumeMode::maximum || view.mode == VolumeMode::minimum;
  const bool fine = extreme && request.stepScale <= 1;
  return std::max(spacing * request.stepScale * (fine ? 0.5 : 1), across / mostStepsAcross);
}

void RayPlanner::planLook(const RenderRequest& request, const Shown& shown, const ViewGeometry& geometry, Slot& slot,
                          kernel::RayLayer& out) {
  one_.convention = request.scene->convention;
  one_.crosshairMm = request.scene->crosshairMm;
  one_.layers.assign(1, *shown.layer);
  one_.layers[0].vectors = VectorLook::component;
  RenderRequest only = request;
  only.scene = &one_;
  const kernel::SlicePlan plan = slot.looks.plan(only, View{}, geometry, lookFrame_);
  if (plan.layerCount > 0) out.look = plan.layers[0];
  if (isColour(shown.volume->info().type)) lookOfLuminance(out.look);
}

void RayPlanner::planKind(const Shown& shown, const ViewGeometry& geometry, const PreparedVolume& prepared, Slot& slot,
                          double stepMm, kernel::RayLayer& out) const {
  const Layer& layer = *shown.layer;
  const Volume& volume = *shown.volume;
  const ImageInfo& info = volume.info();
  if (out.kind == kernel::RayKind::medium || out.kind == kernel::RayKind::surface) {
    constexpr double weakGradient = 0.02;  // of the window, per voxel
    constexpr double noGradient = 1e-6;
    slot.transfer = makeTransferFunction(layer, info);
    planMedium(prepared, info, slot.transfer, slot.segments, slot.skip, stepMm, out);
    const bool medium = out.kind == kernel::RayKind::medium;
    planShading(volume, geometry, (medium ? weakGradient : noGradient) * lastEntry / smallestSpacing(info), out);
  }
  if (out.kind == kernel::RayKind::surface) planSurface(layer, info, prepared, slot.transfer, slot.skip, out);
  if (out.kind == kernel::RayKind::labels) {
    constexpr double noShape = 1e-3;  // of a label's share
    planLabels(prepared, slot.skip, out);
    planShading(volume, geometry, noShape / smallestSpacing(info), out);
  }
  if (out.kind == kernel::RayKind::projection) {
    out.enough = enoughOf(out.look, rays_.mode);
    if (rays_.mode != kernel::RayMode::mean) slot.skip.bound(prepared, rays_.mode, out);
  }
}

void RayPlanner::addLayer(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                          const kernel::Kernels& kernels, double stepMm) {
  const std::size_t number = layers_.size();
  while (slots_.size() <= number) slots_.push_back(std::make_unique<Slot>());
  Slot& slot = *slots_[number];
  const Shown& shown = shown_[number];
  const Layer& layer = *shown.layer;
  const Volume& volume = *shown.volume;
  const ImageInfo& info = volume.info();
  kernel::RayLayer out;
  out.kind = kindOf(layer, info, view.mode);
  const bool labels = out.kind == kernel::RayKind::labels;
  const PreparedVolume& prepared =
      prepared_.get(shown.volume, shownTime(layer, info), shownComponent(layer, info), labels, kernels);
  out.grid = prepared.grid();
  copyTo(out.origin, volume.voxelFromWorld().point(geometry.originMm));
  copyTo(out.right, volume.voxelFromWorld().direction(geometry.rightMm));
  copyTo(out.down, volume.voxelFromWorld().direction(geometry.downMm));
  copyTo(out.step, volume.voxelFromWorld().direction(geometry.forward * stepMm));
  std::copy(prepared.bricks(), prepared.bricks() + 3, out.bricks);
  planLook(request, shown, geometry, slot, out);
  planKind(shown, geometry, prepared, slot, stepMm, out);
  layers_.push_back(out);
}

/// A slice through the crosshair as the camera sees it is a slice whose pixels lie along the rays: the slice kernels
/// draw it as they draw any other.
void RayPlanner::addSlices(const RenderRequest& request, const View& view, const ViewGeometry& geometry, double stepMm,
                           const Frame& frame) {
  constexpr double edgeOn = 1e-3;  // sine of the angle under which a slice is a line
  const Volume* background = nullptr;
  for (const Layer& layer : request.scene->layers) {
    const auto* volume = volumeOf(layer, *request.volumes);
    if (volume && !background) background = volume->get();
  }
  for (const Plane plane : view.slices) {
    if (plane == Plane::oblique || !background || rays_.sliceCount == kernel::mostRaySlices) continue;
    const std::size_t axis = plane == Plane::axial ? 2 : plane == Plane::coronal ? 1 : 0;
    const double towards = geometry.forward[axis];
    if (std::abs(towards) < edgeOn) continue;
    Vec3 normal{};
    normal[axis] = 1;
    ViewGeometry slanted = geometry;
    slanted.rightMm = geometry.rightMm - geometry.forward * (geometry.rightMm[axis] / towards);
    slanted.downMm = geometry.downMm - geometry.forward * (geometry.downMm[axis] / towards);
    slanted.originMm =
        geometry.originMm + geometry.forward * ((request.scene->crosshairMm[axis] - geometry.originMm[axis]) / towards);
    slanted.originMm[axis] = request.scene->crosshairMm[axis];
    slanted.rightMm[axis] = 0;
    slanted.downMm[axis] = 0;
    slanted.forward = normalised(cross(slanted.rightMm, slanted.downMm));
    EmbeddedSlice& embedded = embedded_[static_cast<std::size_t>(rays_.sliceCount)];
    embedded.picture.resize(frame.width, frame.height);
    View flat;
    flat.plane = plane;
    kernel::RaySlice& out = rays_.slices[rays_.sliceCount++];
    out.picture = embedded.planner.plan(request, flat, slanted, embedded.picture);
    out.plane = cutOf(request.scene->crosshairMm, normal, geometry, stepMm);
    copyTo(out.origin, background->voxelFromWorld().point(slanted.originMm));
    copyTo(out.right, background->voxelFromWorld().direction(slanted.rightMm));
    copyTo(out.down, background->voxelFromWorld().direction(slanted.downMm));
    std::copy(background->dims().begin(), background->dims().end(), out.dims);
  }
}

}  // namespace nora
