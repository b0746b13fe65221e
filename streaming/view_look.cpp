#include "streaming/view_look.hpp"

#include <algorithm>

namespace nora {
namespace {

double alongNormal(const Scene& scene, const View& view, Plane plane) {
  switch (plane) {
    case Plane::sagittal: return scene.crosshairMm[0];
    case Plane::coronal: return scene.crosshairMm[1];
    case Plane::axial: return scene.crosshairMm[2];
    case Plane::oblique: break;
  }
  return dot(scene.crosshairMm, normalised(cross(view.right, view.down)));
}

bool showsSlices(const View& view) {
  return view.kind == ViewKind::slice || !view.slices.empty();
}

/// A hidden layer is seen only where it darkens the directions of another one. The page's size of things comes from the
/// first layer's image, hidden or not: that is in the revision.
bool isSeen(const Scene& scene, const View& view, const Layer& layer) {
  const auto isDarkened = [&](const Layer& other) { return other.modulatedBy == layer.id; };
  return layer.visible || (showsSlices(view) && std::any_of(scene.layers.begin(), scene.layers.end(), isDarkened));
}

void forgetVolumeKeys(Layer& layer) {
  const Layer none;
  layer.inVolume = none.inVolume;
  layer.transfer = none.transfer;
  layer.isoValue = none.isoValue;
  layer.surface.flat = none.surface.flat;
  layer.streamlines.tubeMm = none.streamlines.tubeMm;
  layer.streamlines.slabMm = none.streamlines.slabMm;
  layer.streamlines.slabAxis = none.streamlines.slabAxis;
}

void forgetSliceKeys(Layer& layer) {
  const Layer none;
  layer.outlinePixels = none.outlinePixels;
  layer.vectors = none.vectors;
  layer.modulatedBy = none.modulatedBy;
}

Layer asSeen(const Scene& scene, const View& view, const Layer& layer) {
  Layer out = layer;
  if (!isSeen(scene, view, layer)) {
    out = Layer();
    out.id = layer.id;
    out.source = layer.source;
    out.visible = false;
    return out;
  }
  if (view.kind == ViewKind::slice) {
    forgetVolumeKeys(out);
    return out;
  }
  const Layer none;
  out.surface.edgePixels = none.surface.edgePixels;
  out.streamlines.sliceMm = none.streamlines.sliceMm;
  const bool isSurface = view.mode == VolumeMode::isosurface;
  if (!isSurface) out.isoValue = none.isoValue;
  if (!isSurface && view.mode != VolumeMode::shaded) out.transfer = none.transfer;
  if (!showsSlices(view)) forgetSliceKeys(out);
  return out;
}

}  // namespace

ViewLook lookOf(const Scene& scene, const View& view, std::uint64_t revision, ViewportSize size) {
  ViewLook out{view, scene.convention, {}, {}, scene.markers, revision, size};
  if (view.kind == ViewKind::slice) out.placesMm = {alongNormal(scene, view, view.plane)};
  for (const Plane plane : view.slices) {
    if (view.kind == ViewKind::volume) out.placesMm.push_back(alongNormal(scene, view, plane));
  }
  for (const Layer& layer : scene.layers) {
    const bool slab = view.kind == ViewKind::volume && layer.visible && layer.streamlines.slabMm > 0;
    if (slab) out.placesMm.push_back(scene.crosshairMm[layer.streamlines.slabAxis]);
  }
  for (const Layer& layer : scene.layers) out.layers.push_back(asSeen(scene, view, layer));
  return out;
}

}  // namespace nora
