// Files packed as a whole by gzip, bzip2 or xz: their beginning, or all of it piece by piece.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nora {

enum class FilePacking { none, gzip, bzip2, xz };

/// By the first bytes.
[[nodiscard]] FilePacking packingOf(std::span<const std::byte> bytes);

/// The first `size` bytes of the content, or fewer if the file is shorter, cut or damaged; of a file that is not
/// packed, its own.
[[nodiscard]] std::vector<std::byte> unpackPrefix(std::span<const std::byte> bytes, std::size_t size);

/// The content of a packed file, forwards.
class UnpackingReader {
 public:
  UnpackingReader(std::span<const std::byte> packed, std::string name);
  UnpackingReader(UnpackingReader&&) noexcept;
  ~UnpackingReader();

  /// Fills `out`. Errors: invalidInput (cut short, damaged); limitExceeded (no memory, or a dictionary of more than
  /// 80 MiB).
  [[nodiscard]] Result<void> read(std::span<std::byte> out);
  [[nodiscard]] Result<void> skip(std::size_t size);
  /// To be called after all that is wanted was read: goes on to the end, not for ever, and checks what can be checked.
  [[nodiscard]] Result<void> finish();

  /// One way of packing.
  class Stream;

 private:
  std::unique_ptr<Stream> stream_;
};

}  // namespace nora
