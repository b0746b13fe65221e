#include "image/io/dicom_rle.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace nora {
namespace {

constexpr std::size_t headBytes = 64;
constexpr std::size_t maxSegments = 15;

/// PackBits; writes every `step`th byte of `target`. False if the segment ends before `count` bytes are there.
bool unpack(std::span<const std::byte> segment, std::byte* target, std::size_t step, std::size_t count) {
  std::size_t at = 0, done = 0;
  while (done < count) {
    if (at >= segment.size()) return false;
    const auto control = std::to_integer<int>(segment[at++]);
    if (control == 128) continue;
    if (control < 128) {
      const std::size_t run = std::min<std::size_t>(static_cast<std::size_t>(control) + 1, count - done);
      if (run > segment.size() - at) return false;
      for (std::size_t i = 0; i < run; ++i) target[(done + i) * step] = segment[at + i];
      at += static_cast<std::size_t>(control) + 1;
      done += run;
    } else {
      if (at >= segment.size()) return false;
      const std::size_t run = std::min<std::size_t>(static_cast<std::size_t>(257 - control), count - done);
      for (std::size_t i = 0; i < run; ++i) target[(done + i) * step] = segment[at];
      ++at;
      done += run;
    }
  }
  return true;
}

}  // namespace

Result<void> decodeRle(std::span<const std::byte> frame, std::size_t samples, std::size_t bytesPerSample,
                       std::span<std::byte> target, const std::string& name) {
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorCode::invalidInput, "the RLE pixel data is damaged: " + what, name);
  };
  if (frame.size() < headBytes) return damaged("no head");
  ByteReader head(frame.first(headBytes));
  const std::size_t segments = head.number<std::uint32_t>();
  if (segments != samples * bytesPerSample || segments > maxSegments) {
    return damaged(std::to_string(segments) + " segments where " + std::to_string(samples * bytesPerSample) +
                   " are needed");
  }
  std::array<std::size_t, maxSegments + 1> offsets{};
  for (std::size_t i = 0; i < segments; ++i) offsets[i] = head.number<std::uint32_t>();
  const std::size_t step = samples * bytesPerSample, pixels = target.size() / step;
  for (std::size_t i = 0; i < segments; ++i) {
    const std::size_t end = i + 1 < segments ? std::min(offsets[i + 1], frame.size()) : frame.size();
    if (offsets[i] < headBytes || offsets[i] > end) return damaged("a segment lies outside");
    // The most significant byte of a sample comes first.
    const std::size_t place = i / bytesPerSample * bytesPerSample + (bytesPerSample - 1 - i % bytesPerSample);
    if (!unpack(frame.subspan(offsets[i], end - offsets[i]), target.data() + place, step, pixels)) {
      return damaged("a segment is too short");
    }
  }
  return {};
}

}  // namespace nora
