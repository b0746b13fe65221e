#include "streaming/protocol/frame_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace nora {
namespace {

constexpr std::array<char, 4> magic{'N', 'O', 'R', 'F'};
constexpr std::array<char, 4> partMagic{'N', 'O', 'R', 'P'};
constexpr std::uint16_t headerVersion = 2;
constexpr std::size_t frameOffset = 8;
constexpr std::size_t waitOffset = 140;
constexpr std::size_t partOffset = 12;
constexpr std::size_t maxViewName = 65535;
constexpr std::uint8_t keyFlag = 1;

constexpr std::array<std::pair<Codec, std::string_view>, 6> codecNames{{{Codec::jpeg, "jpeg"},
                                                                        {Codec::png, "png"},
                                                                        {Codec::webp, "webp"},
                                                                        {Codec::h264, "h264"},
                                                                        {Codec::hevc, "hevc"},
                                                                        {Codec::av1, "av1"}}};

/// Writes little-endian numbers one behind the other.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}

  template <class T>
  void put(T value) {
    if constexpr (std::is_same_v<T, double>) {
      put(std::bit_cast<std::uint64_t>(value));
    } else {
      for (std::size_t i = 0; i < sizeof(T); ++i) *at_++ = static_cast<std::byte>(value >> (8 * i));
    }
  }
  void put(const Vec3& v) {
    for (const double x : v) put(x);
  }

 private:
  std::byte* at_;
};

class Reader {
 public:
  explicit Reader(const std::byte* at) : at_(at) {}

  template <class T>
  T get() {
    if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<double>(get<std::uint64_t>());
    } else {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < sizeof(T); ++i)
        value |= std::uint64_t{std::to_integer<std::uint8_t>(*at_++)} << (8 * i);
      return static_cast<T>(value);
    }
  }
  Vec3 vec3() {
    Vec3 v{};
    for (double& x : v) x = get<double>();
    return v;
  }

 private:
  const std::byte* at_;
};

}  // namespace

std::string_view nameOf(Codec codec) {
  const auto at = std::find_if(codecNames.begin(), codecNames.end(), [&](const auto& n) { return n.first == codec; });
  return at == codecNames.end() ? "" : at->second;
}

std::optional<Codec> codecNamed(std::string_view name) {
  const auto at = std::find_if(codecNames.begin(), codecNames.end(), [&](const auto& n) { return n.second == name; });
  return at == codecNames.end() ? std::nullopt : std::optional(at->first);
}

void appendFrameHeader(const FrameHeader& header, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  const std::size_t nameLength = std::min(header.view.size(), maxViewName);
  out.resize(start + FrameHeader::sizeBytes + nameLength);
  std::byte* const base = out.data() + start;
  std::memcpy(base, magic.data(), magic.size());
  Writer w(base + magic.size());
  w.put(headerVersion);
  w.put(static_cast<std::uint16_t>(FrameHeader::sizeBytes));
  w.put(header.frame);
  w.put(static_cast<std::uint8_t>(header.codec));
  w.put(static_cast<std::uint8_t>(header.quality));
  w.put(header.width);
  w.put(header.height);
  w.put(header.viewportWidth);
  w.put(header.viewportHeight);
  w.put(static_cast<std::uint16_t>(nameLength));
  w.put(header.input);
  w.put(header.geometry.originMm);
  w.put(header.geometry.rightMm);
  w.put(header.geometry.downMm);
  w.put(header.geometry.forward);
  w.put(header.queueUs);
  w.put(header.renderUs);
  w.put(header.encodeUs);
  w.put(header.waitUs);
  w.put(header.hash);
  w.put(header.revision);
  w.put(header.readBackUs);
  w.put(header.ahead);
  w.put(static_cast<std::uint8_t>(header.key ? keyFlag : 0));
  w.put(header.encoderQuality);
  w.put(std::uint16_t{0});
  w.put(header.bandwidthKbit);
  w.put(header.roundTripUs);
  w.put(std::uint32_t{0});
  w.put(std::uint64_t{0});
  if (nameLength > 0) std::memcpy(base + FrameHeader::sizeBytes, header.view.data(), nameLength);
}

Result<FrameHeader> parseFrameHeader(std::span<const std::byte> message, std::span<const std::byte>& payload) {
  if (message.size() < FrameHeader::sizeBytes)
    return fail(ErrorCode::invalidInput, "a frame is shorter than its header");
  if (std::memcmp(message.data(), magic.data(), magic.size()) != 0) {
    return fail(ErrorCode::invalidInput, "not a frame: it does not begin with NORF");
  }
  Reader r(message.data() + magic.size());
  if (r.get<std::uint16_t>() != headerVersion) return fail(ErrorCode::invalidInput, "another protocol version than 2");
  const std::size_t headerLength = r.get<std::uint16_t>();
  if (headerLength < FrameHeader::sizeBytes) return fail(ErrorCode::invalidInput, "the frame's header is too short");
  FrameHeader header;
  header.frame = r.get<std::uint32_t>();
  const auto codec = r.get<std::uint8_t>();
  const auto quality = r.get<std::uint8_t>();
  if (codec < 1 || codec > 6) return fail(ErrorCode::invalidInput, "unknown codec " + std::to_string(codec));
  if (quality > 2) return fail(ErrorCode::invalidInput, "unknown quality " + std::to_string(quality));
  header.codec = static_cast<Codec>(codec);
  header.quality = static_cast<FrameQuality>(quality);
  header.width = r.get<std::uint16_t>();
  header.height = r.get<std::uint16_t>();
  header.viewportWidth = r.get<std::uint16_t>();
  header.viewportHeight = r.get<std::uint16_t>();
  const std::size_t nameLength = r.get<std::uint16_t>();
  header.input = r.get<std::uint64_t>();
  header.geometry.originMm = r.vec3();
  header.geometry.rightMm = r.vec3();
  header.geometry.downMm = r.vec3();
  header.geometry.forward = r.vec3();
  header.queueUs = r.get<std::uint32_t>();
  header.renderUs = r.get<std::uint32_t>();
  header.encodeUs = r.get<std::uint32_t>();
  header.waitUs = r.get<std::uint32_t>();
  header.hash = r.get<std::uint64_t>();
  header.revision = r.get<std::uint64_t>();
  header.readBackUs = r.get<std::uint32_t>();
  header.ahead = r.get<std::uint32_t>();
  header.key = (r.get<std::uint8_t>() & keyFlag) != 0;
  header.encoderQuality = r.get<std::uint8_t>();
  (void)r.get<std::uint16_t>();
  header.bandwidthKbit = r.get<std::uint32_t>();
  header.roundTripUs = r.get<std::uint32_t>();
  if (headerLength + nameLength > message.size()) return fail(ErrorCode::invalidInput, "the view's name is cut off");
  header.view.assign(reinterpret_cast<const char*>(message.data()) + headerLength, nameLength);
  payload = message.subspan(headerLength + nameLength);
  return header;
}

void writePartHeader(const FramePart& part, std::span<std::byte, FramePart::headerBytes> out) {
  std::memcpy(out.data(), partMagic.data(), partMagic.size());
  Writer w(out.data() + partMagic.size());
  w.put(headerVersion);
  w.put(static_cast<std::uint16_t>(FramePart::headerBytes));
  w.put(part.frame);
  w.put(part.offset);
  w.put(part.total);
  w.put(std::uint32_t{0});
}

std::uint32_t frameNumber(std::span<const std::byte> message) {
  return message.size() < FrameHeader::sizeBytes ? 0 : Reader(message.data() + frameOffset).get<std::uint32_t>();
}

std::optional<double> waitUsOf(std::span<const std::byte> message) {
  const bool isPart = message.size() >= FramePart::headerBytes &&
                      std::memcmp(message.data(), partMagic.data(), partMagic.size()) == 0;
  if (isPart && Reader(message.data() + partOffset).get<std::uint32_t>() != 0) return std::nullopt;
  const auto frame = isPart ? message.subspan(FramePart::headerBytes) : message;
  if (frame.size() < FrameHeader::sizeBytes) return std::nullopt;
  return Reader(frame.data() + waitOffset).get<std::uint32_t>();
}

void setWaitUs(std::span<std::byte> message, std::uint32_t waitUs) {
  if (message.size() < FrameHeader::sizeBytes) return;
  Writer(message.data() + waitOffset).put(waitUs);
}

}  // namespace nora
