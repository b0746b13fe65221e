#include "app/file_set.hpp"

#include "image/io/companions.hpp"
#include "image/io/sidecars.hpp"

#include <algorithm>

namespace nora {
namespace {

/// A relative name that stays in its folder or below.
bool staysBelow(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    if (name.compare(at, end - at, "..") == 0) return false;
    at = end + 1;
  }
  return true;
}

std::string folderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

}  // namespace

Result<std::vector<OpenedFile>> openFileSet(ReaderPool& pool, const std::string& path, const OpenByPath& open,
                                            std::stop_token stop) {
  std::vector<OpenedFile> files;
  auto asked = open(path);
  if (!asked) return tl::make_unexpected(asked.error());
  files.push_back(std::move(*asked));
  for (const std::string& name : companionsOf(path)) {
    auto companion = open(name);
    if (!companion) continue;
    files.push_back(std::move(*companion));
    break;
  }
  const auto summaries = pool.peek(std::span(files), stop);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "cancelled", path);
  for (const auto& summary : summaries) {
    if (!summary) continue;  // reading says the same, better
    for (const std::string& part : summary->parts) {
      if (!staysBelow(part)) continue;
      if (auto file = open(folderOf(path) + part)) files.push_back(std::move(*file));
    }
  }
  for (const std::string& name : sidecarsOf(path)) {
    auto sidecar = open(name);
    if (!sidecar) continue;
    sidecar->sidecar = true;
    files.push_back(std::move(*sidecar));
  }
  return files;
}

}  // namespace nora
