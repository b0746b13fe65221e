// Statistics of an image's voxels: what `nora info` prints and what automatic windows and the 3D threshold start from.
#pragma once

#include "image/image_info.hpp"

#include <cstddef>
#include <span>

namespace nora {

/// Statistics of all voxels of `info`; `voxels` begins at the first one, aligned to its type. Bytes beyond the last are
/// ignored; if there are fewer than `info` says, those that are there count.
///
/// min, max, mean: exact sums for integers; blocks of doubles for floats (relative error below 1e-12).
/// percentiles, backgroundLevel: from up to 2^18 voxels spread evenly over the first time point of the first component
///   (all of them in an image up to 64 x 64 x 64). If at least 10 % of those have exactly the value that most corners
///   of the volume have (the zeros around a brain or a statistical map), the percentiles are of the others only.
/// distinct: of the first time point of the first component.
/// Cost: 16.8 million int16 take about 15 ms on one core.
[[nodiscard]] VoxelStatistics computeStatistics(const ImageInfo& info, std::span<const std::byte> voxels);

}  // namespace nora
