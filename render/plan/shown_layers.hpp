// Which layers of a scene can be drawn now.
#pragma once

#include "render/renderer.hpp"

#include <algorithm>
#include <optional>

namespace nora {

[[nodiscard]] inline bool isLabels(const Layer& layer) {
  return layer.colourMap == "labels";
}

[[nodiscard]] inline std::int64_t shownTime(const Layer& layer, const ImageInfo& info) {
  return std::clamp<std::int64_t>(layer.time, 0, info.timePoints - 1);
}

[[nodiscard]] inline std::int64_t shownComponent(const Layer& layer, const ImageInfo& info) {
  return std::clamp<std::int64_t>(layer.component, 0, info.components - 1);
}

/// nullptr if it is not there.
[[nodiscard]] const std::shared_ptr<const Volume>* volumeOf(const Layer& layer, const LayerVolumes& volumes);

/// The volume of a layer that can be drawn: nullptr too if the time point that it shows is not there yet.
[[nodiscard]] const std::shared_ptr<const Volume>* drawableOf(const Layer& layer, const LayerVolumes& volumes);

/// The surface or streamlines of a layer; nullptr if it has none.
[[nodiscard]] const std::shared_ptr<const Content>* shapeOf(const Layer& layer, const LayerShapes& shapes);

/// What decides how large the picture is: the first image that is there, else all surfaces and streamlines together;
/// empty if there is nothing.
[[nodiscard]] std::optional<Bounds> boundsOf(const Scene& scene, const LayerVolumes& volumes,
                                             const LayerShapes* shapes);

/// Towards the light, which stands a little above and to the left of the viewer: shapes read better than with a lamp at
/// the eye.
[[nodiscard]] Vec3 lampOf(const ViewGeometry& geometry);

/// Divides by a window's width; a window without width becomes a step.
[[nodiscard]] double perWidth(double numerator, const Window& window);

}  // namespace nora
