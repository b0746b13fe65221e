// The folder that is served: every file is opened beneath it, whatever the path or its symlinks say.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <string>

#include <sys/stat.h>

namespace nora {

enum class FileType : std::uint8_t { regular, folder, other };

struct FileStat {
  std::int64_t sizeBytes = 0;
  std::int64_t modifiedNs = 0;  // since 1970
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  FileType type = FileType::regular;
};

[[nodiscard]] FileStat fileStat(const struct stat& status);

class ServedRoot {
 public:
  /// Errors: notFound, invalidInput (not a folder), forbidden (not readable).
  [[nodiscard]] static Result<ServedRoot> open(const std::string& folder);

  /// Opens a regular file read-only by a path relative to the root, as path_text.hpp writes it. Symlinks are followed as long as they stay beneath
  /// the root (openat2 RESOLVE_BENEATH). Errors: forbidden (leaves the root), notFound, invalidInput (not a regular
  /// file).
  [[nodiscard]] Result<UniqueFd> openFile(const std::string& relativePath) const;
  [[nodiscard]] Result<UniqueFd> openFolder(const std::string& relativePath) const;
  [[nodiscard]] Result<FileStat> stat(const std::string& relativePath) const;

  /// Absolute, without links.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace nora
