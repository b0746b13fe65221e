// Reads OFF meshes: OFF, COFF, NOFF, CNOFF as text.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser: small, and VTK has none. Polygons become triangles; colours and normals of vertices are kept, colours
/// of faces left out. Source: the OFF description of Geomview's manual.
/// Errors: invalidInput, unsupported (binary, four or n dimensions), limitExceeded.
class OffReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
