// What BIDS names say: entities, a suffix, and which sidecars are inherited by them.
#include "image/io/sidecars.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace nora {
namespace {

struct BidsName {
  std::set<std::string> entities;  // "task-rest"
  std::string suffix;              // "bold"
  std::string extension;           // ".nii.gz"
};

std::optional<BidsName> bidsName(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  BidsName out;
  const auto dot = name.find('.');
  if (dot == std::string::npos) return std::nullopt;
  out.extension = name.substr(dot);
  name.resize(dot);
  for (std::size_t at = 0;;) {
    const auto end = name.find('_', at);
    if (end == std::string::npos) {
      out.suffix = name.substr(at);
      break;
    }
    out.entities.insert(name.substr(at, end - at));
    at = end + 1;
  }
  const auto isEntity = [](const std::string& part) {
    const auto dash = part.find('-');
    return dash != std::string::npos && dash > 0 && dash + 1 < part.size();
  };
  const bool good = !out.suffix.empty() && out.suffix.find('-') == std::string::npos &&
                    std::all_of(out.entities.begin(), out.entities.end(), isEntity);
  return good ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

bool isBidsName(const std::string& imageName) {
  const auto name = bidsName(imageName);
  return name && !name->entities.empty() && !sidecarsOf(imageName).empty();
}

std::vector<std::string> inheritedSidecars(const std::string& imageName, const std::vector<std::string>& names) {
  static constexpr std::array<std::string_view, 3> extensions{".json", ".bval", ".bvec"};
  const auto image = bidsName(imageName);
  if (!image) return {};
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& name : names) {
    if (std::none_of(extensions.begin(), extensions.end(), [&](auto end) { return name.ends_with(end); })) continue;
    const auto sidecar = bidsName(name);
    if (!sidecar || sidecar->suffix != image->suffix ||
        std::find(extensions.begin(), extensions.end(), sidecar->extension) == extensions.end() ||
        !std::includes(image->entities.begin(), image->entities.end(), sidecar->entities.begin(),
                       sidecar->entities.end())) {
      continue;
    }
    found.emplace_back(sidecar->entities.size(), name);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> out;
  for (auto& [count, name] : found) out.push_back(std::move(name));
  return out;
}

}  // namespace nora
