// Fields of unit vectors that were stored as three volumes without saying so: FSL's V1, dyads1.
#pragma once

#include "image/image_info.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// True if the header and the name allow three time points to be the components of a vector: three volumes of floating
/// point, and a file named V1, V2, V3 (or dyads1, evec1, ...) or with such a name between or behind '_', '-' or '.'.
/// "_v1" also means "version 1": the voxels have to agree.
[[nodiscard]] bool mayBeUnitVectors(const ImageInfo& info, const std::string& name);

/// True if the three volumes in `voxels` hold vectors: in a sample of voxels every length is 0 or within 2 % of 1, and
/// at least 16 of them are not 0. Images of anything else fail on their first voxels.
[[nodiscard]] bool areUnitVectors(const ImageInfo& info, std::span<const std::byte> voxels);

/// Turns three time points into three components; the order of voxels in memory is the same.
void takeAsVectors(ImageInfo& info);

}  // namespace nora
