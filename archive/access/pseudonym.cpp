#include "archive/access/pseudonym.hpp"

#include "archive/access/digest.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace nora {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr int length = 6;

}  // namespace

std::string pseudonym(std::string_view secret, std::string_view subject, unsigned attempt) {
  if (secret.size() < shortestProjectSecret) std::abort();
  const std::string digest = hmacSha256(secret, "nora subject " + std::to_string(attempt) + " " + std::string(subject));
  std::uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits = (bits << 8) | static_cast<std::uint8_t>(digest[static_cast<std::size_t>(i)]);
  std::string text = "P-";
  for (int i = 0; i < length; ++i) text += digits[(bits >> (27 - 5 * i)) & 31];
  return text;
}

bool looksLikePseudonym(std::string_view folded) {
  constexpr std::string_view before = "p-";
  if (!folded.starts_with(before) || folded.size() != before.size() + length) return false;
  folded.remove_prefix(before.size());
  return std::all_of(folded.begin(), folded.end(), [](char c) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return digits.find(upper) != std::string_view::npos;
  });
}

}  // namespace nora
