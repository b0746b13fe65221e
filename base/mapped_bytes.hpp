// Memory that a file or memfd backs: how bytes reach a reader process and how voxels come back, without a copy.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace nora {

/// A mapping of a whole file descriptor. Move-only; unmaps itself. An empty file maps to an empty span.
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
  /// reader process; the server maps only sealed memfds.
  [[nodiscard]] static Result<MappedBytes> readOnly(int fd, const std::string& name);
  /// Maps `size` bytes of `fd` (a memfd) read-write.
  [[nodiscard]] static Result<MappedBytes> readWrite(int fd, std::size_t size, const std::string& name);

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] std::span<std::byte> writable() { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  MappedBytes(std::byte* data, std::size_t size) : data_(data), size_(size) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A new anonymous memory file of `size` bytes that allows seals.
[[nodiscard]] Result<UniqueFd> createMemoryFile(const std::string& name, std::size_t size);

/// Forbids every later write, growth or shrinking. No writable mapping may exist any more.
[[nodiscard]] Result<void> sealMemoryFile(int fd);

/// True if the descriptor is a memfd that nobody can change any more.
[[nodiscard]] bool isSealed(int fd);

}  // namespace nora
