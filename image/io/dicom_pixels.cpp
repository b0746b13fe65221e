#include "image/io/dicom_pixels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace nora {
namespace {

static_assert(std::endian::native == std::endian::little, "the converters copy little endian values as they are");

bool isGrey(const std::string& photometric) {
  return photometric == "MONOCHROME1" || photometric == "MONOCHROME2";
}

template <class Word>
Word load(const std::byte* from, bool bigEndian) {
  Word value;
  std::memcpy(&value, from, sizeof value);
  if (!bigEndian) return value;
  Word swapped = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    swapped = static_cast<Word>(swapped << 8 | (value & 0xFF));
    value = static_cast<Word>(std::uint64_t{value} >> 8);
  }
  return swapped;
}

/// Calls put(i, value) for every pixel of a grey frame, with bits outside the stored range removed. `at` gives the
/// stored word of a pixel; it is a template parameter so that the common case becomes one vectorised loop.
template <class Value, class At, class Put>
void forEachShifted(const DicomPixelFormat& format, At at, Put put) {
  using Word = std::make_unsigned_t<Value>;
  constexpr int width = 8 * sizeof(Word);
  const int left = width - 1 - format.highBit;
  const int right = width - format.bitsStored;
  const std::size_t count = format.pixelCount();
  for (std::size_t i = 0; i < count; ++i) {
    put(i, static_cast<Value>(static_cast<Value>(static_cast<Word>(at(i) << left)) >> right));
  }
}

template <class Word, class Put>
void forEachGrey(const DicomPixelFormat& format, const std::byte* stored, Put put) {
  const auto run = [&](auto at) {
    if (format.isSigned) return forEachShifted<std::make_signed_t<Word>>(format, at, put);
    forEachShifted<Word>(format, at, put);
  };
  const auto little = [stored](std::size_t i) { return load<Word>(stored + i * sizeof(Word), false); };
  const auto big = [stored](std::size_t i) { return load<Word>(stored + i * sizeof(Word), true); };
  const auto pairwise = [stored](std::size_t i) { return load<Word>(stored + (i ^ 1), false); };
  if (!format.bigEndian || (sizeof(Word) == 1 && !format.words)) return run(little);
  if (sizeof(Word) > 1) return run(big);
  run(pairwise);  // bytes in big endian words
}

template <class Put>
void forEachGreyOfAnyWidth(const DicomPixelFormat& format, const std::byte* stored, Put put) {
  if (format.bitsAllocated == 8) return forEachGrey<std::uint8_t>(format, stored, put);
  if (format.bitsAllocated == 16) return forEachGrey<std::uint16_t>(format, stored, put);
  forEachGrey<std::uint32_t>(format, stored, put);
}

void convertGrey(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  if (format.bitsStored == format.bitsAllocated && !format.bigEndian) {
    std::memcpy(target, stored, storedFrameBytes(format));
    return;
  }
  forEachGreyOfAnyWidth(
      format, stored, [&](std::size_t i, auto value) { std::memcpy(target + i * sizeof value, &value, sizeof value); });
}

void convertPalette(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  forEachGreyOfAnyWidth(format, stored, [&](std::size_t i, auto value) {
    for (std::size_t c = 0; c < 3; ++c) {
      const auto& table = format.palette[c];
      const auto index = std::clamp<std::int64_t>(std::int64_t{value} - format.paletteFirst, 0,
                                                  static_cast<std::int64_t>(table.size()) - 1);
      target[i * 3 + c] = std::byte{table[static_cast<std::size_t>(index)]};
    }
  });
}

std::byte clampedByte(double value) {
  return static_cast<std::byte>(std::clamp(std::lround(value), 0L, 255L));
}

/// DICOM PS3.3 C.7.6.3.1.2: full range, as in JFIF.
void putYbr(std::byte* target, int y, int cb, int cr) {
  target[0] = clampedByte(y + 1.402 * (cr - 128));
  target[1] = clampedByte(y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128));
  target[2] = clampedByte(y + 1.772 * (cb - 128));
}

void convertYbr422(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  for (std::size_t i = 0; i + 1 < format.pixelCount(); i += 2) {
    const std::byte* s = stored + i * 2;
    putYbr(target + i * 3, static_cast<int>(s[0]), static_cast<int>(s[2]), static_cast<int>(s[3]));
    putYbr(target + i * 3 + 3, static_cast<int>(s[1]), static_cast<int>(s[2]), static_cast<int>(s[3]));
  }
}

void convertColour(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  if (format.photometric == "YBR_FULL_422") return convertYbr422(format, stored, target);
  const std::size_t count = format.pixelCount();
  const std::size_t pixelStep = format.planar ? 1 : 3;
  const std::size_t sampleStep = format.planar ? count : 1;
  const std::size_t flip = format.bigEndian && format.words ? 1 : 0;
  const auto sample = [&](std::size_t i, std::size_t c) { return stored[(i * pixelStep + c * sampleStep) ^ flip]; };
  const bool ybr = format.photometric == "YBR_FULL";
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* to = target + i * 3;
    if (ybr) {
      putYbr(to, static_cast<int>(sample(i, 0)), static_cast<int>(sample(i, 1)), static_cast<int>(sample(i, 2)));
    } else {
      for (std::size_t c = 0; c < 3; ++c) to[c] = sample(i, c);
    }
  }
}

}  // namespace

Result<void> checkPixelFormat(const DicomPixelFormat& format, const std::string& name) {
  const auto unsupported = [&](const std::string& what) { return fail(ErrorCode::unsupported, what, name); };
  if (format.rows < 1 || format.columns < 1) return fail(ErrorCode::invalidInput, "no rows or columns", name);
  const int bits = format.bitsAllocated;
  if (bits != 8 && bits != 16 && bits != 32)
    return unsupported(std::to_string(bits) + " bits a pixel are not read yet");
  if (format.bitsStored < 1 || format.bitsStored > bits || format.highBit < format.bitsStored - 1 ||
      format.highBit >= bits) {
    return fail(ErrorCode::invalidInput, "bits stored and high bit do not fit into the bits allocated", name);
  }
  if (format.samples == 1 && isGrey(format.photometric)) return {};
  if (format.samples == 1 && format.photometric == "PALETTE COLOR") {
    const auto empty = [](const auto& table) { return table.empty(); };
    if (bits == 32) return unsupported("32-bit palette colour is not read yet");
    if (std::any_of(format.palette.begin(), format.palette.end(), empty)) {
      return unsupported("palette colour without a plain look-up table is not read yet");
    }
    return {};
  }
  const bool known = format.photometric == "RGB" || format.photometric == "YBR_FULL" ||
                     (format.photometric == "YBR_FULL_422" && format.pixelCount() % 2 == 0);
  if (format.samples == 3 && known && bits == 8) return {};
  return unsupported("pixels of the kind " + format.photometric + " with " + std::to_string(format.samples) +
                     " samples of " + std::to_string(bits) + " bits are not read yet");
}

VoxelType voxelTypeOf(const DicomPixelFormat& format) {
  if (format.isColour()) return VoxelType::rgb24;
  if (format.bitsAllocated == 8) return format.isSigned ? VoxelType::int8 : VoxelType::uint8;
  if (format.bitsAllocated == 16) return format.isSigned ? VoxelType::int16 : VoxelType::uint16;
  return format.isSigned ? VoxelType::int32 : VoxelType::uint32;
}

std::size_t storedFrameBytes(const DicomPixelFormat& format) {
  if (format.photometric == "YBR_FULL_422") return format.pixelCount() * 2;
  const std::size_t bytes = format.pixelCount() * static_cast<std::size_t>(format.samples * format.bitsAllocated / 8);
  return format.bigEndian && format.words ? bytes + bytes % 2 : bytes;  // whole words: bytes lie pairwise swapped
}

void convertPixels(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<std::byte> target) {
  if (format.photometric == "PALETTE COLOR") return convertPalette(format, stored.data(), target.data());
  if (format.samples == 3) return convertColour(format, stored.data(), target.data());
  convertGrey(format, stored.data(), target.data());
}

void convertPixelsScaled(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<float> target) {
  forEachGreyOfAnyWidth(format, stored.data(), [&](std::size_t i, auto value) {
    target[i] = static_cast<float>(format.slope * static_cast<double>(value) + format.inter);
  });
}

}  // namespace nora
