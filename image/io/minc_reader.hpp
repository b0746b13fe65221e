// Reads MINC images: version 1 (netCDF, also .mnc.gz) and version 2 (HDF5).
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// What axes, world and values mean: minc_layout.hpp.
/// Errors: invalidInput (cut, damaged, lying); unsupported (complex voxels, irregular spacing, version 2 inside gzip);
/// limitExceeded.
class MincReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
