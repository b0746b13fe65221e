// Reads PLY meshes: text and binary of both byte orders.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser because VTK's knows few properties and trusts the counts of the header. Polygons and triangle strips
/// become triangles; colours, normals and further numbers of vertices become data. "SPACE=LPS" in a comment
/// (3D Slicer) is honoured; .ply.gz is read. Source: The PLY Polygon File Format, Greg Turk.
/// Errors: invalidInput, limitExceeded.
class PlyReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
