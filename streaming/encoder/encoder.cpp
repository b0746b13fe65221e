#include "streaming/encoder/encoder.hpp"

#include "base/log.hpp"
#include "streaming/encoder/encoder_parts.hpp"

#include <array>
#include <string>

namespace nora {
namespace {

/// True if the codec works here, seen on a small picture.
bool works(Codec codec) {
  auto encoder = makeEncoder(codec);
  if (!encoder) {
    log::debug("no " + std::string(nameOf(codec)) + " encoder: " + describe(encoder.error()));
    return false;
  }
  Frame frame;
  frame.resize(64, 64);
  std::vector<std::byte> out;
  const auto encoded = (*encoder)->encode(frame, {}, out);
  return encoded && encoded->key && !out.empty();
}

}  // namespace

Result<void> checkFrame(const Frame& frame) {
  if (frame.width < 1 || frame.height < 1) return fail(ErrorCode::invalidInput, "a frame without pixels");
  const auto bytes = std::size_t{4} * static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height);
  if (frame.rgba.size() != bytes)
    return fail(ErrorCode::invalidInput, "a frame whose pixels are not those of its size");
  return {};
}

Result<std::unique_ptr<Encoder>> makeEncoder(Codec codec) {
  switch (codec) {
    case Codec::jpeg: return makeJpegEncoder();
    case Codec::png: return makePngEncoder();
    case Codec::webp: return makeWebpEncoder();
    case Codec::h264:
    case Codec::hevc:
    case Codec::av1: return makeVideoEncoder(codec);
  }
  return fail(ErrorCode::unavailable, "no such codec");
}

const std::vector<Codec>& availableCodecs() {
  static const std::vector<Codec> found = [] {
    std::vector<Codec> out;
    for (const Codec codec : {Codec::jpeg, Codec::png, Codec::webp, Codec::h264, Codec::hevc, Codec::av1}) {
      if (works(codec)) out.push_back(codec);
    }
    return out;
  }();
  return found;
}

}  // namespace nora
