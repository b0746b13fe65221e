#include "image/io/companions.hpp"

#include <array>
#include <string_view>

namespace nora {
namespace {

struct Pair {
  std::string_view header;
  std::string_view data;
};
constexpr std::array<Pair, 4> pairs{{{".hdr", ".img"}, {".hdr", ".img.gz"}, {".hdr.gz", ".img.gz"}, {".HDR", ".IMG"}}};

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
  for (const auto& pair : pairs) {
    if (name.ends_with(pair.data)) return true;
  }
  return false;
}

}  // namespace nora
