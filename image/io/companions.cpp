#include "image/io/companions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace nora {
namespace {

struct Pair {
  std::string_view header;
  std::string_view data;
};
constexpr std::array pairs{
    Pair{".hdr", ".img"},      Pair{".hdr", ".img.gz"},    Pair{".hdr.gz", ".img.gz"}, Pair{".head", ".brik"},
    Pair{".head", ".brik.gz"}, Pair{".head", ".brik.bz2"}, Pair{".par", ".rec"},       Pair{".par", ".rec.gz"},
};

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}
char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

bool endsWith(const std::string& name, std::string_view suffix) {
  return name.size() > suffix.size() &&
         std::equal(suffix.rbegin(), suffix.rend(), name.rbegin(), [](char a, char b) { return a == lower(b); });
}

/// ".img.gz" as ".img.gz", ".IMG.gz", ".Img.gz": programs differ in how they write their own suffix. First as the one
/// that is known is written.
std::vector<std::string> spellings(std::string_view suffix, std::string_view known) {
  const std::size_t end = std::min(suffix.find('.', 1), suffix.size());
  std::string small(suffix), large(suffix), capital(suffix);
  std::transform(large.begin(), large.begin() + static_cast<std::ptrdiff_t>(end), large.begin(), upper);
  capital[1] = upper(capital[1]);
  if (known[1] == lower(known[1])) return {small, large, capital};
  if (known[2] == lower(known[2])) return {capital, large, small};
  return {large, capital, small};
}

}  // namespace

std::vector<std::string> companionsOf(const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [header, data] : pairs) {
    for (const auto& [known, other] : {std::pair(header, data), std::pair(data, header)}) {
      if (!endsWith(name, known)) continue;
      const std::string stem = name.substr(0, name.size() - known.size());
      for (const auto& suffix : spellings(other, name.substr(stem.size()))) out.push_back(stem + suffix);
    }
  }
  return out;
}

bool isSecondOfPair(const std::string& name) {
  return std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) { return endsWith(name, pair.data); });
}

}  // namespace nora
