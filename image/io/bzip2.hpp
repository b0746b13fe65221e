// Unpacking .bz2 bytes.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

[[nodiscard]] bool isBzip2(std::span<const std::byte> bytes);

/// Unpacks piece by piece, forwards. Several streams behind each other (pbzip2) are one.
class Bzip2Stream {
 public:
  explicit Bzip2Stream(std::span<const std::byte> packed);
  Bzip2Stream(Bzip2Stream&&) noexcept;
  ~Bzip2Stream();

  /// Bytes written to `out`: fewer than its size only at the end of the last stream. Empty: damaged or cut short.
  [[nodiscard]] std::optional<std::size_t> fill(std::span<std::byte> out);

 private:
  class Unpacker;
  std::unique_ptr<Unpacker> unpacker_;
};

/// The first `most` bytes of the content, or all if there are fewer. Memory grows with what is really there. Several
/// streams behind each other (pbzip2) are one. Errors: invalidInput (damaged, cut short); limitExceeded.
[[nodiscard]] Result<std::vector<std::byte>> unpackBzip2(std::span<const std::byte> packed, std::size_t most,
                                                         const std::string& name);

}  // namespace nora
