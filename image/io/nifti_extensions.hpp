// The header extensions of NIfTI: what AFNI, FreeSurfer, CIFTI and others put between header and voxels.
#pragma once

#include "image/image_info.hpp"
#include "image/io/nifti_header.hpp"

#include <cstddef>
#include <span>

namespace nora {

/// Adds to info.fields one entry an extension: its kind as the name ("extension: AFNI"), code, size and the beginning
/// of its text as the value. `front`: the header file of a pair, or what lies before the voxels. A wrong length ends
/// it, with a warning.
/// Source: nifti1.h, "EXTENDED HEADER"; the registered codes of nifti1_io.h.
void describeExtensions(std::span<const std::byte> front, const NiftiHeader& header, ImageInfo& info);

}  // namespace nora
