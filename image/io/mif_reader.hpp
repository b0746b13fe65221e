// Reads MRtrix images: .mif, .mif.gz and .mih with its data files.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// All datatypes of MRtrix3, any order and direction of axes. Axes come in the order of the header's `dim` (not
/// realigned to the scanner as mrinfo does on loading; mrinfo -config RealignTransform false shows the same), the first
/// three are space, the fourth time, the fifth components. Bits become uint8, half precision float32, complex its
/// magnitude. Voxel sizes and transforms that are no numbers are replaced as MRtrix does, with a warning.
/// Errors: invalidInput (cut, damaged, lying); unsupported (more than five axes, numbered data files); notFound (a data
/// file); limitExceeded.
class MifReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
