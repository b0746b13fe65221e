// Which slice of a .REC file belongs to which volume, and how the volumes lie in space.
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"
#include "image/io/parrec_header.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace nora {

/// Lines of the header, volume after volume, from the first slice to the last. Volumes are ordered by image type,
/// dynamic, label, b value, gradient, cardiac phase, echo: nibabel's strict_sort.
/// Errors: invalidInput (slices or volumes are missing: the scan was stopped or the file is cut).
[[nodiscard]] Result<std::vector<std::size_t>> sortedSlices(const ParHeader& header, const std::string& name);

/// dims, affine, time, diffusion and the texts, from the header and its sorted slices.
/// Errors: unsupported (stacks of different orientation, sizes that vary, more than 16 bits); invalidInput.
[[nodiscard]] Result<ImageInfo> describePar(const ParHeader& header, const std::vector<std::size_t>& sorted,
                                            const std::string& name);

}  // namespace nora
