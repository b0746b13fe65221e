// Reads Analyze 7.5 images: .hdr and .img, either of them compressed, SPM99's and SPM2's too.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Orientation, scale and types: analyze_header.hpp. Colour (datatype 128) is stored a plane a slice and channel by
/// ANALYZE and interleaved by others: whichever makes rows next to each other more alike is taken, planes in doubt; a
/// warning says which. A .mat file of
/// SPM's beside the image (NAME.mat) says where it lies; one that cannot be used is a warning.
/// Errors: invalidInput (cut, lying), unsupported (datatype), notFound (the .img), limitExceeded.
class AnalyzeReader final : public ImageReader {
 public:
  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peekTogether(std::span<const InputFile> files) const override;
  /// `files`: header, data and .mat in any order.
  [[nodiscard]] Result<Image> read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const override;
};

}  // namespace nora
