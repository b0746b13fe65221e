// Reads FreeSurfer volumes: .mgh, .mgz.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Types uchar, short, ushort, int, float; always big-endian. Segmentations (a colour table in the file, or whole
/// numbers under a name of FreeSurfer's: aseg, aparc, wmparc, ribbon, ...) get the intent "label".
/// What the header means: mgh_header.hpp. Own reader: the format is 284 bytes, no library of its own is packaged.
class MghReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
