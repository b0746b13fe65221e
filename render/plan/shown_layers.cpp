#include "render/plan/shown_layers.hpp"

#include "render/scene/shape_layer.hpp"

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

const std::shared_ptr<const Content>* shapeOf(const Layer& layer, const LayerShapes& shapes) {
  const auto found = shapes.find(layer.id);
  return found != shapes.end() && found->second ? &found->second : nullptr;
}

std::optional<Bounds> boundsOf(const Scene& scene, const LayerVolumes& volumes, const LayerShapes* shapes) {
  for (const auto& layer : scene.layers) {
    if (const auto* volume = volumeOf(layer, volumes)) return worldBounds((*volume)->info());
  }
  std::optional<Bounds> all;
  for (const auto& layer : scene.layers) {
    const auto* shape = shapes ? shapeOf(layer, *shapes) : nullptr;
    const auto own = shape ? worldBounds(**shape) : std::nullopt;
    if (!own) continue;
    if (!all) all = own;
    for (std::size_t a = 0; a < 3; ++a) {
      all->low[a] = std::min(all->low[a], own->low[a]);
      all->high[a] = std::max(all->high[a], own->high[a]);
    }
  }
  return all;
}

Vec3 lampOf(const ViewGeometry& geometry) {
  constexpr double lampUp = 0.35;
  constexpr double lampLeft = 0.25;
  return normalised(geometry.forward * -1 + normalised(geometry.downMm) * -lampUp +
                    normalised(geometry.rightMm) * -lampLeft);
}

double perWidth(double numerator, const Window& window) {
  const double width = window.high - window.low;
  const double least = std::max(std::abs(window.low), 1.0) * 1e-7;
  return numerator / (std::abs(width) > least ? width : std::copysign(least, width));
}

}  // namespace nora
