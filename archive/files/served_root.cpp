// Files of the served folder: opened, checked, described.
#include "archive/files/served_root.hpp"

#include "archive/files/beneath.hpp"
#include "archive/files/path_text.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace nora {
namespace {

constexpr std::int64_t nanosecondsPerSecond = 1'000'000'000;

Result<struct stat> statusOf(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail(ErrorCode::internal, std::strerror(errno), path);
  return status;
}

}  // namespace

FileStat fileStat(const struct stat& status) {
  FileStat result;
  result.sizeBytes = status.st_size;
  result.modifiedNs = status.st_mtim.tv_sec * nanosecondsPerSecond + status.st_mtim.tv_nsec;
  result.device = status.st_dev;
  result.inode = status.st_ino;
  result.type = S_ISREG(status.st_mode)   ? FileType::regular
                : S_ISDIR(status.st_mode) ? FileType::folder
                                          : FileType::other;
  return result;
}

Result<ServedRoot> ServedRoot::open(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    switch (errno) {
      case ENOENT: return fail(ErrorCode::notFound, "the folder does not exist", folder);
      case ENOTDIR: return fail(ErrorCode::invalidInput, "this is not a folder", folder);
      case EACCES: return fail(ErrorCode::forbidden, "the folder is not readable: permission denied", folder);
      default: return fail(ErrorCode::invalidInput, std::strerror(errno), folder);
    }
  }
  ServedRoot root;
  root.path_ = pathOfDescriptor(fd.get());
  if (root.path_.empty()) return fail(ErrorCode::internal, "the folder's path cannot be read from /proc", folder);
  root.fd_ = std::move(fd);
  return root;
}

Result<UniqueFd> ServedRoot::openFile(const std::string& relativePath) const {
  if (relativePath.empty()) return fail(ErrorCode::invalidInput, "this is not a regular file", relativePath);
  // Without O_NONBLOCK a FIFO would block until somebody writes.
  auto fd = openBeneath(fd_.get(), path_, pathOfText(relativePath), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return fd;
  const auto status = statusOf(fd->get(), relativePath);
  if (!status) return tl::make_unexpected(status.error());
  if (!S_ISREG(status->st_mode)) return fail(ErrorCode::invalidInput, "this is not a regular file", relativePath);
  ::fcntl(fd->get(), F_SETFL, 0);
  return fd;
}

Result<UniqueFd> ServedRoot::openFolder(const std::string& relativePath) const {
  auto fd = openBeneath(fd_.get(), path_, pathOfText(relativePath), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return fd;
  const auto status = statusOf(fd->get(), relativePath);
  if (!status) return tl::make_unexpected(status.error());
  if (!S_ISDIR(status->st_mode)) return fail(ErrorCode::invalidInput, "this is not a folder", relativePath);
  return fd;
}

Result<FileStat> ServedRoot::stat(const std::string& relativePath) const {
  const auto fd = openBeneath(fd_.get(), path_, pathOfText(relativePath), O_PATH);
  if (!fd) return tl::make_unexpected(fd.error());
  const auto status = statusOf(fd->get(), relativePath);
  if (!status) return tl::make_unexpected(status.error());
  return fileStat(*status);
}

}  // namespace nora
