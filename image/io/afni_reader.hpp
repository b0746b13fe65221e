// Reads AFNI datasets: a .HEAD file with its .BRIK or .BRIK.gz.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Sub-bricks are time points, with their labels and statistics among the fields. Place: IJK_TO_DICOM_REAL as nibabel
/// has it (with a warning where the dataset is oblique, because AFNI's own viewer shows it straight), else
/// IJK_TO_DICOM, else orientation codes, origin and step. One factor of all sub-bricks stays a slope; different ones
/// turn the voxels into float32. Complex becomes its magnitude.
/// Errors: invalidInput (cut, damaged, lying); notFound (one half of the pair); unsupported (sub-bricks of different
/// types, bzip2); limitExceeded.
class AfniReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
