// Reads CIFTI-2: values for the vertices of several surfaces and for voxels in one NIfTI-2 file.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Own reader over expat and the NIfTI header because the only library (CiftiLib) opens files itself.
/// Rows of the matrix are brain models or parcels, columns are scalars, labels or a series: dscalar, dlabel, dtseries,
/// pscalar, plabel, ptseries. Every surface becomes data with its structure, NaN (labels: 0) where a vertex has no
/// value. Voxels are left out and told, unless the file has nothing else: then it is an image.
/// Errors: unsupported (connectivity matrices, CIFTI-1), invalidInput, limitExceeded. Source: CIFTI-2 specification.
class CiftiReader final : public FileReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

}  // namespace nora
