#include "image/io/plain_text.hpp"

#include "base/utf8.hpp"
#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

constexpr char32_t replacement = 0xFFFD;

/// The bytes 0x80 to 0x9f of Windows-1252; the others are as in Latin-1. Source: the WHATWG encoding standard.
constexpr std::array<char32_t, 32> windows1252{0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                               0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                               0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                               0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

bool validUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = utf8Length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string fromUtf16(std::string_view bytes, bool bigEndian) {
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]), second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(bigEndian ? first << 8 | second : second << 8 | first);
  };
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    char32_t code = unit(i);
    if (code >= 0xD800 && code < 0xDC00 && i + 3 < bytes.size()) {
      const char32_t low = unit(i + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        i += 2;
      }
    }
    appendUtf8(out, code);
  }
  return out;
}

}  // namespace

void appendUtf8(std::string& out, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = replacement;
  const auto continuation = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    continuation(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

PlainText::PlainText(std::span<const std::byte> file, std::size_t maxInflated) {
  if (isGzip(file)) {
    const std::size_t possible =
        file.size() > maxInflated / maxDeflateRatio ? maxInflated : file.size() * maxDeflateRatio;
    inflated_ = inflatePrefix(file, possible);
    cut_ = inflated_.size() == maxInflated;
    // Once more for the checksums, into the same memory.
    damaged_ = !cut_ && !inflateGzip(file, inflated_, inflated_.size(), {});
    file = inflated_;
  }
  raw_ = asText(file);
  constexpr std::string_view mark8 = "\xef\xbb\xbf", little = "\xff\xfe", big = "\xfe\xff";
  if (raw_.starts_with(mark8)) {
    raw_.remove_prefix(mark8.size());
  } else if (raw_.starts_with(little) || raw_.starts_with(big)) {
    cut_ = cut_ || raw_.size() > maxInflated;
    converted_ = fromUtf16(raw_.substr(2, maxInflated), raw_.starts_with(big));
    raw_ = converted_;
    encoding_ = "UTF-16";
  }
  // A text that was cut may end within a character.
  if (!validUtf8(cut_ ? raw_.substr(0, raw_.size() - std::min<std::size_t>(raw_.size(), 4)) : raw_)) {
    singleByte_ = true;
    encoding_ = "Windows-1252";
  }
}

std::string PlainText::utf8(std::string_view piece) const {
  std::string out;
  out.reserve(piece.size());
  for (std::size_t i = 0; i < piece.size();) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    if (byte < 0x80) {
      out += piece[i++];
    } else if (singleByte_) {
      appendUtf8(out, byte < 0xA0 ? windows1252[byte - 0x80] : byte);
      ++i;
    } else if (const std::size_t length = utf8Length(piece, i); length > 0) {
      out += piece.substr(i, length);
      i += length;
    } else {
      appendUtf8(out, replacement);
      ++i;
    }
  }
  return out;
}

bool PlainText::binary() const {
  constexpr std::size_t looked = 65536;
  return std::any_of(raw_.begin(), raw_.begin() + static_cast<std::ptrdiff_t>(std::min(raw_.size(), looked)),
                     [](char c) {
                       const auto byte = static_cast<unsigned char>(c);
                       return byte < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' &&
                              c != '\x1b' && c != '\x1a';
                     });
}

bool hasTextSuffix(const std::string& name, std::string_view suffix) {
  constexpr std::string_view gz = ".gz";
  std::string lower = lowerFileName(name);
  if (lower.ends_with(gz)) lower.resize(lower.size() - gz.size());
  return lower.ends_with(suffix);
}

std::string lowerFileName(const std::string& name) {
  const auto slash = name.rfind('/');
  std::string lower = slash == std::string::npos ? name : name.substr(slash + 1);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace nora
