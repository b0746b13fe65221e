#include "archive/search/fold.hpp"

#include <algorithm>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

namespace nora {
namespace {

/// Nought would end the text for SQLite's LIKE.
char asciiFold(char c) {
  if (c == '\0') return ' ';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string foldText(std::string_view utf8) {
  const bool ascii = std::all_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::string folded;
  if (ascii) {
    folded.assign(utf8);
    std::transform(folded.begin(), folded.end(), folded.begin(), asciiFold);
    return folded;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) return std::string(utf8);  // only where ICU comes without its own data
  icu::StringByteSink<std::string> sink(&folded, static_cast<int32_t>(utf8.size()));
  const icu::UnicodeString text =
      icu::UnicodeString::fromUTF8({utf8.data(), static_cast<int32_t>(utf8.size())});  // bad bytes become U+FFFD
  fold->normalize(text, status).toUTF8(sink);
  if (U_FAILURE(status)) return std::string(utf8);
  std::replace(folded.begin(), folded.end(), '\0', ' ');
  return folded;
}

}  // namespace nora
