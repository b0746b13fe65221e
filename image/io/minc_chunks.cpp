#include "image/io/minc_chunks.hpp"

#include "image/io/gzip.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <libdeflate.h>

namespace nora {
namespace {

constexpr int deflateFilter = 1;
constexpr int shuffleFilter = 2;
constexpr int fletcherFilter = 3;
constexpr std::size_t fletcherBytes = 4;

/// Product, or nothing beyond `most`.
std::optional<std::int64_t> product(const std::vector<std::int64_t>& sizes, std::int64_t first, std::int64_t most) {
  std::int64_t out = first;
  for (const std::int64_t n : sizes) {
    if (n < 1 || __builtin_mul_overflow(out, n, &out) || out > most) return std::nullopt;
  }
  return out;
}

/// Byte 0 of all elements, then byte 1, ...: put together again.
void unshuffle(std::span<const std::byte> from, std::size_t unit, std::span<std::byte> to) {
  const std::size_t count = from.size() / unit;
  for (std::size_t b = 0; b < unit; ++b) {
    for (std::size_t i = 0; i < count; ++i) to[i * unit + b] = from[b * count + i];
  }
  std::copy(from.begin() + static_cast<std::ptrdiff_t>(count * unit), from.end(),
            to.begin() + static_cast<std::ptrdiff_t>(count * unit));
}

bool inflate(std::span<const std::byte> from, std::vector<std::byte>& to, std::size_t most) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  to.resize(most);
  std::size_t made = 0;
  if (!inflater || libdeflate_zlib_decompress(inflater.get(), from.data(), from.size(), to.data(), to.size(), &made) !=
                       LIBDEFLATE_SUCCESS) {
    return false;
  }
  to.resize(made);
  return true;
}

}  // namespace

Result<void> ChunkGrid::check(std::size_t fileBytes, const std::string& name) const {
  for (const int filter : filters) {
    if (filter == deflateFilter || filter == shuffleFilter || filter == fletcherFilter) continue;
    return fail(ErrorCode::unsupported,
                "its voxels pass through HDF5 filter " + std::to_string(filter) +
                    "; known are deflate, shuffle and Fletcher-32",
                name);
  }
  const auto most = static_cast<std::int64_t>(fileBytes * maxDeflateRatio);
  constexpr std::int64_t slack = std::int64_t{64} << 20;
  const auto total = product(dims, elementBytes, most);
  const auto each = total ? product(chunk, elementBytes, *total + slack) : std::nullopt;
  std::int64_t count = 1;
  for (std::size_t d = 0; each && d < dims.size(); ++d) {
    count *= (dims[d] + chunk[d] - 1) / chunk[d];  // at most `total`
  }
  if (each && count <= static_cast<std::int64_t>(fileBytes)) return {};
  return fail(ErrorCode::invalidInput, "the header claims more voxels than the file can hold", name);
}

bool ChunkGrid::decode(std::span<const std::byte> stored, unsigned skipped, std::vector<std::byte>& chunkBytes,
                       std::vector<std::byte>& scratch) const {
  const auto size = static_cast<std::size_t>(*product(chunk, elementBytes, INT64_MAX));
  chunkBytes.assign(stored.begin(), stored.end());
  for (std::size_t i = filters.size(); i-- > 0;) {
    if (i < 32 && (skipped >> i & 1U) != 0) continue;
    switch (filters[i]) {
      case deflateFilter:
        if (!inflate(chunkBytes, scratch, size + fletcherBytes)) return false;
        std::swap(chunkBytes, scratch);
        break;
      case shuffleFilter:
        scratch.resize(chunkBytes.size());
        unshuffle(chunkBytes, static_cast<std::size_t>(elementBytes), scratch);
        std::swap(chunkBytes, scratch);
        break;
      default:
        if (chunkBytes.size() < fletcherBytes) return false;
        chunkBytes.resize(chunkBytes.size() - fletcherBytes);
    }
  }
  return chunkBytes.size() == size;
}

void ChunkGrid::copy(const std::vector<std::int64_t>& corner, std::span<const std::byte> from,
                     std::span<std::byte> to) const {
  const std::size_t rank = dims.size();
  std::vector<std::int64_t> at(rank);
  const std::int64_t row = std::min(chunk[rank - 1], dims[rank - 1] - corner[rank - 1]) * elementBytes;
  for (;;) {
    std::int64_t source = 0;
    std::int64_t target = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      source = source * chunk[d] + at[d];
      target = target * dims[d] + corner[d] + at[d];
    }
    std::memcpy(to.data() + target * elementBytes, from.data() + source * elementBytes, static_cast<std::size_t>(row));
    std::size_t d = rank - 1;  // the last axis is the row itself
    while (d-- > 0) {
      if (++at[d] < std::min(chunk[d], dims[d] - corner[d])) break;
      at[d] = 0;
      if (d == 0) return;
    }
    if (rank == 1 || d == static_cast<std::size_t>(-1)) return;
  }
}

Result<void> ChunkGrid::read(std::span<const std::byte> file, const Find& find, std::span<std::byte> to,
                             const std::function<void(double)>& progress, const std::string& name) const {
  const auto damaged = [&](const char* how) {
    return fail(ErrorCode::invalidInput, std::string("a chunk of its voxels ") + how, name);
  };
  const std::size_t rank = dims.size();
  const auto total = product(dims, elementBytes, INT64_MAX);
  if (rank == 0 || !total || to.size() < static_cast<std::size_t>(*total)) return damaged("has no place");
  std::vector<std::int64_t> corner(rank);
  std::vector<std::byte> bytes, scratch;
  for (;;) {
    if (const auto place = find(corner)) {
      if (place->offset > file.size() || place->size > file.size() - place->offset) {
        return damaged("lies beyond the end of the file; it is cut short");
      }
      if (!decode(file.subspan(place->offset, place->size), place->skippedFilters, bytes, scratch)) {
        return damaged("is damaged");
      }
      copy(corner, bytes, to);
    }
    progress(static_cast<double>(corner[0]) / static_cast<double>(dims[0]));
    std::size_t d = rank;
    while (d-- > 0) {
      if ((corner[d] += chunk[d]) < dims[d]) break;
      corner[d] = 0;
      if (d == 0) return {};
    }
  }
}

}  // namespace nora
