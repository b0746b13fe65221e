// The chunks of an HDF5 dataset: undoing shuffle and deflate, and putting each where it belongs. Own code because
// libhdf5 inflates a chunk to whatever size it claims to have; here it is the size of a chunk at most, and libdeflate
// is faster.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// Where the bytes of a chunk lie in the file.
struct ChunkPlace {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  unsigned skippedFilters = 0;  // bit i: filter i was not applied
};

struct ChunkGrid {
  std::vector<std::int64_t> dims;   // of the dataset, slowest first
  std::vector<std::int64_t> chunk;  // of a chunk
  std::int64_t elementBytes = 1;
  std::vector<int> filters;  // HDF5's numbers, in the order in which they were applied

  /// The chunk that begins at these coordinates; nothing if it was never written.
  using Find = std::function<std::optional<ChunkPlace>(const std::vector<std::int64_t>& corner)>;

  /// Errors: unsupported (filters other than deflate, shuffle, Fletcher-32); invalidInput (sizes that lie, by the size
  /// of the file).
  [[nodiscard]] Result<void> check(std::size_t fileBytes, const std::string& name) const;

  /// All elements into `to`, which is zeroed; what was never written stays so. Errors: invalidInput.
  [[nodiscard]] Result<void> read(std::span<const std::byte> file, const Find& find, std::span<std::byte> to,
                                  const std::function<void(double)>& progress, const std::string& name) const;

 private:
  [[nodiscard]] bool decode(std::span<const std::byte> stored, unsigned skipped, std::vector<std::byte>& chunkBytes,
                            std::vector<std::byte>& scratch) const;
  void copy(const std::vector<std::int64_t>& corner, std::span<const std::byte> from, std::span<std::byte> to) const;
};

}  // namespace nora
