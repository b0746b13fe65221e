// Opening beneath a folder, by openat2 or without it.
#include "archive/files/beneath.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr int maxAttempts = 16;  // openat2 says EAGAIN when a folder on the way was renamed meanwhile

/// Set once the kernel or a filter refused openat2.
std::atomic<bool> openat2Missing{false};

Result<void> checkPath(const std::string& path) {
  if (path.find('\0') != std::string::npos) return fail(ErrorCode::invalidInput, "a path has no NUL bytes", path);
  if (!path.empty() && path.front() == '/')
    return fail(ErrorCode::forbidden, "the path leaves the served folder", path);
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (path.compare(at, end - at, "..") == 0) {
      return fail(ErrorCode::forbidden, "the path leaves the served folder", path);
    }
    at = end + 1;
  }
  return {};
}

tl::unexpected<Error> openError(int number, const std::string& path) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return fail(ErrorCode::notFound, "there is no such file", path);
    case EXDEV: return fail(ErrorCode::forbidden, "the path leaves the served folder", path);
    case EACCES:
    case EPERM: return fail(ErrorCode::forbidden, "the file is not readable: permission denied", path);
    case ELOOP: return fail(ErrorCode::invalidInput, "the symbolic links on the way never end", path);
    case ENAMETOOLONG: return fail(ErrorCode::invalidInput, "the path is too long", path);
    case ENXIO: return fail(ErrorCode::invalidInput, "this is not a regular file", path);
    case EMFILE:
    case ENFILE:
    case ENOMEM: return fail(ErrorCode::unavailable, std::string("cannot open: ") + std::strerror(number), path);
    default: return fail(ErrorCode::internal, std::string("cannot open: ") + std::strerror(number), path);
  }
}

const char* orDot(const std::string& path) {
  return path.empty() ? "." : path.c_str();
}

/// A descriptor, or -errno.
int openat2Beneath(int rootFd, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, rootFd, orDot(path), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if ((errno != EAGAIN && errno != EINTR) || attempt == maxAttempts) return -errno;
  }
}

/// The part of `absolute` beneath `rootPath`, "" for the root itself.
Result<std::string> beneathPart(const std::string& rootPath, const std::string& absolute, const std::string& path) {
  if (absolute == rootPath) return std::string();
  const std::string prefix = rootPath == "/" ? rootPath : rootPath + '/';
  if (!absolute.starts_with(prefix)) return openError(EXDEV, path);
  return absolute.substr(prefix.size());
}

/// Follows all links without opening what is there, and says where it is.
Result<UniqueFd> locate(int rootFd, const std::string& path) {
  UniqueFd located(::openat(rootFd, orDot(path), O_PATH | O_CLOEXEC));
  if (!located) return openError(errno, path);
  return located;
}

Result<UniqueFd> openByFallback(int rootFd, const std::string& rootPath, const std::string& path, int flags) {
  auto located = locate(rootFd, path);
  if (!located) return located;
  const auto part = beneathPart(rootPath, pathOfDescriptor(located->get()), path);
  if (!part) return tl::make_unexpected(part.error());
  if ((flags & O_PATH) != 0) return located;
  // The link in /proc names the inode that was just checked: nothing can be put in its place.
  const std::string name = "/proc/self/fd/" + std::to_string(located->get());
  UniqueFd fd(::open(name.c_str(), flags | O_CLOEXEC));
  if (!fd) return openError(errno, path);
  return fd;
}

/// openat2 refuses every absolute link. Where one ends beneath the root, goes there by the path without links.
Result<UniqueFd> openByCanonicalPath(int rootFd, const std::string& rootPath, const std::string& path, int flags) {
  const auto located = locate(rootFd, path);
  if (!located) return openError(EXDEV, path);
  const auto part = beneathPart(rootPath, pathOfDescriptor(located->get()), path);
  if (!part) return tl::make_unexpected(part.error());
  const int fd = openat2Beneath(rootFd, *part, flags);
  if (fd < 0) return openError(-fd, path);
  return UniqueFd(fd);
}

}  // namespace

std::string pathOfDescriptor(int fd) {
  std::array<char, PATH_MAX> buffer{};
  const std::string name = "/proc/self/fd/" + std::to_string(fd);
  const auto length = ::readlink(name.c_str(), buffer.data(), buffer.size());
  if (length <= 0 || static_cast<std::size_t>(length) >= buffer.size()) return {};
  return {buffer.data(), static_cast<std::size_t>(length)};
}

Result<UniqueFd> openBeneath(int rootFd, const std::string& rootPath, const std::string& relativePath, int flags,
                             BeneathMethod method) {
  if (const auto checked = checkPath(relativePath); !checked) return tl::make_unexpected(checked.error());
  if (method == BeneathMethod::fallback || openat2Missing) {
    return openByFallback(rootFd, rootPath, relativePath, flags);
  }
  const int fd = openat2Beneath(rootFd, relativePath, flags);
  if (fd >= 0) return UniqueFd(fd);
  if (fd == -EXDEV) return openByCanonicalPath(rootFd, rootPath, relativePath, flags);
  // Seccomp filters of old container engines answer EPERM for a call that they do not know; the root tells which it is.
  if (fd == -ENOSYS || (fd == -EPERM && openat2Beneath(rootFd, ".", O_PATH) == -EPERM)) {
    openat2Missing = true;
    return openByFallback(rootFd, rootPath, relativePath, flags);
  }
  return openError(-fd, relativePath);
}

}  // namespace nora
