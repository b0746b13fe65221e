// What the pixels of a view depend on: diffing two looks decides whether a picture has to be made anew. The page has
// the same rules (client/src/looks.ts).
#pragma once

#include "render/scene/scene.hpp"
#include "streaming/protocol/messages.hpp"

#include <cstdint>
#include <vector>

namespace nora {

/// Two equal looks are the same picture.
struct ViewLook {
  View view;
  Convention convention = Convention::radiological;
  std::vector<double> placesMm;  // of the planes through the crosshair that it shows, along their normals
  std::vector<Layer> layers;     // what it does not show of them is as in Layer{}
  std::vector<Marker> markers;
  std::uint64_t revision = 0;  // counts changes of the images
  ViewportSize size;

  friend bool operator==(const ViewLook&, const ViewLook&) = default;
};

[[nodiscard]] ViewLook lookOf(const Scene& scene, const View& view, std::uint64_t revision, ViewportSize size);

}  // namespace nora
