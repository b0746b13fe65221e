#include "image/io/companions.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nora {
namespace {

struct Pair {
  std::string_view header;
  std::string_view data;
};
constexpr std::array pairs{
    Pair{".hdr", ".img"},    Pair{".hdr", ".img.gz"},   Pair{".hdr.gz", ".img.gz"}, Pair{".HDR", ".IMG"},
    Pair{".HEAD", ".BRIK"},  Pair{".HEAD", ".BRIK.gz"}, Pair{".PAR", ".REC"},       Pair{".par", ".rec"},
    Pair{".PAR", ".REC.gz"}, Pair{".par", ".rec.gz"},   Pair{".Par", ".Rec"},
};

}  // namespace

std::vector<std::string> companionsOf(const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [header, data] : pairs) {
    if (name.ends_with(header)) out.push_back(name.substr(0, name.size() - header.size()).append(data));
    if (name.ends_with(data)) out.push_back(name.substr(0, name.size() - data.size()).append(header));
  }
  return out;
}

bool isSecondOfPair(const std::string& name) {
  return std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) { return name.ends_with(pair.data); });
}

}  // namespace nora
