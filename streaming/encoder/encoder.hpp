// Encoders: a frame becomes the bytes that travel behind its header.
#pragma once

#include "base/error.hpp"
#include "render/renderer.hpp"
#include "streaming/protocol/frame_header.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace nora {

struct EncodeSettings {
  int quality = 80;                // 1..100: JPEG's; video's: 100 is a constant rate factor of 18, 80 of 23, 1 of 43
  bool fullChroma = false;         // JPEG: 4:4:4 instead of 4:2:0
  std::int64_t bytesPerFrame = 0;  // video: no picture is to be much larger; 0: no limit
  bool key = false;                // video: can be decoded by itself, whatever came before

  friend bool operator==(const EncodeSettings&, const EncodeSettings&) = default;
};

struct EncodedPicture {
  bool key = true;  // can be decoded by itself
};

/// Thread: one call at a time per Encoder.
class Encoder {
 public:
  virtual ~Encoder() = default;
  [[nodiscard]] virtual Codec codec() const = 0;
  /// Appends the encoded picture to `out`. A video encoder is one stream: its pictures build on those before, and one
  /// of another size begins anew. Errors: invalidInput (a frame without pixels, settings out of range), internal.
  [[nodiscard]] virtual Result<EncodedPicture> encode(const Frame& frame, const EncodeSettings& settings,
                                                      std::vector<std::byte>& out) = 0;
};

/// JPEG: baseline. PNG: 8-bit RGB without alpha, tuned for speed. WebP: lossless. Video: see VideoEncoder.
/// Errors: unavailable (with the reason).
[[nodiscard]] Result<std::unique_ptr<Encoder>> makeEncoder(Codec codec);

/// What makeEncoder can make here: found once, by encoding a small picture with each. Thread: any.
[[nodiscard]] const std::vector<Codec>& availableCodecs();

/// The same bytes that a session sends as its still; for the command line.
[[nodiscard]] Result<std::vector<std::byte>> encodePng(const Frame& frame);

/// FNV-1a, 64 bits: the hash in the frame header with which a page checks a lossless still. One byte after the other by
/// its definition: 4 ms for 1280 x 720 x 4 bytes.
[[nodiscard]] std::uint64_t fnv1a64(std::span<const std::uint8_t> bytes);

}  // namespace nora
