// What the readers of streamlines share: the content of a file that may be gzipped, moving points, and telling of odd
// streamlines.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/io/file_reader.hpp"
#include "image/tractogram.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// The bytes of a file as they are, or inflated. Owner: the inflated bytes; plain ones are those of the file.
class TractContent {
 public:
  /// Streamlines are noisy numbers: gzip makes a third of them, not a hundredth. What grows beyond this is a bomb.
  static constexpr std::size_t mostRatio = 100;
  static constexpr std::size_t freeBytes = std::size_t{64} << 20;  // may be reached whatever the ratio

  /// Errors: invalidInput (empty, cut, damaged, wrong checksum); limitExceeded.
  [[nodiscard]] static Result<TractContent> of(const InputFile& file);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  Result<void> inflate(const InputFile& file);
  bool grow(std::size_t size);

  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
  std::span<const std::byte> bytes_;
};

/// The first `size` bytes of the content, or fewer; for peek and recognises.
[[nodiscard]] std::vector<std::byte> beginningOf(const InputFile& file, std::size_t size);

/// True if the name ends so, whatever the case; `suffix` is in lower case.
[[nodiscard]] bool nameEndsWith(std::string_view name, std::string_view suffix);

/// x y z, x y z, ... := affine * (x y z).
void movePoints(std::span<float> positions, const Affine& affine);

}  // namespace nora
