// The binary header before every picture on the wire; docs/PROTOCOL.md is its contract.
#pragma once

#include "base/error.hpp"
#include "render/scene/view_geometry.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nora {

enum class Codec : std::uint8_t { jpeg = 1, png = 2 };
enum class FrameQuality : std::uint8_t { moving = 0, sharp = 1, lossless = 2 };

struct FrameHeader {
  static constexpr std::size_t sizeBytes = 160;

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
  std::string view;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// Appends header and view name to `out`.
void appendFrameHeader(const FrameHeader& header, std::vector<std::byte>& out);

/// Reads a header; `payload` becomes the rest of the message. Errors: invalidInput.
[[nodiscard]] Result<FrameHeader> parseFrameHeader(std::span<const std::byte> message,
                                                   std::span<const std::byte>& payload);

/// Overwrites the wait time in an encoded message, when it is handed to the socket.
void setWaitUs(std::span<std::byte> message, std::uint32_t waitUs);

}  // namespace nora
