// Memory that a file or memfd backs: how bytes reach a reader process and how voxels come back, without a copy.
#pragma once

#include "base/error.hpp"
#include "base/file_guard.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nora {

/// A part of a file that is to be mapped.
struct FilePart {
  std::uint64_t offset = 0;
  std::size_t size = 0;     // bytes of the file
  std::size_t padding = 0;  // readable bytes behind them: what follows in the file, or zeros
};

/// A mapping of a file descriptor, or a part of it. Move-only; unmaps itself. An empty file maps to an empty span.
class MappedBytes {
 public:
  MappedBytes() = default;
  MappedBytes(MappedBytes&& other) noexcept;
  MappedBytes& operator=(MappedBytes&& other) noexcept;
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;
  ~MappedBytes();

  /// Maps all bytes of `fd` read-only. The descriptor may be closed afterwards. `name` is used in errors.
  /// A regular file that another program truncates later raises SIGBUS on access: map untrusted files only in a
  /// reader process; the server maps only sealed memfds, or ofFile().
  [[nodiscard]] static Result<MappedBytes> readOnly(int fd, const std::string& name);
  /// Maps a part of a file that others may change meanwhile (FileGuard): bytes that get lost read as zeros. `stamp`:
  /// the state that the file must be in. Errors: invalidInput (it is not, or it has no such part), limitExceeded.
  [[nodiscard]] static Result<MappedBytes> ofFile(int fd, const FileStamp& stamp, const FilePart& part,
                                                  const std::string& name);
  /// Maps `size` bytes of `fd` (a memfd) read-write.
  [[nodiscard]] static Result<MappedBytes> readWrite(int fd, std::size_t size, const std::string& name);

  /// ofFile(): the part and its padding.
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_ + skipped_, size_ - skipped_}; }
  [[nodiscard]] std::span<std::byte> writable() { return {data_ + skipped_, size_ - skipped_}; }
  [[nodiscard]] std::size_t size() const { return size_ - skipped_; }

  /// False once the file behind ofFile() was changed, so that the bytes are not what they were.
  [[nodiscard]] bool isIntact() const { return guard_ == nullptr || guard_->isIntact(); }

 private:
  MappedBytes(std::byte* data, std::size_t size) : data_(data), size_(size) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t skipped_ = 0;  // from the beginning of the first page to the part
  std::unique_ptr<FileGuard> guard_;
};

/// A new anonymous memory file of `size` bytes that allows seals.
[[nodiscard]] Result<UniqueFd> createMemoryFile(const std::string& name, std::size_t size);

/// Forbids every later write, growth or shrinking. No writable mapping may exist any more.
[[nodiscard]] Result<void> sealMemoryFile(int fd);

/// True if the descriptor is a memfd that nobody can change any more.
[[nodiscard]] bool isSealed(int fd);

}  // namespace nora
