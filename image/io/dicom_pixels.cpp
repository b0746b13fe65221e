#include "image/io/dicom_pixels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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

template <class Float, class Word, class Put>
void forEachFloat(const DicomPixelFormat& format, const std::byte* stored, Put put) {
  const std::size_t count = format.pixelCount();
  for (std::size_t i = 0; i < count; ++i) {
    put(i, std::bit_cast<Float>(load<Word>(stored + i * sizeof(Word), format.bigEndian)));
  }
}

/// One bit a pixel, the first in the lowest bit. Source: DICOM PS3.5 8.1.1.
template <class Put>
void forEachBit(const DicomPixelFormat& format, const std::byte* stored, std::size_t firstBit, Put put) {
  const std::size_t flip = format.bigEndian && format.words ? 1 : 0;
  const std::size_t count = format.pixelCount();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bit = firstBit + i;
    const auto byte = std::to_integer<unsigned>(stored[(bit / 8) ^ flip]);
    put(i, static_cast<std::uint8_t>(byte >> (bit % 8) & 1));
  }
}

template <class Put>
void forEachGreyOfAnyWidth(const DicomPixelFormat& format, const std::byte* stored, std::size_t firstBit, Put put) {
  if (format.isFloat && format.bitsAllocated == 32) return forEachFloat<float, std::uint32_t>(format, stored, put);
  if (format.isFloat) return forEachFloat<double, std::uint64_t>(format, stored, put);
  if (format.bitsAllocated == 1) return forEachBit(format, stored, firstBit, put);
  if (format.bitsAllocated == 8) return forEachGrey<std::uint8_t>(format, stored, put);
  if (format.bitsAllocated == 16) return forEachGrey<std::uint16_t>(format, stored, put);
  if (format.bitsAllocated == 32) return forEachGrey<std::uint32_t>(format, stored, put);
  forEachGrey<std::uint64_t>(format, stored, put);
}

template <class Table>
std::size_t entryOf(const Table& entries, std::int64_t first, std::int64_t value) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(value - first, 0, static_cast<std::int64_t>(entries.size()) - 1));
}

void convertByTable(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  const DicomTable& table = *format.table;
  forEachGreyOfAnyWidth(format, stored, 0, [&](std::size_t i, auto value) {
    const std::uint16_t entry = table.entries[entryOf(table.entries, table.first, static_cast<std::int64_t>(value))];
    if (table.bits <= 8) {
      target[i] = static_cast<std::byte>(entry);
    } else {
      std::memcpy(target + i * sizeof entry, &entry, sizeof entry);
    }
  });
}

void convertGrey(const DicomPixelFormat& format, const std::byte* stored, std::byte* target, std::size_t firstBit) {
  if (format.table) return convertByTable(format, stored, target);
  const bool plain = format.isFloat || format.bitsStored == format.bitsAllocated;
  if (plain && !format.bigEndian && format.bitsAllocated > 1) {
    std::memcpy(target, stored, storedFrameBytes(format));
    return;
  }
  forEachGreyOfAnyWidth(format, stored, firstBit, [&](std::size_t i, auto value) {
    std::memcpy(target + i * sizeof value, &value, sizeof value);
  });
}

void convertPalette(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  forEachGreyOfAnyWidth(format, stored, 0, [&](std::size_t i, auto value) {
    for (std::size_t c = 0; c < 3; ++c) {
      const auto& table = format.palette[c];
      target[i * 3 + c] = std::byte{table[entryOf(table, format.paletteFirst, static_cast<std::int64_t>(value))]};
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

/// Of the same clause: Y from 16 to 235, Cb and Cr from 16 to 240.
void putYbrPartial(std::byte* target, int y, int cb, int cr) {
  const double luma = 1.1644 * (y - 16);
  target[0] = clampedByte(luma + 1.5960 * (cr - 128));
  target[1] = clampedByte(luma - 0.3917 * (cb - 128) - 0.8130 * (cr - 128));
  target[2] = clampedByte(luma + 2.0173 * (cb - 128));
}

bool isSubsampled(const DicomPixelFormat& format) {
  return format.photometric == "YBR_FULL_422" || format.photometric == "YBR_PARTIAL_422";
}

void convertYbr422(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  const auto put = format.photometric == "YBR_FULL_422" ? putYbr : putYbrPartial;
  const std::size_t flip = format.bigEndian && format.words ? 1 : 0;
  for (std::size_t i = 0; i + 1 < format.pixelCount(); i += 2) {
    const auto at = [&](std::size_t n) { return static_cast<int>(stored[(i * 2 + n) ^ flip]); };
    put(target + i * 3, at(0), at(2), at(3));
    put(target + i * 3 + 3, at(1), at(2), at(3));
  }
}

/// The upper eight of the stored bits of a sample.
std::byte upperByte(const DicomPixelFormat& format, const std::byte* from) {
  const auto value = load<std::uint16_t>(from, format.bigEndian);
  const int shift = format.highBit - 7;
  return static_cast<std::byte>(shift >= 0 ? value >> shift : value << -shift);
}

void convertColour(const DicomPixelFormat& format, const std::byte* stored, std::byte* target) {
  if (isSubsampled(format)) return convertYbr422(format, stored, target);
  const std::size_t count = format.pixelCount();
  const std::size_t pixelStep = format.planar ? 1 : 3;
  const std::size_t sampleStep = format.planar ? count : 1;
  const std::size_t flip = format.bigEndian && format.words ? 1 : 0;
  const bool wide = format.bitsAllocated == 16;
  const auto sample = [&](std::size_t i, std::size_t c) {
    const std::size_t n = i * pixelStep + c * sampleStep;
    return wide ? upperByte(format, stored + n * 2) : stored[n ^ flip];
  };
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

Result<void> checkBits(const DicomPixelFormat& format, const std::string& name) {
  const int bits = format.bitsAllocated;
  if (format.isFloat) return {};
  if (bits != 1 && bits != 8 && bits != 16 && bits != 32 && bits != 64) {
    return fail(ErrorCode::unsupported, std::to_string(bits) + " bits a pixel are not read", name);
  }
  if (format.bitsStored < 1 || format.bitsStored > bits || format.highBit < format.bitsStored - 1 ||
      format.highBit >= bits) {
    return fail(ErrorCode::invalidInput, "bits stored and high bit do not fit into the bits allocated", name);
  }
  return {};
}

}  // namespace

Result<void> checkPixelFormat(const DicomPixelFormat& format, const std::string& name) {
  const auto unsupported = [&](const std::string& what) { return fail(ErrorCode::unsupported, what, name); };
  if (format.rows < 1 || format.columns < 1) return fail(ErrorCode::invalidInput, "no rows or columns", name);
  if (auto r = checkBits(format, name); !r) return r;
  const int bits = format.bitsAllocated;
  if (format.samples == 1 && (isGrey(format.photometric) || format.isFloat)) return {};
  if (format.samples == 1 && format.photometric == "PALETTE COLOR") {
    const auto empty = [](const auto& table) { return table.empty(); };
    if (bits != 8 && bits != 16) return unsupported(std::to_string(bits) + "-bit palette colour is not read");
    if (std::any_of(format.palette.begin(), format.palette.end(), empty)) {
      return fail(ErrorCode::invalidInput, "palette colour without its three look-up tables", name);
    }
    return {};
  }
  const bool known = format.photometric == "RGB" || format.photometric == "YBR_FULL";
  if (format.samples == 3 && known && (bits == 8 || (bits == 16 && !format.isSigned))) return {};
  if (format.samples == 3 && isSubsampled(format) && format.pixelCount() % 2 == 0 && bits == 8) return {};
  return unsupported("pixels of the kind \"" + format.photometric + "\" with " + std::to_string(format.samples) +
                     (format.samples == 1 ? " sample of " : " samples of ") + std::to_string(bits) +
                     " bits cannot be shown");
}

VoxelType voxelTypeOf(const DicomPixelFormat& format) {
  if (format.isColour()) return VoxelType::rgb24;
  if (format.isFloat) return format.bitsAllocated == 32 ? VoxelType::float32 : VoxelType::float64;
  if (format.table) return format.table->bits <= 8 ? VoxelType::uint8 : VoxelType::uint16;
  switch (format.bitsAllocated) {
    case 1: return VoxelType::uint8;
    case 8: return format.isSigned ? VoxelType::int8 : VoxelType::uint8;
    case 16: return format.isSigned ? VoxelType::int16 : VoxelType::uint16;
    case 32: return format.isSigned ? VoxelType::int32 : VoxelType::uint32;
    default: return format.isSigned ? VoxelType::int64 : VoxelType::uint64;
  }
}

std::size_t storedFrameBytes(const DicomPixelFormat& format) {
  return storedBytes(format, 1).value_or(std::numeric_limits<std::size_t>::max());
}

std::optional<std::size_t> storedBytes(const DicomPixelFormat& format, std::size_t frames) {
  std::size_t bits = format.pixelCount();
  const std::size_t bitsAPixel =
      isSubsampled(format) ? 16 : static_cast<std::size_t>(format.samples * format.bitsAllocated);
  if (__builtin_mul_overflow(bits, bitsAPixel, &bits) || __builtin_mul_overflow(bits, frames, &bits)) {
    return std::nullopt;
  }
  const std::size_t bytes = bits / 8 + (bits % 8 != 0 ? 1 : 0);
  return format.bigEndian && format.words ? bytes + bytes % 2 : bytes;  // whole words: bytes lie pairwise swapped
}

void convertPixels(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<std::byte> target,
                   std::size_t firstBit) {
  if (format.photometric == "PALETTE COLOR") return convertPalette(format, stored.data(), target.data());
  if (format.samples == 3) return convertColour(format, stored.data(), target.data());
  convertGrey(format, stored.data(), target.data(), firstBit);
}

void convertPixelsScaled(const DicomPixelFormat& format, std::span<const std::byte> stored, std::span<float> target,
                         std::size_t firstBit) {
  forEachGreyOfAnyWidth(format, stored.data(), firstBit, [&](std::size_t i, auto value) {
    if (format.table) {
      const auto& table = *format.table;
      target[i] = table.entries[entryOf(table.entries, table.first, static_cast<std::int64_t>(value))];
    } else {
      target[i] = static_cast<float>(format.slope * static_cast<double>(value) + format.inter);
    }
  });
}

}  // namespace nora
