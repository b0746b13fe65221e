// The frames of a segmentation: packed bits, bytes or words, as they are stored or compressed.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_seg_components.hpp"
#include "image/io/dicom_stored.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// Reads frames of one layout, which must outlive it.
class SegPixels {
 public:
  /// Errors: invalidInput (no pixels, cut off), unsupported (bits, compression).
  [[nodiscard]] static Result<SegPixels> open(const DicomLayout& layout, const std::string& name);

  /// Of the stored values; a palette is not applied.
  [[nodiscard]] const DicomPixelFormat& format() const { return format_; }
  [[nodiscard]] std::size_t frames() const { return frames_; }

  /// Adds the pixels of a frame that are not 0 to `words` (of SegmentMask).
  [[nodiscard]] Result<void> addBits(std::size_t frame, SegmentMask::Words& words);
  /// Values of a frame of 8 or 16 bits; of 1 bit: 0 or 1 as bytes. `target` holds exactly one frame.
  [[nodiscard]] Result<void> read(std::size_t frame, std::span<std::byte> target);

 private:
  SegPixels(DicomPixelFormat format, std::size_t frames, DicomStoredFrames stored, std::string name);

  DicomPixelFormat format_;
  std::size_t frames_;
  DicomStoredFrames stored_;
  std::string name_;
};

}  // namespace nora
