// What the variables of a MINC file say of its image: axes, place in the world, real values.
#pragma once

#include "base/error.hpp"
#include "image/io/minc_file.hpp"
#include "image/io/strided_voxels.hpp"

#include <string>

namespace nora {

/// Axes:   xspace, yspace, zspace in the order of the file (its fastest first), then time, then vector_dimension; three
///         unsigned bytes a voxel along a fastest vector_dimension are colour.
/// World:  start + step along direction_cosines; MINC's x, y, z are right, anterior, superior already.
/// Values: image-min and image-max over valid_range, as nibabel does: stored values are held within valid_range; one
///         scale for all voxels stays slope and inter, more turn the voxels into float32. Floating point is never
///         scaled, nor are labels.
/// Errors: invalidInput (no image, dimensions that make no sense); unsupported (irregular spacing, other dimensions).
[[nodiscard]] Result<StridedImage> describeMinc(const MincFile& file, const std::string& name);

}  // namespace nora
