// Reads STL meshes, binary and text.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own parser: the format has no shared vertices, and most readers neither join them nor check sizes. Corners with
/// exactly the same coordinates become one vertex, in the order in which they come first. A binary file that begins
/// with "solid" is told by its size. "SPACE=LPS" in the header (3D Slicer) is honoured; .stl.gz is read.
/// Errors: invalidInput, limitExceeded.
class StlReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
