// How often the values of an image occur: what the page draws behind a transfer function.
#pragma once

#include "image/volume.hpp"

#include <cstdint>
#include <vector>

namespace nora {

/// Bin i counts the values from low + i * width on, width = (high - low) / counts.size(). Rare values beyond the ends
/// are in the first and the last bin.
struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<std::uint32_t> counts;  // empty: the image has no finite value
};

/// Of at most 2^16 voxels, spread evenly over the first time point that is held, first component; of colour images the
/// luminance. 128 bins (one for images of a single value). Costs about 2 ms. Thread: any.
[[nodiscard]] Histogram histogramOf(const Volume& volume);

}  // namespace nora
