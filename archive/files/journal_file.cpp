#include "archive/files/journal_file.hpp"

#include "archive/files/placed_file.hpp"
#include "base/unique_fd.hpp"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

/// Locked against other programs until it is closed.
UniqueFd openLocked(const std::string& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  while (fd && ::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fd.reset();
  }
  return fd;
}

}  // namespace

std::int64_t journalSize(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? std::int64_t{status.st_size} : -1;
}

Result<std::string> readJournal(const std::string& file, std::int64_t from) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::make_unexpected(systemError(errno, file));
  std::string out;
  for (std::string buffer(std::size_t{1} << 20, '\0');;) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), from + static_cast<std::int64_t>(out.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::make_unexpected(systemError(errno, file));
    if (got == 0) break;
    out.append(buffer, 0, static_cast<std::size_t>(got));
  }
  out.resize(out.rfind('\n') + 1);  // npos + 1 is 0
  return out;
}

Result<std::int64_t> appendJournal(const std::string& file, std::int64_t at, std::string_view lines) {
  const UniqueFd fd = openLocked(file);
  if (!fd) return tl::make_unexpected(systemError(errno, file));
  if (::ftruncate(fd.get(), at) != 0) return tl::make_unexpected(systemError(errno, file));
  std::int64_t end = at;
  const auto wrong = [&](const Error& error) {
    static_cast<void>(!::ftruncate(fd.get(), at));
    return tl::make_unexpected(error);
  };
  while (!lines.empty()) {
    const ssize_t put = ::pwrite(fd.get(), lines.data(), lines.size(), end);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return wrong(systemError(errno, file));
    lines.remove_prefix(static_cast<std::size_t>(put));
    end += put;
  }
  if (::fdatasync(fd.get()) != 0) return wrong(systemError(errno, file));
  return end;
}

void takeBackJournal(const std::string& file, std::int64_t start, std::int64_t end) {
  const UniqueFd fd = openLocked(file);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || status.st_size != end) return;
  static_cast<void>(!::ftruncate(fd.get(), start));
}

Result<void> writeJournal(const std::string& file, std::string_view lines) {
  const auto folder = std::filesystem::path(file).parent_path().string();
  if (auto made = makeFolders(folder); !made) return made;
  ::chmod(folder.c_str(), 0700);  // it names people, and has the secret of pseudonyms
  return replaceFile(file, lines);
}

}  // namespace nora
