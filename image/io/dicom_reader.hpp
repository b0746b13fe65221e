// Reads DICOM: one instance at a time when a folder is scanned, one stack of a series as a volume. Runs in a reader
// process.
#pragma once

#include "image/io/file_reader.hpp"

namespace nora {

/// Shape:  dims are columns, rows, slices; z ascends along the normal (row x column), so the affine has a positive
///         determinant. Missing slices are there, filled with the smallest stored value.
/// Units:  CT in HU (slope and intercept); float32 with the scale applied where it differs from slice to slice.
/// Errors: unsupported (names the transfer syntax, the kind of object or of pixels); invalidInput (names the file);
///         limitExceeded.
/// Source: DICOM PS3.3 C.7.6, C.11; PS3.5; PS3.10.
class DicomReader final : public FileReader {
 public:
  /// Opens every file that DCMTK will need. To be called before the process loses the right to open files.
  static void prepare();

  [[nodiscard]] bool recognises(const InputFile& file) const override;
  /// A DICOMDIR is of the kind "other", a PDF in DICOM is a "document". Never touches the pixel data.
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  /// `files` hold one stack of groupDicom, in any order.
  [[nodiscard]] Result<ReadImage> read(std::span<const InputFile> files, const ReadOptions& options,
                                       MemorySink& sink) const;
  /// The same; a PDF as it is.
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

}  // namespace nora
