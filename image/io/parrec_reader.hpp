// Reads Philips PAR/REC pairs: a text header .PAR and its voxels .REC, versions 3, 4, 4.1 and 4.2.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Volumes of all kinds (image types, dynamics, labels, b values, cardiac phases, echoes) follow one another along
/// time, in that order; fields tell what each is. Values are those of the console: stored * RS + RI; where slices have
/// different ones the voxels become float32. A slice lies where the header's index says; where that cannot be, in the
/// order of the lines. Geometry is nibabel's.
/// Errors: invalidInput (cut, incomplete, damaged); notFound (one half of the pair); unsupported (stacks of different
/// orientation or size, older versions); limitExceeded.
class ParrecReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
