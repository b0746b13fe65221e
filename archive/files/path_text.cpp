#include "archive/files/path_text.hpp"

#include "base/utf8.hpp"

namespace nora {
namespace {

constexpr std::size_t escapeBytes = 3;

/// The byte for which U+EF80..U+EFFF stands (EE BE 80 to EE BF BF in UTF-8); 0: another character.
unsigned char escapedAt(std::string_view text, std::size_t at) {
  if (at + escapeBytes > text.size() || static_cast<unsigned char>(text[at]) != 0xEE) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]), third = static_cast<unsigned char>(text[at + 2]);
  if ((second != 0xBE && second != 0xBF) || (third & 0xC0U) != 0x80U) return 0;
  return static_cast<unsigned char>(((second & 1U) << 6) | (third & 0x3FU) | 0x80U);
}

void escape(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += '\xEE';
  out += static_cast<char>(0xBEU | ((value >> 6) & 1U));
  out += static_cast<char>(0x80U | (value & 0x3FU));
}

}  // namespace

std::string textOfPath(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t size = utf8Length(bytes, i);
    if (size > 0 && escapedAt(bytes, i) == 0) {
      out += bytes.substr(i, size);
      i += size;
      continue;
    }
    for (const std::size_t end = i + (size == 0 ? 1 : size); i < end; ++i) escape(out, bytes[i]);
  }
  return out;
}

std::string pathOfText(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const unsigned char byte = escapedAt(text, i); byte != 0) {
      out += static_cast<char>(byte);
      i += escapeBytes;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace nora
