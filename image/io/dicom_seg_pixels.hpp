// The frames of a segmentation: packed bits, bytes or words, as they are stored or compressed.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"
#include "image/io/dicom_seg_components.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// Reads frames of one layout, which must outlive it.
class SegPixels {
 public:
  /// Errors: invalidInput (no pixels, cut off), unsupported (bits, compression).
  [[nodiscard]] static Result<SegPixels> open(const DicomLayout& layout, const std::string& name);

  [[nodiscard]] const DicomPixelFormat& format() const { return format_; }
  [[nodiscard]] std::size_t frames() const { return frames_; }

  /// Adds the pixels of a frame that are not 0 to `words` (of SegmentMask).
  [[nodiscard]] Result<void> addBits(std::size_t frame, SegmentMask::Words& words) const;
  /// Values of a frame of 8 or 16 bits; `target` holds exactly one frame. Of 1 bit: 0 or 1 as bytes.
  [[nodiscard]] Result<void> read(std::size_t frame, std::span<std::byte> target) const;

 private:
  [[nodiscard]] Result<void> check();
  [[nodiscard]] Result<std::span<const std::byte>> stored(std::size_t frame) const;
  [[nodiscard]] std::uint64_t bitsFrom(std::size_t bit) const;

  const DicomLayout* layout_ = nullptr;
  std::string name_;
  DicomPixelFormat format_;
  std::size_t frames_ = 1;
  std::span<const std::byte> bytes_;  // of the value of the pixel data
};

}  // namespace nora
