// The header of Analyze 7.5 (.hdr, 348 bytes), the ancestor of NIfTI-1, with what SPM99 and SPM2 put into it. An own
// parser, because the common readers disagree about what is beside the voxels, and the header is one struct.
#pragma once

#include "base/error.hpp"
#include "image/io/nifti_layout.hpp"
#include "image/io/spm_mat.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

inline constexpr std::size_t analyzeHeaderBytes = 348;

/// True if the bytes begin with a header of Analyze 7.5: its size, 348, stands first, the number of dimensions is
/// possible in the same byte order, and the magic of NIfTI is missing.
[[nodiscard]] bool looksLikeAnalyze(std::span<const std::byte> bytes);

/// Turns a header into a layout.
///
/// Place:  the format cannot tell left from right. Voxels are taken as the documentation of ANALYZE has them, and as
///         nibabel and SPM do: x runs to the left of the patient, y to the front, z up ("radiological", LAS). The
///         orient byte, which says how slices were cut (0 transverse, 1 coronal, 2 sagittal; 3 to 5 the same with y
///         reversed), is obeyed, as FreeSurfer and ITK do (nibabel and SPM ignore it; 0 is by far the most common). A
///         warning says all this. A matrix `mat` of a .mat file of SPM's beside the image says it instead; its `M` does
///         too but for left and right, where SPM99's habit (LAS) is followed with a warning. The point 0 is SPM's
///         origin where the header has one (voxels counted from 1, not further outside than the image is large), else
///         the centre of the image.
/// Scale:  value = funused1 * stored + funused2 where funused1 is finite and not 0: SPM2's rule. SPM2's other one, by
///         glmax and cal_max, is not followed: other programs write display ranges there.
/// Types:  1, 2, 4, 8, 16, 32, 64, 128; SPM's 130 (int8), 132 (uint16), 136 (uint32). Others of NIfTI if bitpix agrees.
/// Errors: invalidInput; unsupported (datatype, a negative vox_offset).
/// Source: ANALYZE 7.5 File Format, Mayo Foundation; spm_vol_ana.m's rules as nibabel documents them.
[[nodiscard]] Result<NiftiLayout> describeAnalyze(std::span<const std::byte> bytes, const std::string& name,
                                                  const SpmPlace* place = nullptr);

}  // namespace nora
