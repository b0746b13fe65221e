#include "image/io/nifti_voxels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace nora {
namespace {

constexpr std::size_t longDoubleBytes = 16;

template <class Word, Word (*reverse)(Word)>
void copyReversed(std::span<const std::byte> from, std::span<std::byte> to) {
  const std::size_t count = std::min(from.size(), to.size()) / sizeof(Word);
  for (std::size_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, from.data() + i * sizeof(Word), sizeof(Word));
    word = reverse(word);
    std::memcpy(to.data() + i * sizeof(Word), &word, sizeof(Word));
  }
}

std::uint16_t reverse16(std::uint16_t v) {
  return static_cast<std::uint16_t>(v << 8 | v >> 8);
}
std::uint32_t reverse32(std::uint32_t v) {
  return __builtin_bswap32(v);
}
std::uint64_t reverse64(std::uint64_t v) {
  return __builtin_bswap64(v);
}

using LongDouble = std::array<std::byte, longDoubleBytes>;

LongDouble longDoubleAt(const std::byte* at, bool swapped) {
  LongDouble raw{};
  std::memcpy(raw.data(), at, raw.size());
  if (swapped) std::reverse(raw.begin(), raw.end());
  return raw;
}

bool isExtended(const LongDouble& raw) {
  return std::all_of(raw.begin() + 10, raw.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::uint64_t word64(const LongDouble& raw, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, raw.data() + offset, sizeof word);
  return word;
}

double assembled(bool negative, int exponent, double mantissa, int mantissaBits, bool isNan) {
  constexpr int specialExponent = 0x7fff;
  constexpr int bias = 16383;
  double value = std::ldexp(mantissa, std::max(exponent, 1) - bias - mantissaBits);
  if (exponent == specialExponent) {
    value = isNan ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  }
  return negative ? -value : value;
}

/// 80-bit extended: 64 bits of mantissa with its leading one, 15 of exponent, sign.
double fromExtended(const LongDouble& raw) {
  const std::uint64_t mantissa = word64(raw, 0);
  const auto top = static_cast<unsigned>(word64(raw, 8) & 0xffffU);
  return assembled((top & 0x8000U) != 0, static_cast<int>(top & 0x7fffU), static_cast<double>(mantissa), 63,
                   (mantissa << 1) != 0);
}

/// IEEE binary128: 112 bits of mantissa with a hidden leading one, 15 of exponent, sign.
double fromQuadruple(const LongDouble& raw) {
  const std::uint64_t low = word64(raw, 0);
  const std::uint64_t high = word64(raw, 8);
  const std::uint64_t highMantissa = high & ((std::uint64_t{1} << 48) - 1);
  const int exponent = static_cast<int>(high >> 48 & 0x7fffU);
  const double hidden = exponent == 0 ? 0 : std::ldexp(1.0, 112);
  const double mantissa = hidden + std::ldexp(static_cast<double>(highMantissa), 64) + static_cast<double>(low);
  return assembled(high >> 63 != 0, exponent, mantissa, 112, (highMantissa | low) != 0);
}

/// Numbers of the file, one at a time, as double.
class Numbers {
 public:
  Numbers(std::span<const std::byte> bytes, std::size_t unit, bool swapped)
      : bytes_(bytes), unit_(unit), swapped_(swapped) {
    for (std::size_t at = 0; unit_ == longDoubleBytes && extended_ && at < bytes_.size(); at += unit_) {
      extended_ = isExtended(longDoubleAt(bytes_.data() + at, swapped_));
    }
  }

  double operator[](std::size_t i) const {
    const std::byte* at = bytes_.data() + i * unit_;
    if (unit_ == sizeof(float)) return word<float, std::uint32_t, reverse32>(at);
    if (unit_ == sizeof(double)) return word<double, std::uint64_t, reverse64>(at);
    const LongDouble raw = longDoubleAt(at, swapped_);
    return extended_ ? fromExtended(raw) : fromQuadruple(raw);
  }

 private:
  template <class T, class Word, Word (*reverse)(Word)>
  [[nodiscard]] double word(const std::byte* at) const {
    Word bits;
    std::memcpy(&bits, at, sizeof bits);
    if (swapped_) bits = reverse(bits);
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return static_cast<double>(value);
  }

  std::span<const std::byte> bytes_;
  std::size_t unit_;
  bool swapped_;
  bool extended_ = true;
};

void put(VoxelType type, std::size_t i, double value, std::span<std::byte> to) {
  if (type == VoxelType::float64) {
    std::memcpy(to.data() + i * sizeof value, &value, sizeof value);
    return;
  }
  // Beyond the range of float the cast is undefined; Inf is what IEEE arithmetic gives.
  constexpr double largest = std::numeric_limits<float>::max();
  const float narrow = std::abs(value) > largest
                           ? std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(value > 0) - 0.5F)
                           : static_cast<float>(value);
  std::memcpy(to.data() + i * sizeof narrow, &narrow, sizeof narrow);
}

void unpackBits(std::size_t count, std::span<const std::byte> from, std::span<std::byte> to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = (from[i / 8] >> (i % 8)) & std::byte{1};
}

}  // namespace

std::optional<NiftiCoding> niftiCoding(int datatype) {
  switch (datatype) {
    case 1: return NiftiCoding{VoxelType::uint8, 1, 1, false};
    case 2: return NiftiCoding{VoxelType::uint8, 8, 1, false};
    case 4: return NiftiCoding{VoxelType::int16, 16, 2, false};
    case 8: return NiftiCoding{VoxelType::int32, 32, 4, false};
    case 16: return NiftiCoding{VoxelType::float32, 32, 4, false};
    case 32: return NiftiCoding{VoxelType::float32, 64, 4, true};
    case 64: return NiftiCoding{VoxelType::float64, 64, 8, false};
    case 128: return NiftiCoding{VoxelType::rgb24, 24, 1, false};
    case 256: return NiftiCoding{VoxelType::int8, 8, 1, false};
    case 512: return NiftiCoding{VoxelType::uint16, 16, 2, false};
    case 768: return NiftiCoding{VoxelType::uint32, 32, 4, false};
    case 1024: return NiftiCoding{VoxelType::int64, 64, 8, false};
    case 1280: return NiftiCoding{VoxelType::uint64, 64, 8, false};
    case 1536: return NiftiCoding{VoxelType::float64, 128, longDoubleBytes, false};
    case 1792: return NiftiCoding{VoxelType::float64, 128, 8, true};
    case 2048: return NiftiCoding{VoxelType::float64, 256, longDoubleBytes, true};
    case 2304: return NiftiCoding{VoxelType::rgba32, 32, 1, false};
    default: return std::nullopt;
  }
}

void copySwapped(std::span<const std::byte> from, std::span<std::byte> to, std::size_t unit) {
  switch (unit) {
    case 2: copyReversed<std::uint16_t, reverse16>(from, to); return;
    case 4: copyReversed<std::uint32_t, reverse32>(from, to); return;
    case 8: copyReversed<std::uint64_t, reverse64>(from, to); return;
    default: break;
  }
  if (from.data() != to.data()) std::memcpy(to.data(), from.data(), std::min(from.size(), to.size()));
}

void convertVoxels(const NiftiCoding& coding, bool swapped, const NiftiScale& scale, std::size_t count,
                   std::span<const std::byte> from, std::span<std::byte> to) {
  if (coding.bits == 1) {
    unpackBits(count, from, to);
    return;
  }
  const Numbers numbers(from, coding.unit, swapped);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = coding.complex
                             ? std::hypot(scale.slope * numbers[2 * i] + scale.inter, scale.slope * numbers[2 * i + 1])
                             : numbers[i];
    put(coding.type, i, value, to);
  }
}

}  // namespace nora
