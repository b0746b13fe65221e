#include "render/plan/prepared_volume.hpp"

#include "render/plan/grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

constexpr std::uint8_t farthestBrick = 15;

bool castDirectly(VoxelType type) {
  return type == VoxelType::int8 || type == VoxelType::uint8 || type == VoxelType::int16 || type == VoxelType::uint16 ||
         type == VoxelType::float32;
}

}  // namespace

PreparedVolume::PreparedVolume(const std::shared_ptr<const Volume>& volume, std::int64_t time, std::int64_t component,
                               const kernel::Kernels& kernels)
    : volume_(volume), time_(time), component_(component), grid_(gridOf(*volume, time, component)) {
  if (!castDirectly(volume->info().type)) convert(*volume, time, component);
  for (int a = 0; a < 3; ++a) {
    bricks_[a] = static_cast<int>((grid_.dims[a] + kernel::brickEdge - 1) / kernel::brickEdge);
  }
  const auto perLayer = static_cast<std::size_t>(bricks_[0]) * static_cast<std::size_t>(bricks_[1]);
  low_.resize(perLayer * static_cast<std::size_t>(bricks_[2]));
  high_.resize(low_.size());
  tbb::parallel_for(0, bricks_[2], [&](int z) {
    std::vector<float> row(static_cast<std::size_t>(grid_.dims[0]) * 2);
    const std::size_t first = perLayer * static_cast<std::size_t>(z);
    kernels.brickRanges(grid_, z, row.data(), low_.data() + first, high_.data() + first);
  });
}

bool PreparedVolume::isFor(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                           std::int64_t component) const {
  return volume_.lock() == volume && time_ == time && component_ == component;
}

void PreparedVolume::convert(const Volume& volume, std::int64_t time, std::int64_t component) {
  const VoxelType type = volume.info().type;
  const bool colour = isColour(type);
  const std::byte* from = volume.frame(time, component);
  const std::size_t in = bytesPerVoxel(type);
  const std::size_t out = colour ? 1 : sizeof(float);
  const auto sliceVoxels = static_cast<std::size_t>(volume.dims()[0]) * static_cast<std::size_t>(volume.dims()[1]);
  converted_.resize(sliceVoxels * static_cast<std::size_t>(volume.dims()[2]) * out + gatherPadding);
  tbb::parallel_for(std::int64_t{0}, volume.dims()[2], [&](std::int64_t z) {
    const std::size_t first = static_cast<std::size_t>(z) * sliceVoxels;
    for (std::size_t i = first; i < first + sliceVoxels; ++i) {
      if (colour) {
        const auto channel = [&](std::size_t c) { return std::to_integer<unsigned>(from[i * in + c]); };
        converted_[i] = static_cast<std::byte>((299 * channel(0) + 587 * channel(1) + 114 * channel(2) + 500) / 1000);
        continue;
      }
      visitScalar(type, [&](auto stored) {
        std::memcpy(&stored, from + i * in, sizeof stored);
        const auto value = static_cast<float>(stored);
        std::memcpy(converted_.data() + i * sizeof value, &value, sizeof value);
      });
    }
  });
  grid_ = makeGrid(converted_.data(), colour ? kernel::Stored::uint8 : kernel::Stored::float32, volume.dims(),
                   static_cast<std::int64_t>(out));
}

const std::uint8_t* PreparedVolume::distances(const TransferFunction& transfer, float entryPerStored,
                                              float entryOffset) {
  if (transfer_ && *transfer_ == transfer) return distances_.data();
  markVisible(transfer, entryPerStored, entryOffset);
  spreadDistances();
  if (transfer_) {
    *transfer_ = transfer;
  } else {
    transfer_ = std::make_unique<TransferFunction>(transfer);
  }
  return distances_.data();
}

void PreparedVolume::markVisible(const TransferFunction& transfer, float entryPerStored, float entryOffset) {
  constexpr auto entries = static_cast<int>(TransferFunction::entries);
  shownBefore_.assign(TransferFunction::entries + 1, 0);  // entries below i that show something
  for (std::size_t i = 0; i < TransferFunction::entries; ++i) {
    shownBefore_[i + 1] = shownBefore_[i] + (transfer.extinctionPerMm[i] > 0 ? 1 : 0);
  }
  const auto entryOf = [&](float stored) {
    const float entry = stored * entryPerStored + entryOffset;
    return entry > 0 ? static_cast<int>(std::min(entry, static_cast<float>(entries - 1))) : 0;
  };
  distances_.assign(low_.size() + gatherPadding, farthestBrick);
  for (std::size_t i = 0; i < low_.size(); ++i) {
    if (!(low_[i] <= high_[i])) continue;
    const int a = entryOf(low_[i]);
    const int b = entryOf(high_[i]);
    // One entry more on either side: interpolation rounds.
    const auto first = static_cast<std::size_t>(std::max(std::min(a, b) - 1, 0));
    const auto end = static_cast<std::size_t>(std::min(std::max(a, b) + 3, entries));
    if (shownBefore_[end] > shownBefore_[first]) distances_[i] = 0;
  }
}

/// Each round, a brick is at most one farther than the nearest of its 26 neighbours: bytewise minima along x, y and z.
void PreparedVolume::spreadDistances() {
  const auto nx = static_cast<std::ptrdiff_t>(bricks_[0]);
  const auto ny = static_cast<std::ptrdiff_t>(bricks_[1]);
  const auto nz = static_cast<std::ptrdiff_t>(bricks_[2]);
  scratch_.resize(low_.size());
  std::uint8_t* d = distances_.data();
  std::uint8_t* s = scratch_.data();
  // A pass along y or z works on rows of `width` neighbouring bytes.
  const auto along = [](const std::uint8_t* from, std::uint8_t* to, std::ptrdiff_t rows, std::ptrdiff_t width) {
    for (std::ptrdiff_t r = 0; r < rows; ++r) {
      const std::uint8_t* before = from + (r > 0 ? r - 1 : r) * width;
      const std::uint8_t* here = from + r * width;
      const std::uint8_t* after = from + (r + 1 < rows ? r + 1 : r) * width;
      std::uint8_t* out = to + r * width;
      for (std::ptrdiff_t i = 0; i < width; ++i) out[i] = std::min({before[i], here[i], after[i]});
    }
  };
  const auto alongX = [&](const std::uint8_t* from, std::uint8_t* to) {
    to[0] = nx > 1 ? std::min(from[0], from[1]) : from[0];
    for (std::ptrdiff_t i = 1; i + 1 < nx; ++i) to[i] = std::min({from[i - 1], from[i], from[i + 1]});
    if (nx > 1) to[nx - 1] = std::min(from[nx - 2], from[nx - 1]);
  };
  std::vector<std::uint8_t> plane(static_cast<std::size_t>(nx * ny));
  for (int round = 1; round < farthestBrick; ++round) {
    for (std::ptrdiff_t z = 0; z < nz; ++z) {
      std::uint8_t* slice = d + z * nx * ny;
      for (std::ptrdiff_t y = 0; y < ny; ++y) alongX(slice + y * nx, plane.data() + y * nx);
      along(plane.data(), s + z * nx * ny, ny, nx);
    }
    bool changed = false;
    for (std::ptrdiff_t z = 0; z < nz; ++z) {
      const std::uint8_t* before = s + (z > 0 ? z - 1 : z) * nx * ny;
      const std::uint8_t* here = s + z * nx * ny;
      const std::uint8_t* after = s + (z + 1 < nz ? z + 1 : z) * nx * ny;
      std::uint8_t* out = d + z * nx * ny;
      std::uint8_t difference = 0;
      for (std::ptrdiff_t i = 0; i < nx * ny; ++i) {
        const std::uint8_t near = std::min({before[i], here[i], after[i]});
        const std::uint8_t next = std::min(out[i], static_cast<std::uint8_t>(near + 1));
        difference |= static_cast<std::uint8_t>(next ^ out[i]);
        out[i] = next;
      }
      changed = changed || difference != 0;
    }
    if (!changed) break;
  }
}

PreparedVolume& PreparedVolumes::get(const std::shared_ptr<const Volume>& volume, std::int64_t time,
                                     std::int64_t component, const kernel::Kernels& kernels) {
  std::erase_if(frames_, [](const auto& frame) { return frame->expired(); });
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    if (!frames_[i]->isFor(volume, time, component)) continue;
    std::rotate(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(i),
                frames_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return *frames_.front();
  }
  if (frames_.size() >= most_) frames_.pop_back();
  frames_.insert(frames_.begin(), std::make_unique<PreparedVolume>(volume, time, component, kernels));
  return *frames_.front();
}

}  // namespace nora
