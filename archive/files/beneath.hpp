// Opens a path beneath a folder and nowhere else: the one place where the served tree meets the system calls.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <string>

namespace nora {

enum class BeneathMethod {
  best,      // openat2, or `fallback` where the kernel or a system call filter has none
  fallback,  // O_PATH, look where it ended up by /proc/self/fd, then open that very inode
};

/// Opens `relativePath` beneath `rootFd` with `flags` (as open(2); O_CLOEXEC is added). "" and "." are the root itself.
/// `rootPath` is the root's canonical absolute path: an absolute link that ends beneath it is followed too.
/// Errors: invalidInput (a NUL byte, too long), forbidden (leaves the root, not readable), notFound, internal.
[[nodiscard]] Result<UniqueFd> openBeneath(int rootFd, const std::string& rootPath, const std::string& relativePath,
                                           int flags, BeneathMethod method = BeneathMethod::best);

/// Where an open descriptor lies, by /proc/self/fd; empty if that cannot be said.
[[nodiscard]] std::string pathOfDescriptor(int fd);

}  // namespace nora
