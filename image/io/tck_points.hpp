// The numbers of a .tck or .tsf file: points (or values) in a row, streamlines parted by NaN, the end marked by Inf.
#pragma once

#include "image/io/tck_header.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace nora {

struct TckCounts {
  std::uint64_t points = 0;
  std::uint64_t streamlines = 0;
  bool ended = false;         // the end mark was found
  bool unfinished = false;    // the last streamline has points, but nothing behind it says that it is whole
  std::size_t bytesUsed = 0;  // up to and with the end mark
};

/// One fast pass over all numbers. As MRtrix does it, the x of a triplet alone says whether it is a point.
[[nodiscard]] TckCounts countTck(const TckHeader& header, std::span<const std::byte> data);

/// Second pass: points to `positions` (3 * counts.points numbers), their starts and the end to `offsets`
/// (counts.streamlines + 1 numbers). Sizes are those that countTck gave for the same data.
void copyTck(const TckHeader& header, std::span<const std::byte> data, std::span<float> positions,
             std::span<std::uint64_t> offsets, const std::function<void(double)>& progress);

/// The values of a .tsf file for the points of streamlines that begin at `offsets`. False if it has another number of
/// values, for the whole or for one streamline.
[[nodiscard]] bool copyTsf(const TckHeader& header, std::span<const std::byte> data,
                           std::span<const std::uint64_t> offsets, std::span<float> values);

}  // namespace nora
