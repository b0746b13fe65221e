// What a NIfTI header says of its image, checked: the ImageInfo, and where how many bytes of voxels lie.
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"
#include "image/io/nifti_header.hpp"
#include "image/io/nifti_voxels.hpp"

#include <cstdint>
#include <string>

namespace nora {

struct NiftiLayout {
  ImageInfo info;
  NiftiCoding coding;
  NiftiScale scale;  // as the header has it; info.slope is 1 where converting applied it
  bool swapped = false;
  std::uint64_t voxels = 0;
  std::uint64_t diskBytes = 0;  // of all voxels in the file, uncompressed
  std::uint64_t offset = 0;     // of the first voxel
  bool rearranged = false;      // the reader moves voxels about once they are in memory
};

/// Turns a header into a layout.
///
/// dims:   1 to 3 are space; 4 is time; 5 is components, into which 6 and 7 are folded. A 4D image whose intent is
///         (displacement, RGB, RGBA) vector and whose dim 4 is 2 to 4 has components there and no time: FSL's V1.
///         The same holds for a symmetric matrix with 6 in dim 4. A dimension of 0 behind the first counts as 1.
/// intent: "vector" and "tensor" stand for all codes of their kind; the exact one is in the field "intent".
/// scale:  slope 0 or not finite means no scaling; colour is never scaled.
/// `preferQform`: the qform goes before the sform.
/// Errors: unsupported (CIFTI, unknown datatype); invalidInput (dims, transforms, offset).
[[nodiscard]] Result<NiftiLayout> describeNifti(const NiftiHeader& header, const std::string& name,
                                                bool preferQform = false);

}  // namespace nora
