#include "image/io/base64.hpp"

#include <array>
#include <cstdint>

namespace nora {
namespace {

constexpr std::uint8_t space = 64;
constexpr std::uint8_t padding = 65;
constexpr std::uint8_t wrong = 66;
constexpr std::uint8_t firstNoDigit = 64;

constexpr std::array<std::uint8_t, 256> makeMeanings() {
  std::array<std::uint8_t, 256> meanings{};
  meanings.fill(wrong);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::uint8_t digit = 0;
  for (const char c : alphabet) meanings[static_cast<unsigned char>(c)] = digit++;
  for (const char c : std::string_view(" \t\r\n\v\f")) meanings[static_cast<unsigned char>(c)] = space;
  meanings['='] = padding;
  return meanings;
}

constexpr std::array<std::uint8_t, 256> meaningOf = makeMeanings();

/// Four digits at a time, as long as there is nothing else.
struct Decoder {
  std::span<std::byte> out;
  std::size_t made = 0;
  std::uint32_t bits = 0;
  int digits = 0;  // in `bits`

  /// False: no room for a whole group.
  bool addGroup(std::uint32_t group) {
    if (out.size() - made < 3) return flushBytes(group, 3);
    std::byte* to = out.data() + made;
    to[0] = static_cast<std::byte>(group >> 16);
    to[1] = static_cast<std::byte>(group >> 8);
    to[2] = static_cast<std::byte>(group);
    made += 3;
    return true;
  }
  bool flushBytes(std::uint32_t group, std::size_t count) {
    if (out.size() - made < count) return false;
    for (std::size_t i = 0; i < count; ++i) out[made++] = static_cast<std::byte>(group >> (16 - 8 * i));
    return true;
  }
  bool addDigit(std::uint32_t digit) {
    bits = bits << 6 | digit;
    if (++digits < 4) return true;
    const bool fits = addGroup(bits);
    bits = 0;
    digits = 0;
    return fits;
  }
  /// The end of a text, or padding: two digits are one byte, three are two.
  bool finishGroup() {
    const auto count = static_cast<std::size_t>(digits == 0 ? 0 : digits - 1);
    const bool fits = flushBytes(bits << (6 * (4 - digits) % 24), count);
    bits = 0;
    digits = 0;
    return fits;
  }
};

tl::unexpected<Error> tooMuch(const Decoder& decoder, const std::string& name) {
  return fail(ErrorCode::invalidInput,
              "the base64 data hold more than the " + std::to_string(decoder.out.size()) + " bytes they should", name);
}

tl::unexpected<Error> cutGroup(const std::string& name) {
  return fail(ErrorCode::invalidInput, "the base64 data are cut short or damaged: a single character is left over",
              name);
}

}  // namespace

Result<std::size_t> decodeBase64(std::string_view text, std::span<std::byte> out, const std::string& name) {
  Decoder decoder{out};
  const auto meaning = [&](std::size_t i) { return meaningOf[static_cast<unsigned char>(text[i])]; };
  for (std::size_t i = 0; i < text.size();) {
    while (decoder.digits == 0 && text.size() - i >= 4) {
      const std::uint32_t a = meaning(i), b = meaning(i + 1), c = meaning(i + 2), d = meaning(i + 3);
      if ((a | b | c | d) >= firstNoDigit) break;
      if (!decoder.addGroup(a << 18 | b << 12 | c << 6 | d)) return tooMuch(decoder, name);
      i += 4;
    }
    if (i == text.size()) break;
    const std::uint8_t one = meaning(i++);
    if (one == space) continue;
    if (one == wrong) {
      return fail(ErrorCode::invalidInput, "a character in the base64 data does not belong there", name);
    }
    if (one == padding && decoder.digits == 1) return cutGroup(name);
    const bool fits = one == padding ? decoder.finishGroup() : decoder.addDigit(one);
    if (!fits) return tooMuch(decoder, name);
  }
  if (decoder.digits == 1) return cutGroup(name);
  if (!decoder.finishGroup()) return tooMuch(decoder, name);
  return decoder.made;
}

}  // namespace nora
