#include "render/plan/slice_planner.hpp"

#include "render/plan/colour_tables.hpp"
#include "render/plan/grid.hpp"
#include "render/plan/shown_layers.hpp"
#include "render/plan/slab_samples.hpp"
#include "render/plan/vector_layer.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace nora {
namespace {

void copyTo(double* out, const Vec3& v) {
  std::copy(v.begin(), v.end(), out);
}

/// Labels are never mixed: what lies between two of them is a third.
kernel::Filter filterOf(const Layer& layer) {
  if (isLabels(layer)) return kernel::Filter::nearest;
  switch (layer.interpolation) {
    case Interpolation::nearest: return kernel::Filter::nearest;
    case Interpolation::cubic: return kernel::Filter::cubic;
    case Interpolation::linear: break;
  }
  return kernel::Filter::linear;
}

kernel::Slab slabOf(SlabMode mode) {
  switch (mode) {
    case SlabMode::minimum: return kernel::Slab::minimum;
    case SlabMode::mean: return kernel::Slab::mean;
    case SlabMode::maximum: break;
  }
  return kernel::Slab::maximum;
}

/// Label maps have outlines, and masks: what is drawn nearest and holds nothing but whole numbers. A line thinner than
/// a pixel would have gaps.
float outlineOf(const Layer& layer, const ImageInfo& info) {
  if (!(layer.outlinePixels > 0)) return 0;
  const bool whole = info.statistics ? info.statistics->integral : !isFloat(info.type) && info.slope == 1;
  if (!isLabels(layer) && !(layer.interpolation == Interpolation::nearest && whole)) return 0;
  return static_cast<float>(std::clamp(layer.outlinePixels, 1.0, static_cast<double>(kernel::mostOutlinePixels)));
}

}  // namespace

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

/// What every layer has: its grid, its place, its window.
kernel::SliceLayer SlicePlanner::placed(const Layer& layer, const Volume& volume, const ViewGeometry& geometry) const {
  const ImageInfo& info = volume.info();
  kernel::SliceLayer out;
  out.grid = gridOf(volume, shownTime(layer, info), shownComponent(layer, info));
  copyTo(out.origin, volume.voxelFromWorld().point(geometry.originMm));
  copyTo(out.right, volume.voxelFromWorld().direction(geometry.rightMm));
  copyTo(out.down, volume.voxelFromWorld().direction(geometry.downMm));
  copyTo(out.across, volume.voxelFromWorld().direction(geometry.forward));
  out.filter = filterOf(layer);
  out.slope = static_cast<float>(info.slope);
  out.inter = static_cast<float>(info.inter);
  out.symmetric = layer.symmetric;
  if (isColour(info.type)) return out;
  const Window window = effectiveWindow(layer, info);
  out.windowLow = static_cast<float>(window.low);
  out.indexPerValue = static_cast<float>(perWidth(255, window));
  out.gammaExponent = static_cast<float>(1 / layer.gamma);
  return out;
}

void SlicePlanner::addSlab(const Volume& volume, const View& view, const ViewGeometry& geometry,
                           kernel::SliceLayer& layer) {
  if (!(view.slabMm > 0)) return;
  auto& offsets = slabs_[layers_.size()];
  placeSlabSamples(view, geometry, volume, offsets);
  const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
  layer.slabOffsets = offsets.data();
  layer.slabCount = static_cast<int>(offsets.size());
  layer.slabLow = *low;
  layer.slabHigh = *high;
  layer.slab = slabOf(view.slabMode);
}

void SlicePlanner::addLayer(const Layer& layer, const std::shared_ptr<const Volume>& shared, const View& view,
                            const ViewGeometry& geometry) {
  constexpr float noLimit = std::numeric_limits<float>::infinity();
  const ImageInfo& info = shared->info();
  kernel::SliceLayer out = placed(layer, *shared, geometry);
  out.thresholdLow = layer.thresholdLow ? static_cast<float>(*layer.thresholdLow) : -noLimit;
  out.thresholdHigh = layer.thresholdHigh ? static_cast<float>(*layer.thresholdHigh) : noLimit;
  out.opacity = static_cast<float>(layer.opacity);
  out.exactLabels = !isFloat(info.type) && info.slope == 1 && info.inter == 0;
  if (layer.vectors != VectorLook::component && holdsVectors(*shared)) {
    planVectors(*shared, shownTime(layer, info), layer.vectors, geometry, out);
  } else {
    addSlab(*shared, view, geometry, out);
    if (isColour(info.type)) {
      out.look = kernel::Look::colour;
    } else {
      out.outline = outlineOf(layer, info);
      if (isLabels(layer)) {
        out.look = kernel::Look::labels;
        out.colours = packedLabelPalette();
        addLabelColours(shared, out);
      } else {
        auto& ramp = ramps_[layers_.size()];
        fillRamp(layer, ramp);
        out.colours = ramp.data();
      }
    }
  }
  layers_.push_back(out);
  sources_.push_back(&layer);
}

/// Layers that darken directions stand behind those that are drawn; any layer that has its image can, shown or not.
void SlicePlanner::addModulators(const RenderRequest& request, const ViewGeometry& geometry) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::string& wanted = sources_[i]->modulatedBy;
    const bool directed = layers_[i].look == kernel::Look::direction || layers_[i].look == kernel::Look::sticks;
    if (!directed || wanted.empty()) continue;
    for (const Layer& other : request.scene->layers) {
      const auto* volume = other.id == wanted ? drawableOf(other, *request.volumes) : nullptr;
      if (!volume || isColour((*volume)->info().type)) continue;
      layers_[i].modulator = static_cast<int>(layers_.size());
      layers_.push_back(placed(other, **volume, geometry));
    }
  }
}

kernel::SlicePlan SlicePlanner::plan(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                                     Frame& frame) {
  layers_.clear();
  sources_.clear();
  const std::size_t most = request.scene->layers.size();
  ramps_.resize(std::max(ramps_.size(), most));
  slabs_.resize(std::max(slabs_.size(), most));
  for (const auto& layer : request.scene->layers) {
    const auto* volume = drawableOf(layer, *request.volumes);
    if (volume && layer.visible && layer.opacity > 0) addLayer(layer, *volume, view, geometry);
  }
  const auto drawn = static_cast<int>(layers_.size());
  addModulators(request, geometry);
  return {frame.width, frame.height,      layers_.data(),
          drawn,       frame.rgba.data(), static_cast<int>(layers_.size()) - drawn};
}

}  // namespace nora
