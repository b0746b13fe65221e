#include "render/plan/slice_planner.hpp"

#include "image/label_palette.hpp"
#include "render/plan/grid.hpp"
#include "render/plan/shown_layers.hpp"
#include "render/scene/colour_map.hpp"

#include <algorithm>
#include <limits>

namespace nora {
namespace {

static_assert(kernel::labelHueBits == static_cast<int>(labelHueBits));
static_assert(kernel::labelToneBits == static_cast<int>(labelToneBits));

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

}  // namespace

const std::uint32_t* SlicePlanner::rampColours(const Layer& layer, std::size_t number) {
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
void SlicePlanner::addLabelColours(const std::shared_ptr<const Volume>& volume, kernel::SliceLayer& layer) {
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

void SlicePlanner::addLayer(const Layer& layer, const std::shared_ptr<const Volume>& shared,
                            const ViewGeometry& geometry) {
  constexpr float noLimit = std::numeric_limits<float>::infinity();
  const Volume& volume = *shared;
  const ImageInfo& info = volume.info();
  kernel::SliceLayer out;
  out.grid = gridOf(volume, shownTime(layer, info), shownComponent(layer, info));
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
    out.colours = rampColours(layer, layers_.size());
  }
  layers_.push_back(out);
}

kernel::SlicePlan SlicePlanner::plan(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                                     Frame& frame) {
  static_cast<void>(view);
  layers_.clear();
  ramps_.resize(std::max(ramps_.size(), request.scene->layers.size()));
  for (const auto& layer : request.scene->layers) {
    const auto* volume = drawableOf(layer, *request.volumes);
    if (volume && layer.visible && layer.opacity > 0) addLayer(layer, *volume, geometry);
  }
  return {frame.width, frame.height, layers_.data(), static_cast<int>(layers_.size()), frame.rgba.data()};
}

}  // namespace nora
