#include "streaming/scene_check.hpp"

#include <algorithm>
#include <string>

namespace nora {
namespace {

std::string pointerTo(const Scene& scene, const Layer& layer, const char* key) {
  return "/layers/" + std::to_string(&layer - scene.layers.data()) + "/" + key;
}

bool hasSameWindow(const Layer& layer, const Scene& before) {
  return std::any_of(before.layers.begin(), before.layers.end(), [&](const Layer& old) {
    return old.id == layer.id && old.windowLow == layer.windowLow && old.windowHigh == layer.windowHigh;
  });
}

}  // namespace

Result<void> checkRanges(const Scene& scene) {
  for (const Layer& layer : scene.layers) {
    if (layer.thresholdLow && layer.thresholdHigh && *layer.thresholdLow > *layer.thresholdHigh)
      return fail(ErrorCode::invalidInput, "the lower threshold is above the upper one: nothing would be drawn",
                  pointerTo(scene, layer, "thresholdLow"));
  }
  return {};
}

Result<void> checkRanges(const Scene& scene, const Scene& before) {
  for (const Layer& layer : scene.layers) {
    const bool isEmpty = layer.windowLow && layer.windowLow == layer.windowHigh;
    if (isEmpty && !hasSameWindow(layer, before))
      return fail(ErrorCode::invalidInput, "the window is empty: its low and high ends are the same",
                  pointerTo(scene, layer, "windowHigh"));
  }
  return checkRanges(scene);
}

}  // namespace nora
