// Files that stay mapped in the server while other programs may change, cut or lose them.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

namespace nora {

/// What tells one state of a file from another.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds
  std::int64_t changed = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Nothing if the descriptor is not open.
[[nodiscard]] std::optional<FileStamp> stampOf(int fd);

/// Keeps watch over a mapping of a file. Bytes that are no longer there (the file was cut, the disk fails) read as
/// zeros, where the kernel would end the program with SIGBUS; isIntact() tells it, and every other change of the file.
/// Its first use takes the handler of SIGBUS; faults elsewhere go on to the one before.
/// Thread: any.
class FileGuard {
 public:
  /// `pages`: the mapping, whole pages; it must live longer than the guard. `stamp`: the state in which the file has to
  /// stay. Keeps a descriptor of its own. Errors: limitExceeded (too many descriptors, or too many guards).
  [[nodiscard]] static Result<std::unique_ptr<FileGuard>> over(std::span<const std::byte> pages, int fd,
                                                               const FileStamp& stamp, const std::string& name);
  ~FileGuard();
  FileGuard(const FileGuard&) = delete;
  FileGuard& operator=(const FileGuard&) = delete;

  /// False once the file is another than it was. Quick: one call of the system. Changes that follow each other within
  /// the clock tick of the file system (milliseconds) may look like one.
  [[nodiscard]] bool isIntact() const;

 private:
  FileGuard(std::size_t slot, UniqueFd fd, const FileStamp& stamp);

  std::size_t slot_;
  UniqueFd fd_;
  FileStamp stamp_;
};

}  // namespace nora
