// The header of FreeSurfer's MGH volumes as plain values, where the image lies, and what follows its voxels.
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"
#include "image/io/strided_voxels.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nora {

inline constexpr std::size_t mghHeaderBytes = 284;

/// Everything of the header: sizes, type, place.
///
/// Place:  scanner RAS from the direction cosines and the centre, as FreeSurfer's vox2ras. Without a good RAS flag its
///         default: coronal slices, 1 mm, the centre at 0, and a warning.
/// tkRAS:  the field "tkr vox2ras" (12 numbers, row by row) maps voxels to the space of FreeSurfer's surfaces, and
///         "c_ras" is the shift from there to scanner RAS where the volume is conformed.
/// Frames: time points. Errors: invalidInput (too short, senseless); unsupported (type).
/// Source: FreeSurfer's mghRead (utils/mriio.cpp).
[[nodiscard]] Result<StridedImage> describeMgh(std::span<const std::byte> header, const std::string& name);

/// What follows the voxels: repetition time, flip angle, echo time; tags; a colour table. Damaged tags are left out.
void applyMghFooter(std::span<const std::byte> footer, ImageInfo& info);

}  // namespace nora
