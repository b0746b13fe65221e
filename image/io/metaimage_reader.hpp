// Reads MetaImages: .mha, and .mhd with its data files.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Raw, zlib and text; one data file, a list or a pattern of them; 1 to 5 axes. Voxels keep their type.
/// What the header means: metaimage_header.hpp. Errors: invalidInput (empty, cut, damaged, lying); unsupported (no
/// image, element type); notFound (a data file).
/// Source: the MetaIO documentation of ITK; ITK's metaImage.cxx where that leaves it open.
class MetaImageReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
