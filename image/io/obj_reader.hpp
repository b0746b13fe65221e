// Reads the meshes of Wavefront OBJ files.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser: VTK's splits vertices and knows no colours. All objects and groups are one mesh; polygons become
/// triangles; lines, curves, materials and texture coordinates are left out. Colours behind the coordinates (MeshLab)
/// and normals that go with the vertices one to one are kept. "SPACE=LPS" in a comment (3D Slicer) is honoured.
/// Source: Wavefront's Advanced Visualizer manual, appendix B1. Errors: invalidInput, limitExceeded.
class ObjReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
