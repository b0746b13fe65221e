#include "app/sidecar_metadata.hpp"

#include "app/file_set.hpp"
#include "image/io/sidecars.hpp"

#include <algorithm>

#include <unistd.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::int64_t longestSidecar = std::int64_t{1} << 20;
constexpr std::size_t mostFolders = 4096;
constexpr std::string_view dataset = "dataset_description.json";

std::string folderOf(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

/// "a/" of "a/b/"; empty of "a/".
std::string above(std::string folder) {
  folder.pop_back();
  return folderOf(folder);
}

nlohmann::json objectIn(const ServedRoot& root, const std::string& name) {
  const auto stat = root.stat(name);
  if (!stat || stat->type != FileType::regular || stat->sizeBytes > longestSidecar) return {};
  const auto fd = root.openFile(name);
  if (!fd) return {};
  std::string text(static_cast<std::size_t>(stat->sizeBytes), '\0');
  const ssize_t got = ::pread(fd->get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() ? json : nlohmann::json();
}

void mergeUnder(nlohmann::json& nearer, const nlohmann::json& farther) {
  if (!farther.is_object()) return;
  for (const auto& [key, value] : farther.items()) {
    if (!nearer.contains(key)) nearer[key] = value;
  }
}

}  // namespace

const std::vector<std::string>& SidecarMetadata::jsonIn(const std::string& folder) {
  if (folders_.size() >= mostFolders) folders_.clear();
  const auto [at, isNew] = folders_.try_emplace(folder);
  if (!isNew) return at->second;
  if (const auto fd = root_.openFolder(folder.empty() ? "." : folder)) at->second = namesIn(fd->get());
  std::erase_if(at->second, [](const std::string& name) { return !name.ends_with(".json"); });
  return at->second;
}

std::string SidecarMetadata::of(const std::string& image) {
  nlohmann::json merged = nlohmann::json::object();
  for (const std::string& name : sidecarsOf(image)) {
    if (name.ends_with(".json")) mergeUnder(merged, objectIn(root_, name));
  }
  if (isBidsName(image)) {
    nlohmann::json inherited = nlohmann::json::object();
    bool isBids = false;
    for (std::string folder = folderOf(image);; folder = above(folder)) {
      const auto names = jsonIn(folder);
      for (const std::string& name : inheritedSidecars(image, names)) {
        if (name.ends_with(".json")) mergeUnder(inherited, objectIn(root_, folder + name));
      }
      isBids = std::find(names.begin(), names.end(), dataset) != names.end();
      if (folder.empty() || isBids) break;
    }
    if (isBids) mergeUnder(merged, inherited);
  }
  return merged.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool mayBeInherited(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.ends_with(".json") && name != dataset && !imagesOfSidecar(path).empty() &&
         name.find('_') != std::string::npos;
}

}  // namespace nora
