// The frames of one instance as stored pixels, decompressed one at a time.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_encapsulated.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// One frame: `format` describes it as it is now (decompressed, colour model as the decoder made it; of a JPEG that is
/// smaller than the image, its rows and columns).
struct DicomStoredFrame {
  std::span<const std::byte> bytes;
  std::size_t firstBit = 0;  // where it begins in the first byte; for one bit a pixel
  DicomPixelFormat format;
};

/// Valid while its layout lives. Holds memory for one decompressed frame.
class DicomStoredFrames {
 public:
  /// Errors: invalidInput (cut off), unsupported (kind of pixels).
  [[nodiscard]] static Result<DicomStoredFrames> open(const DicomLayout& layout, DicomPixelFormat format,
                                                      std::size_t frames, std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// The bytes are valid until the next call. Errors: invalidInput, unsupported, limitExceeded.
  [[nodiscard]] Result<DicomStoredFrame> frame(std::size_t number);

 private:
  DicomStoredFrames(const DicomLayout& layout, DicomPixelFormat format, std::string name);
  [[nodiscard]] Result<DicomStoredFrame> encapsulated(std::size_t number);
  [[nodiscard]] Result<void> inflateFrame(std::size_t number, const DicomPixelFormat& format);
  [[nodiscard]] Result<void> decode(std::size_t number, DicomPixelFormat& format);

  const DicomLayout* layout_;
  DicomPixelFormat format_;
  std::string name_;
  std::optional<DicomFragments> fragments_;
  std::vector<std::byte> joined_, decoded_;
};

}  // namespace nora
