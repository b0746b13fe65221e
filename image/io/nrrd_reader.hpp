// Reads NRRD images: .nrrd, and .nhdr with its data files.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// NRRD0001 to NRRD0005; raw, gzip, ascii and hex; one data file, a list or a pattern of them, line skip and byte skip.
/// Voxels keep their type; what axes, space and keys mean: nrrd_axes.hpp, nrrd_space.hpp, nrrd_keys.hpp.
/// Errors: invalidInput (empty, cut, damaged, lying); unsupported (blocks, bzip2, ZRL, no image); notFound (a data
/// file). Source: Teem, "Definition of NRRD File Format".
class NrrdReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
