// The interface of a format reader. Readers run in a reader process only: their input is hostile until proved otherwise.
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

/// One input file, mapped read-only. `name` is for messages and for sniffing by suffix; it is not opened.
struct InputFile {
  std::string name;
  std::span<const std::byte> bytes;
};

/// Where a reader puts voxels: one shared memory file that becomes the Volume.
class VoxelSink {
 public:
  virtual ~VoxelSink() = default;
  /// Memory of `size` bytes, zeroed, aligned to a page. May be called once. Errors: limitExceeded.
  [[nodiscard]] virtual Result<std::span<std::byte>> allocate(std::size_t size) = 0;
};

/// What is known of a file after looking at its header: one row of the scan.
struct FileSummary {
  std::string kind;    // "image", "dicom" (one instance of a series), "surface", "tracts", "other"
  std::string format;  // "NIfTI-1", "DICOM", ... ; empty if nobody knows it
  nlohmann::json header;  // image: toJson(ImageInfo); dicom: toJson(DicomHeader); else null
};

class ImageReader {
 public:
  virtual ~ImageReader() = default;

  /// True if the file is of this reader's format, by its first bytes (and its name only where bytes cannot tell).
  [[nodiscard]] virtual bool recognises(const InputFile& file) const = 0;

  /// Reads the header only.
  [[nodiscard]] virtual Result<FileSummary> peek(const InputFile& file) const = 0;

  /// Reads the image that `files` hold together (one file; header and data; all slices of one series).
  /// Voxels go into `sink`, in native byte order, at `voxelOffset` (a multiple of 16) with Volume::paddingBytes behind
  /// the last. statistics are left empty: the reader process computes them.
  struct Image {
    ImageInfo info;
    std::size_t voxelOffset = 0;
  };
  [[nodiscard]] virtual Result<Image> read(std::span<const InputFile> files, VoxelSink& sink) const = 0;
};

/// All readers, in the order in which they are asked. The one place to add a format.
[[nodiscard]] const std::vector<std::unique_ptr<const ImageReader>>& imageReaders();

/// The reader for a file, or nullptr.
[[nodiscard]] const ImageReader* readerFor(const InputFile& file);

}  // namespace nora
