// Reads VTK files, legacy (.vtk) and XML (.vtp, .vtu, .vti): surfaces, streamlines, images.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// What is read and how: vtk_legacy.hpp, vtk_xml.hpp, vtk_content.hpp.
class VtkReader final : public FileReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

}  // namespace nora
