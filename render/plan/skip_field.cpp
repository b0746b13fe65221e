#include "render/plan/skip_field.hpp"

#include "render/plan/grid.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

constexpr std::uint8_t farthestBrick = 15;
constexpr auto entries = static_cast<int>(TransferFunction::entries);

std::size_t countOf(const int* bricks) {
  return static_cast<std::size_t>(bricks[0]) * static_cast<std::size_t>(bricks[1]) *
         static_cast<std::size_t>(bricks[2]);
}

/// Minima of each byte and those before and after it along a row.
void alongRow(const std::uint8_t* from, std::uint8_t* to, std::ptrdiff_t n) {
  to[0] = n > 1 ? std::min(from[0], from[1]) : from[0];
  for (std::ptrdiff_t i = 1; i + 1 < n; ++i) to[i] = std::min({from[i - 1], from[i], from[i + 1]});
  if (n > 1) to[n - 1] = std::min(from[n - 2], from[n - 1]);
}

/// The same across rows of `width` bytes.
void acrossRows(const std::uint8_t* from, std::uint8_t* to, std::ptrdiff_t rows, std::ptrdiff_t width) {
  for (std::ptrdiff_t r = 0; r < rows; ++r) {
    const std::uint8_t* before = from + (r > 0 ? r - 1 : r) * width;
    const std::uint8_t* here = from + r * width;
    const std::uint8_t* after = from + (r + 1 < rows ? r + 1 : r) * width;
    std::uint8_t* out = to + r * width;
    for (std::ptrdiff_t i = 0; i < width; ++i) out[i] = std::min({before[i], here[i], after[i]});
  }
}

}  // namespace

const std::uint8_t* SkipField::distances(const PreparedVolume& volume, const TransferFunction& transfer,
                                         float entryPerStored, float entryOffset) {
  const bool same = use_ == Use::medium && volume_ == volume.number();
  if (same && transfer_ == transfer) return distances_.data();
  // A function that only changes its colours or how opaque something is leaves the field as it is.
  const auto shows = [](float extinction) { return extinction > 0; };
  const bool sameShown =
      same && transfer_.window.low == transfer.window.low && transfer_.window.high == transfer.window.high &&
      std::equal(transfer.extinctionPerMm.begin(), transfer.extinctionPerMm.end(), transfer_.extinctionPerMm.begin(),
                 [&](float a, float b) { return shows(a) == shows(b); });
  use_ = Use::medium;
  volume_ = volume.number();
  transfer_ = transfer;
  if (sameShown) return distances_.data();
  markVisible(volume, entryPerStored, entryOffset);
  spreadDistances(volume.bricks());
  return distances_.data();
}

void SkipField::markVisible(const PreparedVolume& volume, float entryPerStored, float entryOffset) {
  shownBefore_.assign(TransferFunction::entries + 1, 0);  // entries below i that show something
  for (std::size_t i = 0; i < TransferFunction::entries; ++i) {
    shownBefore_[i + 1] = shownBefore_[i] + (transfer_.extinctionPerMm[i] > 0 ? 1 : 0);
  }
  // One entry more on either side: interpolation rounds. Values far below the first entry show only that one.
  const auto entryOf = [&](float stored, float spare) {
    return static_cast<int>(
        std::clamp(stored * entryPerStored + entryOffset + spare, 0.0F, static_cast<float>(entries - 1)));
  };
  const bool rises = entryPerStored >= 0;
  const std::vector<float>& low = volume.low();
  const std::vector<float>& high = volume.high();
  distances_.assign(low.size() + gatherPadding, farthestBrick);
  for (std::size_t i = 0; i < low.size(); ++i) {
    if (!(low[i] <= high[i])) continue;
    const auto first = static_cast<std::size_t>(entryOf(rises ? low[i] : high[i], -1));
    const auto end = static_cast<std::size_t>(entryOf(rises ? high[i] : low[i], 1.5F)) + 1;
    if (shownBefore_[end] > shownBefore_[first]) distances_[i] = 0;
  }
}

const std::uint8_t* SkipField::distances(const PreparedVolume& volume, const ShownRange& range, const ShownRange& other,
                                         float slope, float inter) {
  const Ranges wanted{range, other, slope, inter};
  if (use_ == Use::ranges && volume_ == volume.number() && ranges_ == wanted) return distances_.data();
  use_ = Use::ranges;
  volume_ = volume.number();
  ranges_ = wanted;
  const std::vector<float>& low = volume.low();
  const std::vector<float>& high = volume.high();
  distances_.assign(low.size() + gatherPadding, farthestBrick);
  for (std::size_t i = 0; i < low.size(); ++i) {
    if (!(low[i] <= high[i])) continue;
    const float a = low[i] * slope + inter;
    const float b = high[i] * slope + inter;
    // Interpolation rounds.
    const float spare = 1e-5F * std::max(std::abs(a), std::abs(b));
    const float least = std::min(a, b) - spare;
    const float most = std::max(a, b) + spare;
    const auto reaches = [&](const ShownRange& r) { return least <= r.high && r.low <= most; };
    if (reaches(range) || reaches(other)) distances_[i] = 0;
  }
  spreadDistances(volume.bricks());
  return distances_.data();
}

/// Each round, a brick is at most one farther than the nearest of its 26 neighbours: bytewise minima along x, y and z.
void SkipField::spreadDistances(const int* bricks) {
  const std::size_t plane = static_cast<std::size_t>(bricks[0]) * static_cast<std::size_t>(bricks[1]);
  scratch_.resize(countOf(bricks) + plane * static_cast<std::size_t>(bricks[2]));
  for (int round = 1; round < farthestBrick; ++round) {
    std::atomic<bool> changed{false};
    tbb::parallel_for(std::ptrdiff_t{0}, std::ptrdiff_t{bricks[2]}, [&](std::ptrdiff_t z) { spreadOnce(bricks, z); });
    tbb::parallel_for(std::ptrdiff_t{0}, std::ptrdiff_t{bricks[2]}, [&](std::ptrdiff_t z) {
      if (lowerOnce(bricks, z)) changed.store(true, std::memory_order_relaxed);
    });
    if (!changed) break;
  }
}

/// Minima along x and y of one layer of bricks, into the first half of the scratch; the second half is for the way.
void SkipField::spreadOnce(const int* bricks, std::ptrdiff_t z) {
  const auto nx = static_cast<std::ptrdiff_t>(bricks[0]);
  const auto ny = static_cast<std::ptrdiff_t>(bricks[1]);
  const std::uint8_t* slice = distances_.data() + z * nx * ny;
  std::uint8_t* way = scratch_.data() + (bricks[2] + z) * nx * ny;
  for (std::ptrdiff_t y = 0; y < ny; ++y) alongRow(slice + y * nx, way + y * nx, nx);
  acrossRows(way, scratch_.data() + z * nx * ny, ny, nx);
}

bool SkipField::lowerOnce(const int* bricks, std::ptrdiff_t z) {
  const auto plane = static_cast<std::ptrdiff_t>(bricks[0]) * bricks[1];
  const std::uint8_t* before = scratch_.data() + (z > 0 ? z - 1 : z) * plane;
  const std::uint8_t* here = scratch_.data() + z * plane;
  const std::uint8_t* after = scratch_.data() + (z + 1 < bricks[2] ? z + 1 : z) * plane;
  std::uint8_t* out = distances_.data() + z * plane;
  std::uint8_t difference = 0;
  for (std::ptrdiff_t i = 0; i < plane; ++i) {
    const std::uint8_t near = std::min({before[i], here[i], after[i]});
    const std::uint8_t next = std::min(out[i], static_cast<std::uint8_t>(near + 1));
    difference |= static_cast<std::uint8_t>(next ^ out[i]);
    out[i] = next;
  }
  return difference != 0;
}

void SkipField::bound(const PreparedVolume& volume, kernel::RayMode mode, kernel::RayLayer& layer) {
  const kernel::SliceLayer& look = layer.look;
  const Ranges wanted{{}, {}, look.slope, look.inter};
  const bool same = use_ == Use::projection && volume_ == volume.number() && mode_ == mode && ranges_ == wanted &&
                    symmetric_ == look.symmetric;
  if (!same) {
    use_ = Use::projection;
    volume_ = volume.number();
    mode_ = mode;
    ranges_ = wanted;
    symmetric_ = look.symmetric;
    fillBounds(volume, mode, look);
  }
  for (int a = 0; a < 3; ++a) layer.coarse[a] = (volume.bricks()[a] + kernel::coarseBricks - 1) / kernel::coarseBricks;
  layer.bound = bound_.data();
  layer.coarseBound = coarse_.data();
}

void SkipField::fillBounds(const PreparedVolume& volume, kernel::RayMode mode, const kernel::SliceLayer& look) {
  constexpr float nothing = -std::numeric_limits<float>::infinity();
  const int* bricks = volume.bricks();
  int coarse[3];
  for (int a = 0; a < 3; ++a) coarse[a] = (bricks[a] + kernel::coarseBricks - 1) / kernel::coarseBricks;
  bound_.assign(volume.low().size() + gatherPadding, nothing);
  coarse_.assign(countOf(coarse) + gatherPadding, nothing);
  const auto keyOf = [&](float stored) {
    const float value = stored * look.slope + look.inter;
    if (mode == kernel::RayMode::minimum) return -value;
    return look.symmetric ? std::abs(value) : value;
  };
  std::size_t i = 0;
  for (int z = 0; z < bricks[2]; ++z) {
    for (int y = 0; y < bricks[1]; ++y) {
      const int row = (z / kernel::coarseBricks * coarse[1] + y / kernel::coarseBricks) * coarse[0];
      for (int x = 0; x < bricks[0]; ++x, ++i) {
        if (!(volume.low()[i] <= volume.high()[i])) continue;
        bound_[i] = std::max(keyOf(volume.low()[i]), keyOf(volume.high()[i]));
        float& wide = coarse_[static_cast<std::size_t>(row + x / kernel::coarseBricks)];
        wide = std::max(wide, bound_[i]);
      }
    }
  }
}

}  // namespace nora
