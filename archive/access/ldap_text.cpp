#include "archive/access/ldap_text.hpp"

#include "archive/access/encoding.hpp"
#include "base/utf8.hpp"

#include <cstdint>

namespace nora {
namespace {

constexpr std::size_t longestName = 256;  // bytes

}  // namespace

std::string ldapFilterValue(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = c >= 0x20 && c < 0x7F && std::string_view("*()\\").find(c) == std::string_view::npos;
    out += plain ? std::string(1, c) : "\\" + toHex(std::string_view(&c, 1));
  }
  return out;
}

std::string ldapNameValue(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool special = std::string_view("\"+,;<>\\=#").find(c) != std::string_view::npos;
    const bool edge = c == ' ' && (i == 0 || i + 1 == text.size());
    const bool plain = c >= 0x20 && c < 0x7F && !special && !edge;
    out += plain ? std::string(1, c) : "\\" + toHex(std::string_view(&c, 1));
  }
  return out;
}

std::string filledIn(std::string pattern, std::string_view word, std::string_view value) {
  const std::string place = "{" + std::string(word) + "}";
  for (std::size_t at = pattern.find(place); at != std::string::npos; at = pattern.find(place, at + value.size())) {
    pattern.replace(at, place.size(), value);
  }
  return pattern;
}

Result<void> checkDirectoryName(std::string_view name) {
  if (name.empty()) return fail(ErrorCode::invalidInput, "is empty", "user name");
  if (name.size() > longestName) return fail(ErrorCode::invalidInput, "is longer than 256 bytes", "user name");
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = utf8Length(name, i);
    const auto byte = static_cast<std::uint8_t>(name[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      return fail(ErrorCode::invalidInput, "has control characters or is not UTF-8", "user name");
    }
    i += length;
  }
  return {};
}

}  // namespace nora
