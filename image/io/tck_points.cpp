#include "image/io/tck_points.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace nora {
namespace {

constexpr std::size_t blockPoints = 16;
constexpr std::size_t blockNumbers = 3 * blockPoints;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
constexpr Bits<T> exponent = sizeof(T) == 4 ? Bits<T>{0x7f800000u} : static_cast<Bits<T>>(0x7ff0000000000000ull);
template <class T>
constexpr Bits<T> fraction = sizeof(T) == 4 ? Bits<T>{0x007fffffu} : static_cast<Bits<T>>(0x000fffffffffffffull);

/// Numbers of a file as bits in native order: whole blocks are loaded into registers, which the compiler vectorises.
template <class T, bool swapped>
class Numbers {
 public:
  explicit Numbers(std::span<const std::byte> data) : data_(data) {}
  [[nodiscard]] std::size_t size() const { return data_.size() / sizeof(T); }

  template <std::size_t n>
  void load(std::size_t at, std::array<Bits<T>, n>& out) const {
    std::memcpy(out.data(), data_.data() + at * sizeof(T), n * sizeof(T));
    if constexpr (swapped) {
      for (auto& bits : out) {
        if constexpr (sizeof(T) == 4) bits = __builtin_bswap32(bits);
        if constexpr (sizeof(T) == 8) bits = __builtin_bswap64(bits);
      }
    }
  }
  [[nodiscard]] Bits<T> at(std::size_t i) const {
    std::array<Bits<T>, 1> one{};
    load(i, one);
    return one[0];
  }

 private:
  std::span<const std::byte> data_;
};

template <class T>
bool isOdd(Bits<T> bits) {
  return (bits & exponent<T>) == exponent<T>;
}
template <class T>
bool isEnd(Bits<T> bits) {
  return isOdd<T>(bits) && (bits & fraction<T>) == 0;
}

/// True if one of the numbers is NaN or Inf: without a branch inside, so that it is vectorised.
template <class T>
bool anyOdd(const std::array<Bits<T>, blockNumbers>& block) {
  Bits<T> odd = 0;
  for (const auto bits : block) odd |= static_cast<Bits<T>>((bits & exponent<T>) == exponent<T> ? 1 : 0);
  return odd != 0;
}

template <class T>
float asFloat(Bits<T> bits) {
  return static_cast<float>(std::bit_cast<T>(bits));
}

template <class Visitor>
auto visitNumbers(const TckHeader& header, std::span<const std::byte> data, Visitor&& visitor) {
  const bool swapped = header.order != std::endian::native;
  if (header.wide) {
    return swapped ? visitor(Numbers<double, true>(data), double{}) : visitor(Numbers<double, false>(data), double{});
  }
  return swapped ? visitor(Numbers<float, true>(data), float{}) : visitor(Numbers<float, false>(data), float{});
}

template <class T, class N>
TckCounts countNumbers(const N& numbers) {
  TckCounts counts;
  const std::size_t points = numbers.size() / 3;
  std::size_t i = 0, separators = 0, lastSeparator = SIZE_MAX;
  std::array<Bits<T>, blockNumbers> block;
  while (i < points && !counts.ended) {
    const bool whole = i + blockPoints <= points;
    if (whole) numbers.load(3 * i, block);
    if (whole && !anyOdd<T>(block)) {
      i += blockPoints;
      continue;
    }
    const std::size_t stop = std::min(points, i + blockPoints);
    for (; i < stop && !counts.ended; ++i) {
      const auto x = numbers.at(3 * i);
      if (!isOdd<T>(x)) continue;
      counts.ended = isEnd<T>(x);
      if (counts.ended) break;
      ++separators;
      lastSeparator = i;
    }
  }
  counts.points = i - separators;
  counts.unfinished = i > 0 && (lastSeparator == SIZE_MAX || lastSeparator + 1 < i);
  counts.streamlines = separators + (counts.unfinished ? 1 : 0);
  counts.bytesUsed = (i + (counts.ended ? 1 : 0)) * 3 * sizeof(T);
  return counts;
}

template <class T, class N>
void copyNumbers(const N& numbers, std::span<float> positions, std::span<std::uint64_t> offsets,
                 const std::function<void(double)>& progress) {
  constexpr std::size_t progressPoints = std::size_t{1} << 20;
  const std::size_t points = numbers.size() / 3;
  float* out = positions.data();
  const float* const end = out + positions.size();
  std::size_t streamline = 0;
  std::array<Bits<T>, blockNumbers> block;
  for (std::size_t i = 0; i < points && out < end;) {
    if (i % progressPoints < blockPoints) progress(static_cast<double>(i) / static_cast<double>(points));
    const bool whole = i + blockPoints <= points && end - out >= static_cast<std::ptrdiff_t>(blockNumbers);
    if (whole) numbers.load(3 * i, block);
    if (whole && !anyOdd<T>(block)) {
      for (std::size_t k = 0; k < blockNumbers; ++k) out[k] = asFloat<T>(block[k]);
      out += blockNumbers;
      i += blockPoints;
      continue;
    }
    for (const std::size_t stop = std::min(points, i + blockPoints); i < stop; ++i) {
      if (isOdd<T>(numbers.at(3 * i))) {
        if (streamline + 1 < offsets.size())
          offsets[++streamline] = static_cast<std::uint64_t>(out - positions.data()) / 3;
      } else if (out < end) {
        for (std::size_t k = 0; k < 3; ++k) *out++ = asFloat<T>(numbers.at(3 * i + k));
      }
    }
  }
  while (streamline + 1 < offsets.size()) offsets[++streamline] = positions.size() / 3;
}

}  // namespace

TckCounts countTck(const TckHeader& header, std::span<const std::byte> data) {
  return visitNumbers(header, data,
                      [](const auto& numbers, auto type) { return countNumbers<decltype(type)>(numbers); });
}

void copyTck(const TckHeader& header, std::span<const std::byte> data, std::span<float> positions,
             std::span<std::uint64_t> offsets, const std::function<void(double)>& progress) {
  visitNumbers(header, data, [&](const auto& numbers, auto type) {
    copyNumbers<decltype(type)>(numbers, positions, offsets, progress);
  });
}

bool copyTsf(const TckHeader& header, std::span<const std::byte> data, std::span<const std::uint64_t> offsets,
             std::span<float> values) {
  return visitNumbers(header, data, [&](const auto& numbers, auto type) {
    using T = decltype(type);
    std::size_t from = 0;
    for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
      for (std::uint64_t i = offsets[s]; i < offsets[s + 1]; ++i, ++from) {
        if (from >= numbers.size() || isOdd<T>(numbers.at(from))) return false;
        values[i] = asFloat<T>(numbers.at(from));
      }
      if (from < numbers.size() && !isOdd<T>(numbers.at(from))) return false;
      ++from;  // some programs write no mark behind the last
    }
    return from >= numbers.size() || isEnd<T>(numbers.at(from));
  });
}

}  // namespace nora
