// The binary header before every picture on the wire; docs/PROTOCOL.md is its contract.
#pragma once

#include "base/error.hpp"
#include "render/scene/view_geometry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

enum class Codec : std::uint8_t { jpeg = 1, png = 2, webp = 3, h264 = 4, hevc = 5, av1 = 6 };

/// "jpeg", ...; of WebP only its lossless kind is sent.
[[nodiscard]] std::string_view nameOf(Codec codec);
[[nodiscard]] std::optional<Codec> codecNamed(std::string_view name);
[[nodiscard]] constexpr bool isLossless(Codec codec) {
  return codec == Codec::png || codec == Codec::webp;
}
/// True if its pictures build on those before.
[[nodiscard]] constexpr bool isVideo(Codec codec) {
  return codec >= Codec::h264;
}

enum class FrameQuality : std::uint8_t { moving = 0, sharp = 1, lossless = 2 };

struct FrameHeader {
  static constexpr std::size_t sizeBytes = 192;

  std::uint32_t frame = 0;
  Codec codec = Codec::jpeg;
  FrameQuality quality = FrameQuality::moving;
  std::uint16_t width = 0, height = 0;                  // encoded picture
  std::uint16_t viewportWidth = 0, viewportHeight = 0;  // what it fills
  std::uint64_t input = 0;
  ViewGeometry geometry;  // in viewport pixels
  std::uint32_t queueUs = 0, renderUs = 0, encodeUs = 0, waitUs = 0;
  std::uint64_t hash = 0;
  std::uint64_t revision = 0;  // counts changes of the layers and their images; which of them this picture shows
  std::uint32_t readBackUs = 0;
  std::uint32_t ahead = 0;          // id of what the client asked for ahead; 0: shows the scene as it is
  bool key = true;                  // can be decoded by itself
  std::uint8_t encoderQuality = 0;  // 1..100; of lossless ones 100
  std::uint32_t bandwidthKbit = 0;  // to this client, a second; 0: not known
  std::uint32_t roundTripUs = 0;    // 0: not known
  std::string view;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// Appends header and view name to `out`.
void appendFrameHeader(const FrameHeader& header, std::vector<std::byte>& out);

/// Reads a header; `payload` becomes the rest of the message. Errors: invalidInput.
[[nodiscard]] Result<FrameHeader> parseFrameHeader(std::span<const std::byte> message,
                                                   std::span<const std::byte>& payload);

/// A piece of a large frame message: a header and bytes. `total`: of the whole message.
struct FramePart {
  static constexpr std::size_t headerBytes = 24;

  std::uint32_t frame = 0;
  std::uint32_t offset = 0;
  std::uint32_t total = 0;
};
void writePartHeader(const FramePart& part, std::span<std::byte, FramePart::headerBytes> out);
/// The frame number in a frame message that this process made.
[[nodiscard]] std::uint32_t frameNumber(std::span<const std::byte> message);

/// The wait time of a frame message; nothing of a part of one, unless it is the first.
[[nodiscard]] std::optional<double> waitUsOf(std::span<const std::byte> message);

/// Overwrites the wait time in an encoded message, when it is handed to the socket.
void setWaitUs(std::span<std::byte> message, std::uint32_t waitUs);

}  // namespace nora
