#include "render/plan/shown_layers.hpp"

#include <cmath>

namespace nora {

const std::shared_ptr<const Volume>* volumeOf(const Layer& layer, const LayerVolumes& volumes) {
  const auto found = volumes.find(layer.id);
  return found != volumes.end() && found->second ? &found->second : nullptr;
}

const std::shared_ptr<const Volume>* drawableOf(const Layer& layer, const LayerVolumes& volumes) {
  const auto* volume = volumeOf(layer, volumes);
  if (!volume) return nullptr;
  return (*volume)->holds(shownTime(layer, (*volume)->info())) ? volume : nullptr;
}

const ImageInfo* backgroundOf(const Scene& scene, const LayerVolumes& volumes) {
  for (const auto& layer : scene.layers) {
    if (const auto* volume = volumeOf(layer, volumes)) return &(*volume)->info();
  }
  return nullptr;
}

double perWidth(double numerator, const Window& window) {
  const double width = window.high - window.low;
  const double least = std::max(std::abs(window.low), 1.0) * 1e-7;
  return numerator / (std::abs(width) > least ? width : std::copysign(least, width));
}

}  // namespace nora
