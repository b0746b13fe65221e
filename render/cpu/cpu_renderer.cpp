// The renderer on the CPU: turns a scene into a plan of plain numbers, and has the kernels draw it tile by tile.
#include "image/label_palette.hpp"
#include "render/cpu/kernel_sets.hpp"
#include "render/cpu/prepared_volume.hpp"
#include "render/cpu/segment_table.hpp"
#include "render/renderer.hpp"
#include "render/scene/colour_map.hpp"
#include "render/scene/label_colours.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;
static_assert(kernel::labelHueBits == static_cast<int>(labelHueBits));
static_assert(kernel::labelToneBits == static_cast<int>(labelToneBits));

constexpr std::size_t rampEntries = 512;  // positive and negative side
constexpr int sliceTileRows = 16;
constexpr int rayTileEdge = 32;

std::uint32_t packed(const Colour& c) {
  return static_cast<std::uint32_t>(c[0]) | static_cast<std::uint32_t>(c[1]) << 8 |
         static_cast<std::uint32_t>(c[2]) << 16;
}

void copyTo(double* out, const Vec3& v) {
  std::copy(v.begin(), v.end(), out);
}

const std::vector<std::uint32_t>& packedLabelPalette() {
  static const std::vector<std::uint32_t> palette = [] {
    std::vector<std::uint32_t> out;
    for (const auto& colour : labelPalette()) out.push_back(packed(colour));
    return out;
  }();
  return palette;
}

bool isLabels(const Layer& layer) {
  return layer.colourMap == "labels";
}

const std::shared_ptr<const Volume>* volumeOf(const Layer& layer, const LayerVolumes& volumes) {
  const auto found = volumes.find(layer.id);
  return found != volumes.end() && found->second ? &found->second : nullptr;
}

/// The volume of a layer that can be drawn: nullptr too if the time point that it shows is not there yet.
const std::shared_ptr<const Volume>* drawableOf(const Layer& layer, const LayerVolumes& volumes) {
  const auto* volume = volumeOf(layer, volumes);
  if (!volume) return nullptr;
  const std::int64_t time = std::clamp<std::int64_t>(layer.time, 0, (*volume)->info().timePoints - 1);
  return (*volume)->holds(time) ? volume : nullptr;
}

/// The first layer that has its image decides how large the picture is.
const ImageInfo* backgroundOf(const Scene& scene, const LayerVolumes& volumes) {
  for (const auto& layer : scene.layers) {
    if (const auto* volume = volumeOf(layer, volumes)) return &(*volume)->info();
  }
  return nullptr;
}

/// Divides by a window's width; a window without width becomes a step.
double perWidth(double numerator, const Window& window) {
  const double width = window.high - window.low;
  const double least = std::max(std::abs(window.low), 1.0) * 1e-7;
  return numerator / (std::abs(width) > least ? width : std::copysign(least, width));
}

class CpuRenderer final : public Renderer {
 public:
  explicit CpuRenderer(const kernel::Kernels& kernels) : kernels_(kernels) {}

  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override;
  std::string name() const override { return std::string("cpu (") + kernels_.name + ")"; }

 private:
  void addSliceLayer(const Layer& layer, const std::shared_ptr<const Volume>& shared, const ViewGeometry& geometry);
  void addLabelColours(const std::shared_ptr<const Volume>& volume, kernel::SliceLayer& layer);
  const std::uint32_t* rampColours(const Layer& layer, std::size_t number);
  bool planRays(const RenderRequest& request, const View& view, const ViewGeometry& geometry);
  void planShading(const Volume& volume, const ViewGeometry& geometry, double spacing);
  std::uint64_t drawSlices(Frame& frame);
  std::uint64_t drawRays(Frame& frame);

  const kernel::Kernels& kernels_;
  PreparedVolumes prepared_;
  // Kept from frame to frame, so that none allocates.
  std::vector<kernel::SliceLayer> sliceLayers_;
  std::vector<std::array<std::uint32_t, rampEntries>> ramps_;
  struct ColouredVolume {
    std::weak_ptr<const Volume> volume;
    std::unique_ptr<LabelColours> colours;
  };
  std::vector<ColouredVolume> labelColours_;
  kernel::RayPlan rays_;
  TransferFunction transfer_;
  SegmentTable segments_;
};

const std::uint32_t* CpuRenderer::rampColours(const Layer& layer, std::size_t number) {
  auto& ramp = ramps_[number];
  const ColourMap* map = findColourMap(layer.colourMap);
  if (!map) map = findColourMap("gray");
  const ColourMap* negative = layer.symmetric ? findColourMap("cold") : map;
  for (std::size_t i = 0; i < map->size(); ++i) {
    ramp[i] = packed((*map)[i]);
    ramp[i + map->size()] = packed((*negative)[i]);
  }
  return ramp.data();
}

/// The colours of the image's own table; made once for an image.
void CpuRenderer::addLabelColours(const std::shared_ptr<const Volume>& volume, kernel::SliceLayer& layer) {
  if (!volume->info().labels || volume->info().labels->empty()) return;
  std::erase_if(labelColours_, [](const ColouredVolume& known) { return known.volume.expired(); });
  auto found = std::find_if(labelColours_.begin(), labelColours_.end(),
                            [&](const ColouredVolume& known) { return known.volume.lock() == volume; });
  if (found == labelColours_.end()) {
    labelColours_.push_back({volume, std::make_unique<LabelColours>(*volume->info().labels)});
    found = labelColours_.end() - 1;
  }
  layer.labelKeys = found->colours->keys();
  layer.labelColours = found->colours->colours();
  layer.labelShift = found->colours->shift();
  layer.labelProbes = found->colours->probes();
}

void CpuRenderer::addSliceLayer(const Layer& layer, const std::shared_ptr<const Volume>& shared,
                                const ViewGeometry& geometry) {
  constexpr float noLimit = std::numeric_limits<float>::infinity();
  const Volume& volume = *shared;
  const ImageInfo& info = volume.info();
  kernel::SliceLayer out;
  out.grid = gridOf(volume, std::clamp<std::int64_t>(layer.time, 0, info.timePoints - 1),
                    std::clamp<std::int64_t>(layer.component, 0, info.components - 1));
  copyTo(out.origin, volume.voxelFromWorld().point(geometry.originMm));
  copyTo(out.right, volume.voxelFromWorld().direction(geometry.rightMm));
  copyTo(out.down, volume.voxelFromWorld().direction(geometry.downMm));
  out.nearest = layer.interpolation == Interpolation::nearest;
  out.slope = static_cast<float>(info.slope);
  out.inter = static_cast<float>(info.inter);
  out.thresholdLow = layer.thresholdLow ? static_cast<float>(*layer.thresholdLow) : -noLimit;
  out.thresholdHigh = layer.thresholdHigh ? static_cast<float>(*layer.thresholdHigh) : noLimit;
  out.opacity = static_cast<float>(layer.opacity);
  out.symmetric = layer.symmetric;
  if (isColour(info.type)) {
    out.look = kernel::Look::colour;
  } else if (isLabels(layer)) {
    out.look = kernel::Look::labels;
    out.exactLabels = !isFloat(info.type) && info.slope == 1 && info.inter == 0;
    out.colours = packedLabelPalette().data();
    addLabelColours(shared, out);
  } else {
    const Window window = effectiveWindow(layer, info);
    out.windowLow = static_cast<float>(window.low);
    out.indexPerValue = static_cast<float>(perWidth(255, window));
    out.colours = rampColours(layer, sliceLayers_.size());
  }
  sliceLayers_.push_back(out);
}

std::uint64_t CpuRenderer::drawSlices(Frame& frame) {
  const kernel::SlicePlan plan{frame.width, frame.height, sliceLayers_.data(), static_cast<int>(sliceLayers_.size()),
                               frame.rgba.data()};
  std::atomic<std::uint64_t> samples{0};
  const int tiles = (frame.height + sliceTileRows - 1) / sliceTileRows;
  tbb::parallel_for(0, tiles, [&](int t) {
    const int y0 = t * sliceTileRows;
    const kernel::Tile tile{0, y0, frame.width, std::min(y0 + sliceTileRows, frame.height)};
    samples.fetch_add(kernels_.drawSlices(plan, tile), std::memory_order_relaxed);
  });
  return samples;
}

/// A volume view shows the first visible layer that is not a label map, or a label map if there is nothing else.
bool CpuRenderer::planRays(const RenderRequest& request, const View& view, const ViewGeometry& geometry) {
  const Layer* shown = nullptr;
  for (const bool labels : {false, true}) {
    for (const auto& layer : request.scene->layers) {
      if (!shown && layer.visible && isLabels(layer) == labels && drawableOf(layer, *request.volumes)) shown = &layer;
    }
  }
  if (!shown) return false;
  const std::shared_ptr<const Volume>& volume = *drawableOf(*shown, *request.volumes);
  const ImageInfo& info = volume->info();
  PreparedVolume& prepared =
      prepared_.get(volume, std::clamp<std::int64_t>(shown->time, 0, info.timePoints - 1),
                    std::clamp<std::int64_t>(shown->component, 0, info.components - 1), kernels_);
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
  return true;
}

/// The light stands a little above and to the left of the viewer: shapes read better than with a lamp at the eye.
void CpuRenderer::planShading(const Volume& volume, const ViewGeometry& geometry, double spacing) {
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

std::uint64_t CpuRenderer::drawRays(Frame& frame) {
  rays_.width = frame.width;
  rays_.height = frame.height;
  rays_.rgba = frame.rgba.data();
  std::atomic<std::uint64_t> samples{0};
  const int columns = (frame.width + rayTileEdge - 1) / rayTileEdge;
  const int rows = (frame.height + rayTileEdge - 1) / rayTileEdge;
  tbb::parallel_for(0, columns * rows, [&](int t) {
    const int x0 = t % columns * rayTileEdge;
    const int y0 = t / columns * rayTileEdge;
    const kernel::Tile tile{x0, y0, std::min(x0 + rayTileEdge, frame.width), std::min(y0 + rayTileEdge, frame.height)};
    samples.fetch_add(kernels_.drawRays(rays_, tile), std::memory_order_relaxed);
  });
  return samples;
}

Result<RenderStatistics> CpuRenderer::render(const RenderRequest& request, Frame& frame) {
  if (!request.scene || !request.volumes) return fail(ErrorCode::internal, "a request without a scene or volumes");
  if (!(request.stepScale > 0)) return fail(ErrorCode::invalidInput, "the ray step must be positive", request.view);
  const View* view = findView(*request.scene, request.view);
  if (!view) return fail(ErrorCode::notFound, "the scene has no such view", request.view);
  const auto geometry = viewGeometry(*request.scene, *view, backgroundOf(*request.scene, *request.volumes),
                                     request.width, request.height);
  if (!geometry) return tl::make_unexpected(geometry.error());

  const auto started = Clock::now();
  frame.resize(request.width, request.height);
  frame.geometry = *geometry;
  sliceLayers_.clear();
  bool rays = false;
  if (view->kind == ViewKind::volume) {
    rays = planRays(request, *view, *geometry);
  } else {
    ramps_.resize(std::max(ramps_.size(), request.scene->layers.size()));
    for (const auto& layer : request.scene->layers) {
      const auto* volume = drawableOf(layer, *request.volumes);
      if (volume && layer.visible && layer.opacity > 0) addSliceLayer(layer, *volume, *geometry);
    }
  }
  const auto planned = Clock::now();
  RenderStatistics statistics;
  statistics.samples = rays ? drawRays(frame) : drawSlices(frame);  // no layers: a black picture
  statistics.prepare = std::chrono::duration_cast<std::chrono::microseconds>(planned - started);
  statistics.draw = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - planned);
  return statistics;
}

}  // namespace

Result<std::unique_ptr<Renderer>> makeCpuRenderer(const std::string& instructionSet) {
  const kernel::Kernels* kernels = kernel::findKernels(instructionSet);
  if (!kernels) {
    return fail(ErrorCode::unsupported, "this processor or program has no such instruction set", instructionSet);
  }
  return std::make_unique<CpuRenderer>(*kernels);
}

}  // namespace nora
