#include "archive/files/placed_file.hpp"

#include "archive/access/secret.hpp"
#include "archive/files/beneath.hpp"
#include "base/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr std::size_t copyBytes = std::size_t{1} << 20;

Result<void> checkPlace(const std::string& path) {
  const auto wrong = [&](const char* what) { return fail(ErrorCode::invalidInput, what, path); };
  if (path.empty() || path.size() > 4096) return wrong("a path has 1 to 4096 bytes");
  if (path.find('\0') != std::string::npos) return wrong("a path has no zero bytes");
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end == at) return wrong("a path is relative and has no empty parts");
    if (path[at] == '.') return wrong("names in a project do not begin with a dot");
    at = end + 1;
  }
  return {};
}

/// Bytes at a place, as many as there are up to the size of the buffer.
ssize_t readAt(int fd, std::vector<char>& buffer, std::int64_t at) {
  ssize_t got = 0;
  do got = ::pread(fd, buffer.data(), buffer.size(), at);
  while (got < 0 && errno == EINTR);
  return got;
}

Result<void> writeAll(int fd, std::string_view bytes, const std::string& where) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return tl::make_unexpected(systemError(errno, where));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> copyBytesOf(int source, const struct stat& status, int target, const std::string& path,
                         std::stop_token stop) {
  std::vector<char> buffer(copyBytes);
  std::int64_t at = 0;
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped; the file was not stored", path);
    const ssize_t got = readAt(source, buffer, at);
    if (got < 0)
      return fail(ErrorCode::unavailable, std::string("the source cannot be read: ") + std::strerror(errno), path);
    if (got == 0) break;
    if (auto put = writeAll(target, {buffer.data(), static_cast<std::size_t>(got)}, path); !put) return put;
    at += got;
  }
  struct stat now {};
  const bool isSame = ::fstat(source, &now) == 0 && now.st_size == status.st_size && at == status.st_size &&
                      now.st_mtim.tv_sec == status.st_mtim.tv_sec && now.st_mtim.tv_nsec == status.st_mtim.tv_nsec;
  if (!isSame) return fail(ErrorCode::unavailable, "the source changed while it was read: try again", path);
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, status.st_mtim};
  if (::futimens(target, times.data()) != 0) return tl::make_unexpected(systemError(errno, path));
  return synchronise(target, path);
}

Result<bool> isSameContent(int a, int b) {
  std::vector<char> first(copyBytes), second(copyBytes);
  for (std::int64_t at = 0;;) {
    const ssize_t gotFirst = readAt(a, first, at), gotSecond = readAt(b, second, at);
    if (gotFirst < 0 || gotSecond < 0) return fail(ErrorCode::unavailable, std::strerror(errno), "");
    if (gotFirst != gotSecond) return false;
    if (gotFirst == 0) return true;
    if (!std::equal(first.begin(), first.begin() + gotFirst, second.begin())) return false;
    at += gotFirst;
  }
}

Result<Placed> compareWith(int source, int folder, const std::string& name, const std::string& path) {
  const UniqueFd there(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (there && ::fstat(there.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    const auto same = isSameContent(source, there.get());
    if (!same) return tl::make_unexpected(same.error());
    if (*same) return Placed::wasThere;
  }
  return fail(ErrorCode::invalidInput, "another file is there already", path);
}

/// A new file in a folder, without a name where the file system can do that.
struct Unnamed {
  UniqueFd fd;
  std::string hidden;  // its name; empty: it has none
};

Result<Unnamed> newFile(int folder, const std::string& path) {
  constexpr mode_t mode = 0666;  // less what umask says
  Unnamed out{UniqueFd(::openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode)), {}};
  if (out.fd) return out;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) return tl::make_unexpected(systemError(errno, path));
  out.hidden = ".nora-part-" + hashOfSecret(randomBytes(16)).substr(0, 16);
  out.fd.reset(::openat(folder, out.hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out.fd) return tl::make_unexpected(systemError(errno, path));
  return out;
}

/// 0, or the error's number. Never in the place of another file.
int giveName(const Unnamed& file, int folder, const std::string& name) {
  int done = 0;
  if (file.hidden.empty()) {
    const std::string self = "/proc/self/fd/" + std::to_string(file.fd.get());
    done = ::linkat(AT_FDCWD, self.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW);
  } else {
    done = ::renameat2(folder, file.hidden.c_str(), folder, name.c_str(), RENAME_NOREPLACE);
    if (done != 0 && errno == EINVAL) done = ::linkat(folder, file.hidden.c_str(), folder, name.c_str(), 0);
  }
  return done == 0 ? 0 : errno;
}

}  // namespace

Error systemError(int number, const std::string& where) {
  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    return {ErrorCode::limitExceeded, std::string("make room; nothing was stored: ") + std::strerror(number), where};
  if (number == EROFS || number == EACCES || number == EPERM)
    return {ErrorCode::forbidden, std::string("cannot be written: ") + std::strerror(number), where};
  if (number == ENOENT || number == ENOTDIR) return {ErrorCode::notFound, std::strerror(number), where};
  if (number == ENAMETOOLONG || number == EEXIST) return {ErrorCode::invalidInput, std::strerror(number), where};
  return {ErrorCode::internal, std::strerror(number), where};
}

Result<void> synchronise(int fd, const std::string& where) {
  if (::fsync(fd) == 0 || errno == EINVAL) return {};  // EINVAL: some file systems cannot for folders
  return tl::make_unexpected(systemError(errno, where));
}

Result<void> makeFolders(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0) {
    if (errno == EEXIST) {
      std::error_code failed;
      if (std::filesystem::is_directory(folder, failed)) return {};
      return fail(ErrorCode::invalidInput, "a file is where a folder should be", folder);
    }
    const auto above = std::filesystem::path(folder).parent_path().string();
    if (errno != ENOENT || above.empty() || above == folder) return tl::make_unexpected(systemError(errno, folder));
    if (auto made = makeFolders(above); !made) return made;
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return tl::make_unexpected(systemError(errno, folder));
  }
  const auto above = std::filesystem::path(folder).parent_path();
  const UniqueFd fd(::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd ? synchronise(fd.get(), folder) : Result<void>();
}

Result<Placed> placeFile(int source, const std::string& root, const std::string& path, std::stop_token stop) {
  if (auto right = checkPlace(path); !right) return tl::make_unexpected(right.error());
  struct stat status {};
  if (::fstat(source, &status) != 0) return tl::make_unexpected(systemError(errno, path));
  const std::size_t slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (auto made = above.empty() ? Result<void>() : makeFolders(root + "/" + above); !made)
    return tl::make_unexpected(made.error());
  const UniqueFd rootFd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!rootFd) return tl::make_unexpected(systemError(errno, root));
  const auto folder = openBeneath(rootFd.get(), root, above, O_RDONLY | O_DIRECTORY);
  if (!folder) return tl::make_unexpected(folder.error());
  struct stat there {};
  if (::fstatat(folder->get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0)
    return compareWith(source, folder->get(), name, path);
  auto made = newFile(folder->get(), path);
  if (!made) return tl::make_unexpected(made.error());
  auto copied = copyBytesOf(source, status, made->fd.get(), path, stop);
  const int failed = copied ? giveName(*made, folder->get(), name) : 0;
  if (!made->hidden.empty()) ::unlinkat(folder->get(), made->hidden.c_str(), 0);
  if (!copied) return tl::make_unexpected(copied.error());
  if (failed == EEXIST) return compareWith(source, folder->get(), name, path);
  if (failed != 0) return tl::make_unexpected(systemError(failed, path));
  if (auto kept = synchronise(folder->get(), path); !kept) return tl::make_unexpected(kept.error());
  return Placed::stored;
}

Result<void> replaceFile(const std::string& file, std::string_view text) {
  const std::filesystem::path path(file);
  const std::string hidden =
      (path.parent_path() / (".nora-part-" + hashOfSecret(randomBytes(16)).substr(0, 16))).string();
  const auto write = [&]() -> Result<void> {
    const UniqueFd fd(::open(hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd) return tl::make_unexpected(systemError(errno, file));
    if (auto put = writeAll(fd.get(), text, file); !put) return put;
    if (auto kept = synchronise(fd.get(), file); !kept) return kept;
    if (::rename(hidden.c_str(), file.c_str()) != 0) return tl::make_unexpected(systemError(errno, file));
    return {};
  };
  if (auto done = write(); !done) {
    ::unlink(hidden.c_str());
    return done;
  }
  const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder ? synchronise(folder.get(), file) : Result<void>();
}

}  // namespace nora
