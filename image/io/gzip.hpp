// Inflating .gz bytes: a whole file into memory that the caller owns, or only its beginning.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// A gzip stream of `n` bytes cannot hold more than about n * maxDeflateRatio bytes: deflate's longest match (258
/// bytes) takes at least two bits. Claims beyond it are lies, found without inflating anything.
inline constexpr std::size_t maxDeflateRatio = 1032;

[[nodiscard]] bool isGzip(std::span<const std::byte> bytes);

/// The first `size` bytes of the content, or fewer if the file is shorter, cut or damaged.
[[nodiscard]] std::vector<std::byte> inflatePrefix(std::span<const std::byte> compressed, std::size_t size);

/// Inflates into `out` until at least `expected` bytes are there (expected <= out.size()); the answer is their number.
/// Files of many members (pigz, bgzip) are one stream; bytes behind the members are ignored, as gzip does. What the
/// file holds beyond `out` is not inflated and then its checksum is not known; otherwise checksums are checked. Errors:
/// invalidInput (cut short, damaged, wrong checksum), with `name` as its place.
[[nodiscard]] Result<std::size_t> inflateGzip(std::span<const std::byte> compressed, std::span<std::byte> out,
                                              std::size_t expected, const std::string& name);

/// Inflates piece by piece, forwards: where only a part is wanted, or memory for the whole would be too much. By zlib,
/// a third as fast as inflateGzip.
class GzipReader {
 public:
  GzipReader(std::span<const std::byte> compressed, std::string name);
  GzipReader(GzipReader&&) noexcept;
  ~GzipReader();

  /// Fills `out`. Errors: invalidInput (cut short, damaged); limitExceeded (no memory).
  [[nodiscard]] Result<void> read(std::span<std::byte> out);
  /// To be called after all that is wanted was read: goes on to the end, not for ever, and checks the checksum.
  [[nodiscard]] Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nora
