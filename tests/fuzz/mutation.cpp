#include "tests/fuzz/mutation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>

namespace nora::fuzz {
namespace {

constexpr std::size_t headerBytes = 1024;  // most lies are worth telling here
constexpr std::size_t inflateLimit = std::size_t{16} << 20;

std::size_t below(Random& random, std::size_t n) {
  return n == 0 ? 0 : static_cast<std::size_t>(random() % n);
}

/// A place; every second one in the header.
std::size_t place(const Bytes& bytes, Random& random) {
  return below(random, random() % 2 == 0 ? std::min(bytes.size(), headerBytes) : bytes.size());
}

void flipBits(Bytes& bytes, Random& random) {
  for (std::size_t n = 1 + below(random, 16); n > 0; --n) {
    bytes[place(bytes, random)] ^= static_cast<std::byte>(1U << below(random, 8));
  }
}

void setBytes(Bytes& bytes, Random& random) {
  constexpr std::array<std::uint8_t, 6> values{0, 1, 0x7F, 0x80, 0xFE, 0xFF};
  for (std::size_t n = 1 + below(random, 8); n > 0; --n) {
    bytes[place(bytes, random)] = static_cast<std::byte>(values[below(random, values.size())]);
  }
}

/// A number of 2, 4 or 8 bytes that is extreme, in either byte order.
void lieAboutNumber(Bytes& bytes, Random& random) {
  constexpr std::array<std::uint64_t, 12> values{0,
                                                 1,
                                                 0x7FFF,
                                                 0x8000,
                                                 0xFFFF,
                                                 0x10000,
                                                 0x7FFFFFFF,
                                                 0x80000000,
                                                 0xFFFFFFFF,
                                                 0x7FF0000000000000,
                                                 0x7FFFFFFFFFFFFFFF,
                                                 0xFFFFFFFFFFFFFFFF};
  std::uint64_t value = values[below(random, values.size())];
  const std::size_t size = std::size_t{2} << below(random, 3);
  if (random() % 2 == 0) value = __builtin_bswap64(value) >> (64 - 8 * size);
  const std::size_t at = place(bytes, random) / 2 * 2;
  std::memcpy(bytes.data() + at, &value, std::min(size, bytes.size() - at));
}

/// Digits of text become other digits, more digits, a sign.
void lieAboutDigits(Bytes& bytes, Random& random) {
  constexpr std::array<const char*, 8> lies{"9", "0", "-", "99999999999", "18446744073709551616", "1e308", "nan", "."};
  const std::size_t start = place(bytes, random);
  const auto digit = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(start), bytes.end(),
                                  [](std::byte b) { return std::isdigit(std::to_integer<int>(b)) != 0; });
  if (digit == bytes.end()) return flipBits(bytes, random);
  const std::string lie = lies[below(random, lies.size())];
  const auto at = bytes.erase(digit);
  const auto* begin = reinterpret_cast<const std::byte*>(lie.data());
  bytes.insert(at, begin, begin + lie.size());
}

void repeatPart(Bytes& bytes, Random& random) {
  const std::size_t from = place(bytes, random);
  const std::size_t size = std::min(1 + below(random, 4096), bytes.size() - from);
  const Bytes part(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                   bytes.begin() + static_cast<std::ptrdiff_t>(from + size));
  const std::size_t times = 1 + below(random, 4);
  for (std::size_t i = 0; i < times; ++i) {
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place(bytes, random)), part.begin(), part.end());
  }
}

void removePart(Bytes& bytes, Random& random) {
  const std::size_t from = place(bytes, random);
  const std::size_t size = std::min(1 + below(random, 512), bytes.size() - from);
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(from),
              bytes.begin() + static_cast<std::ptrdiff_t>(from + size));
}

void overwritePart(Bytes& bytes, Random& random) {
  const std::size_t to = place(bytes, random);
  const std::size_t from = place(bytes, random);
  const std::size_t size = std::min({1 + below(random, 1024), bytes.size() - from, bytes.size() - to});
  std::memmove(bytes.data() + to, bytes.data() + from, size);
}

void cutSomewhere(Bytes& bytes, Random& random) {
  bytes.resize(below(random, bytes.size()));
}

struct Damage {
  const char* name;
  void (*apply)(Bytes&, Random&);
};
constexpr std::array damages{Damage{"flipped bits", flipBits},         Damage{"set bytes", setBytes},
                             Damage{"extreme number", lieAboutNumber}, Damage{"extreme digits", lieAboutDigits},
                             Damage{"repeated part", repeatPart},      Damage{"removed part", removePart},
                             Damage{"moved part", overwritePart},      Damage{"cut", cutSomewhere}};

Bytes damaged(Bytes bytes, Random& random, std::string& how) {
  const Bytes original = bytes;
  // Mostly one thing at a time: what is damaged all over is refused at the first check.
  for (std::size_t n = random() % 3 == 0 ? 1 + below(random, 3) : 1; n > 0 && !bytes.empty(); --n) {
    const Damage& damage = damages[below(random, damages.size())];
    damage.apply(bytes, random);
    how += (how.empty() ? "" : ", ") + std::string(damage.name);
  }
  if (bytes == original && !bytes.empty()) bytes.back() ^= std::byte{1};
  return bytes;
}

}  // namespace

Bytes mutated(std::span<const std::byte> original, Random& random, std::string& how) {
  if (packingOf(original) != FilePacking::none && random() % 4 != 0) {
    // Packed anew in any way: readers go by the first bytes, not by the name.
    constexpr std::array ways{FilePacking::gzip, FilePacking::gzip, FilePacking::bzip2, FilePacking::xz};
    const FilePacking way = ways[below(random, ways.size())];
    Bytes content = unpackPrefix(original, inflateLimit);
    how = way == FilePacking::gzip ? "inside gzip" : way == FilePacking::bzip2 ? "inside bzip2" : "inside xz";
    return packed(damaged(std::move(content), random, how), way);
  }
  how.clear();
  return damaged({original.begin(), original.end()}, random, how);
}

Bytes cut(std::span<const std::byte> original, int sixteenths) {
  const auto part = original.first(original.size() * static_cast<std::size_t>(sixteenths) / 16);
  return {part.begin(), part.end()};
}

namespace {

Bytes gzipped(std::span<const std::byte> content) {
  constexpr int gzipWrapper = 16;
  constexpr int memoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + gzipWrapper, memoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return {};
  }
  Bytes out(deflateBound(&stream, content.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes bzipped(std::span<const std::byte> content) {
  Bytes out(content.size() + content.size() / 50 + 1024);  // as bzlib asks, and more
  auto size = static_cast<unsigned>(out.size());
  auto* from = reinterpret_cast<char*>(const_cast<std::byte*>(content.data()));
  const int done = BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(out.data()), &size, from,
                                            static_cast<unsigned>(content.size()), 1, 0, 0);
  out.resize(done == BZ_OK ? size : 0);
  return out;
}

Bytes xzPacked(std::span<const std::byte> content) {
  constexpr std::uint32_t quick = 1;
  Bytes out(lzma_stream_buffer_bound(content.size()));
  std::size_t size = 0;
  const auto done =
      lzma_easy_buffer_encode(quick, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const std::uint8_t*>(content.data()),
                              content.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  out.resize(done == LZMA_OK ? size : 0);
  return out;
}

}  // namespace

Bytes packed(std::span<const std::byte> content, FilePacking way) {
  if (way == FilePacking::bzip2) return bzipped(content);
  return way == FilePacking::xz ? xzPacked(content) : gzipped(content);
}

}  // namespace nora::fuzz
