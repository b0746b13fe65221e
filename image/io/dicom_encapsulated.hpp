// Encapsulated pixel data: which fragments of compressed bytes make which frame.
#pragma once

#include "image/io/dicom_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// Source: DICOM PS3.5 A.4, PS3.3 C.7.6.3.1.8 (extended offset table). A basic offset table that is empty or does not
/// fit is done without where fragments tell their frames: one a frame, or each frame starts a JPEG code stream.
class DicomFragments {
 public:
  /// Errors: invalidInput (fewer frames than claimed; nothing tells where frames begin).
  [[nodiscard]] static Result<DicomFragments> of(const DicomLayout& layout, std::size_t frames,
                                                 const std::string& name);

  [[nodiscard]] std::size_t frames() const { return starts_.size() - 1; }
  /// The fragments of one frame, in order; views of the file's bytes.
  [[nodiscard]] std::span<const std::span<const std::byte>> frame(std::size_t number) const {
    return std::span(fragments_).subspan(starts_[number], starts_[number + 1] - starts_[number]);
  }
  /// The same in one piece; `joined` holds it where there are several fragments.
  [[nodiscard]] std::span<const std::byte> joinedFrame(std::size_t number, std::vector<std::byte>& joined) const;

 private:
  std::vector<std::span<const std::byte>> fragments_;
  std::vector<std::size_t> starts_;  // first fragment of each frame, and the end
};

}  // namespace nora
