#include "base/mapped_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr int allSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

tl::unexpected<Error> systemError(const char* action, const std::string& name) {
  const ErrorCode code = errno == ENOMEM ? ErrorCode::limitExceeded : ErrorCode::internal;
  return fail(code, std::string(action) + ": " + std::strerror(errno), name);
}

}  // namespace

MappedBytes::MappedBytes(MappedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      skipped_(std::exchange(other.skipped_, 0)),
      guard_(std::move(other.guard_)) {}

MappedBytes& MappedBytes::operator=(MappedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(skipped_, other.skipped_);
  std::swap(guard_, other.guard_);
  return *this;
}

MappedBytes::~MappedBytes() {
  guard_.reset();  // before another mapping may take the place
  if (data_ != nullptr) ::munmap(data_, size_);
}

Result<MappedBytes> MappedBytes::readOnly(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return systemError("cannot stat", name);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalidInput, "not a regular file", name);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedBytes{};
  // Private, not shared: before Linux 6.7 a write-sealed memfd refuses every shared mapping, even a read-only one.
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return systemError("cannot map", name);
  return MappedBytes(static_cast<std::byte*>(data), size);
}

Result<MappedBytes> MappedBytes::ofFile(int fd, const FileStamp& stamp, const FilePart& part, const std::string& name) {
  if (stampOf(fd) != stamp) return fail(ErrorCode::invalidInput, "the file was changed while it was read", name);
  if (part.size == 0 || part.offset > stamp.size || part.size > stamp.size - part.offset) {
    return fail(ErrorCode::invalidInput, "the file is too short", name);
  }
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto whole = [page](std::size_t size) { return (size + page - 1) / page * page; };
  const auto skipped = static_cast<std::size_t>(part.offset % page);
  const std::size_t size = whole(skipped + part.size + part.padding);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return systemError("cannot map", name);
  MappedBytes out(static_cast<std::byte*>(data), size);
  const std::size_t inFile = std::min(whole(skipped + part.size), size);
  const auto start = static_cast<off_t>(part.offset - skipped);
  if (::mmap(data, inFile, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, start) == MAP_FAILED) {
    return systemError("cannot map", name);
  }
  auto guard = FileGuard::over({out.data_, inFile}, fd, stamp, name);
  if (!guard) return tl::make_unexpected(guard.error());
  out.guard_ = std::move(*guard);
  out.skipped_ = skipped;
  out.size_ = skipped + part.size + part.padding;
  return out;
}

Result<MappedBytes> MappedBytes::readWrite(int fd, std::size_t size, const std::string& name) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return systemError("cannot map", name);
  ::madvise(data, size, MADV_HUGEPAGE);  // fewer page faults while the voxels are written; only a hint
  return MappedBytes(static_cast<std::byte*>(data), size);
}

Result<UniqueFd> createMemoryFile(const std::string& name, std::size_t size) {
  UniqueFd fd(::memfd_create("nora", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return systemError("cannot create shared memory", name);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return systemError("cannot size shared memory", name);
  return fd;
}

Result<void> sealMemoryFile(int fd) {
  // The kernel refuses with EBUSY while something of its own (khugepaged, memory scanners) holds a page for a moment.
  constexpr int tries = 200;
  for (int i = 0; i < tries; ++i) {
    if (::fcntl(fd, F_ADD_SEALS, allSeals) == 0) return {};
    if (errno != EBUSY) break;
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return systemError("cannot seal shared memory", "");
}

bool isSealed(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & allSeals) == allSeals;
}

}  // namespace nora
