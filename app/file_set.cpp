#include "app/file_set.hpp"

#include "image/io/companions.hpp"
#include "image/io/sidecars.hpp"
#include "image/io/trx_reader.hpp"

#include <algorithm>
#include <memory>

#include <dirent.h>
#include <fcntl.h>

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

/// The members of an unpacked TRX: below its folder, which has folders of arrays, and one of folders of them.
void addFolder(const std::string& folder, int depth, const FileAccess& access, std::vector<OpenedFile>& files) {
  constexpr std::size_t mostMembers = 20'000;
  for (const std::string& name : access.list(folder)) {
    if (files.size() >= mostMembers) return;
    const std::string path = folder + name;
    if (path == files.front().name) continue;
    if (auto file = access.open(path)) {
      files.push_back(std::move(*file));
    } else if (depth > 0) {
      addFolder(path + '/', depth - 1, access, files);
    }
  }
}

/// Files of the folders above that BIDS lets the image inherit; the nearest first.
void addInherited(const std::string& path, const FileAccess& access, std::vector<OpenedFile>& files) {
  constexpr int mostLevels = 8;
  std::vector<std::string> folders{folderOf(path)};
  const auto isDataSet = [&](const std::string& folder) {
    return access.open(folder + "dataset_description.json").has_value();
  };
  while (!isDataSet(folders.back())) {
    std::string above = folders.back();
    if (above == "/" || folders.size() == mostLevels) return;  // no BIDS
    if (above.empty() || above.ends_with("../")) {
      above.insert(0, "../");
    } else {
      above.pop_back();
      above = folderOf(above);
    }
    folders.push_back(above);
  }
  for (const std::string& folder : folders) {
    for (const std::string& name : inheritedSidecars(path, access.list(folder))) {
      const std::string full = folder + name;
      if (std::any_of(files.begin(), files.end(), [&](const OpenedFile& file) { return file.name == full; })) continue;
      auto sidecar = access.open(full);
      if (!sidecar) continue;
      sidecar->sidecar = true;
      files.push_back(std::move(*sidecar));
    }
  }
}

}  // namespace

std::vector<std::string> namesIn(int folder) {
  constexpr std::size_t mostNames = 50'000;
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 0)), ::closedir);
  while (stream && names.size() < mostNames) {
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<OpenedFile>> openFileSet(ReaderPool& pool, const std::string& path, const FileAccess& access,
                                            std::stop_token stop) {
  const auto& open = access.open;
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
    if (summary->format == trxFolderFormat) addFolder(folderOf(path), 2, access, files);
    for (const std::string& part : summary->parts) {
      if (!staysBelow(part)) continue;  // nor one of the same name beside the header: it may be another's
      if (auto file = open(folderOf(path) + part)) files.push_back(std::move(*file));
    }
  }
  for (const std::string& name : sidecarsOf(path)) {
    auto sidecar = open(name);
    if (!sidecar) continue;
    sidecar->sidecar = true;
    files.push_back(std::move(*sidecar));
  }
  if (isBidsName(path)) addInherited(path, access, files);
  return files;
}

}  // namespace nora
