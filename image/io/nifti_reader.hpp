// Reads NIfTI images: .nii, .nii.gz and .hdr/.img pairs, version 1 and 2.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// All datatypes of nifti1.h, both byte orders. Voxels keep their type, but: complex becomes its magnitude, long double
/// becomes float64, one bit a voxel becomes uint8. What dims, transforms and scale mean: nifti_layout.hpp and
/// nifti_space.hpp. Three volumes of unit vectors become one of three components even where the intent does not say so:
/// nifti_vectors.hpp. Claims of the header are held against the bytes there are before memory is asked for.
/// Errors: invalidInput (empty, cut, damaged, lying); unsupported (CIFTI, unknown datatype);
/// limitExceeded.
class NiftiReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  /// `files`: a single file, or header and data of a pair in any order.
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
