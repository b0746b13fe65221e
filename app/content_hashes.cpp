#include "app/content_hashes.hpp"

#include "archive/files/content_hash.hpp"
#include "archive/files/served_root.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::int64_t filesPerBatch = 256;  // and one transaction

bool isAsKnown(const ServedRoot& root, const Archive::Unhashed& file) {
  const auto now = root.stat(file.path);
  return now && now->sizeBytes == file.size && now->modifiedNs / 1000 == file.mtimeUs;
}

}  // namespace

Result<std::int64_t> hashContents(Archive& archive, const ProjectRecord& project, std::int64_t most,
                                  const std::function<bool()>& isWanted, const std::stop_token& stop) {
  const auto root = ServedRoot::open(project.root);
  if (!root) return tl::make_unexpected(root.error());
  const auto goesOn = [&] { return !stop.stop_requested() && isWanted(); };
  std::int64_t out = 0;
  for (std::int64_t after = 0; out < most && goesOn();) {
    const auto some = archive.unhashed(project.id, after, static_cast<int>(std::min(filesPerBatch, most - out)));
    if (!some) return tl::make_unexpected(some.error());
    if (some->empty()) break;
    std::vector<std::pair<Archive::Unhashed, std::string>> hashes;
    for (const Archive::Unhashed& file : *some) {
      if (!goesOn()) break;
      after = file.id;
      const auto fd = root->openFile(file.path);
      auto hash = fd ? contentHash(fd->get(), file.size, stop) : Result<std::string>(tl::make_unexpected(fd.error()));
      if (hash && isAsKnown(*root, file)) hashes.emplace_back(file, *std::move(hash));  // else the next scan sees it
    }
    if (auto set = archive.setHashes(project.id, hashes); !set) return tl::make_unexpected(set.error());
    out += static_cast<std::int64_t>(hashes.size());
  }
  return out;
}

}  // namespace nora
