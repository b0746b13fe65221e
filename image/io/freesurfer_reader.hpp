// Reads FreeSurfer's surfaces, curv, annot, label and paint files, plain or as .gz.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parsers because no library reads them all; formats: freesurfer_format.hpp. Volumes with a row of vertices
/// (lh.thickness.mgh) are images. Source: FreeSurfer's wiki (FileFormats) and nibabel's freesurfer.io.
/// Errors: invalidInput, unsupported, limitExceeded.
class FreeSurferReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
