// Where a slab is sampled across its plane, for an image in its own grid.
#pragma once

#include "image/volume.hpp"
#include "render/scene/scene.hpp"
#include "render/scene/view_geometry.hpp"

#include <vector>

namespace nora {

constexpr std::size_t mostSlabSamples = 1024;

/// Fills `out` with distances from the plane in millimetres along the view's `forward`, the nearest first; one at
/// least. Maximum and minimum: where the plane is parallel to a plane of voxels, at every voxel's centre and at the
/// ends of the slab, so that the extremes are those of the interpolated image; else half a voxel apart, so that no
/// voxel that the slab cuts is missed. Mean: the middles of equal parts of at most half a voxel. What lies outside of
/// the image is left out. A slab with more than `mostSlabSamples` is sampled more coarsely.
void placeSlabSamples(const View& view, const ViewGeometry& geometry, const Volume& volume, std::vector<float>& out);

}  // namespace nora
