// Reads GIFTI surfaces and values for their vertices: .gii, .gii.gz, with external data files.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own reader over expat because libgiftiio opens files itself and trusts the sizes they claim.
/// All encodings, byte orders, index orders and NIfTI types. Points become float32 in RAS mm (gifti_space.hpp says
/// how), triangles uint32, labels int32, colours uint8; other values keep their type. Sparse values (NODE_INDEX) are
/// spread over all vertices. Source: GIFTI Surface Data Format 1.0.
/// Errors: invalidInput, unsupported, notFound (an external file), limitExceeded.
class GiftiReader final : public SurfaceReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadSurface> read(std::span<const InputFile> files, const ReadOptions& options,
                                         MemorySink& sink) const override;
};

}  // namespace nora
