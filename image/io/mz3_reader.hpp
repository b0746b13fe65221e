// Reads MZ3: meshes and values of Surf Ice and NiiVue.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser: there is no library. Plain or gzip; faces, vertices, RGBA, scalars in any number of layers, as float32
/// or float64. Source: the MZ3 description of Surf Ice (version 1: attributes up to 16; later ones are refused but for
/// the note of a look-up table, which is skipped). Errors: invalidInput, unsupported, limitExceeded.
class Mz3Reader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
