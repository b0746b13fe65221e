#include "image/io/dicom_text.hpp"

#include "base/utf8.hpp"

#include <iconv.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <mutex>

namespace nora {
namespace {

constexpr std::size_t maxTextBytes = 1024;      // of one string; longer ones are cut
constexpr char replacement[] = "\xEF\xBF\xBD";  // U+FFFD

/// One converter for the life of the process. Source: RFC 1554.
struct Japanese {
  iconv_t converter = iconv_open("UTF-8", "ISO-2022-JP-2");
  std::mutex mutex;

  [[nodiscard]] bool works() const { return converter != reinterpret_cast<iconv_t>(-1); }  // NOLINT: iconv's own mark
};

Japanese& japanese() {
  static Japanese one;
  return one;
}

/// Half-width katakana (JIS X 0201), which DICOM has in the upper half of the table and iconv does not know; any other
/// byte fits nowhere. Source: DICOM PS3.3 C.12.1.1.2, PS3.5 H.3.2.
void appendKatakana(char byte, std::string& output) {
  constexpr unsigned first = 0xA1, last = 0xDF;
  const unsigned number = static_cast<unsigned char>(byte);
  if (number < first || number > last) {
    output += replacement;
    return;
  }
  const unsigned code = 0xFF61U + number - first;  // in UTF-8: three bytes
  output += static_cast<char>(0xE0U | (code >> 12));
  output += static_cast<char>(0x80U | ((code >> 6) & 0x3FU));
  output += static_cast<char>(0x80U | (code & 0x3FU));
}

}  // namespace

std::string cleanedText(std::string_view text) {
  std::string clean;
  for (std::size_t at = 0; at < text.size() && clean.size() < maxTextBytes;) {
    const std::size_t count = utf8Length(text, at);
    const auto lead = static_cast<unsigned char>(text[at]);
    const bool c1 = count == 2 && lead == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (count == 0) {
      clean += replacement;
    } else if (lead >= 0x20 && lead != 0x7F && !c1) {
      clean += text.substr(at, count);
    }
    at += count == 0 ? 1 : count;
  }
  const auto first = clean.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return clean.substr(first, clean.find_last_not_of(' ') - first + 1);
}

std::optional<double> numberOfText(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool isJapaneseCodeExtension(std::string_view specificCharacterSet) {
  return specificCharacterSet.find("ISO 2022 IR 87") != std::string_view::npos ||
         specificCharacterSet.find("ISO 2022 IR 159") != std::string_view::npos;
}

void prepareJapaneseText() {
  (void)japanese();
}

std::string utf8FromJapanese(std::string_view text) {
  Japanese& one = japanese();
  if (!one.works()) return std::string(text);
  const std::lock_guard lock(one.mutex);
  iconv(one.converter, nullptr, nullptr, nullptr, nullptr);
  std::string input, output;
  constexpr std::string_view katakana = "\x1b)I";  // "the upper half is katakana": it always is
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find(katakana, at), text.size());
    input += text.substr(at, next - at);
    at = next + katakana.size();
  }
  char* from = input.data();
  std::size_t left = input.size();
  while (left > 0) {
    char buffer[256];
    char* to = buffer;
    std::size_t room = sizeof buffer;
    const std::size_t before = left;
    const bool good = iconv(one.converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
    output.append(buffer, sizeof buffer - room);
    if (good || left == 0) break;
    if (room != sizeof buffer || left != before) continue;
    appendKatakana(*from, output);  // no progress
    ++from;
    --left;
  }
  return output;
}

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace nora
