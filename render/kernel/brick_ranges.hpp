// Least and greatest stored value of bricks of 8 voxels: which parts of a volume can be skipped.
#pragma once

#include "render/kernel/sampling.hpp"

namespace nora::kernel::NORA_ISA {

/// Widens low..high of every column x by one row of voxels.
template <class T>
inline void widenByRow(const std::byte* row, std::int64_t count, float* low, float* high) {
  for (std::int64_t x = 0; x < count; ++x) {
    T stored;
    __builtin_memcpy(&stored, row + x * static_cast<std::int64_t>(sizeof(T)), sizeof stored);
    const auto value = static_cast<float>(stored);
    low[x] = value < low[x] ? value : low[x];
    high[x] = value > high[x] ? value : high[x];
  }
}

template <class T>
inline void rangesOfLayer(const Grid& grid, int brickZ, float* row, float* low, float* high) {
  const std::int64_t nx = grid.dims[0];
  const std::int64_t bricksX = (nx + brickEdge - 1) / brickEdge;
  const std::int64_t bricksY = (grid.dims[1] + brickEdge - 1) / brickEdge;
  const auto endOf = [](std::int64_t brick, std::int64_t n) {
    const std::int64_t end = brick * brickEdge + brickEdge + 1;
    return end < n ? end : n;
  };
  float* rowLow = row;
  float* rowHigh = row + nx;
  for (std::int64_t by = 0; by < bricksY; ++by) {
    for (std::int64_t x = 0; x < nx; ++x) {
      rowLow[x] = __builtin_inff();
      rowHigh[x] = -__builtin_inff();
    }
    for (std::int64_t z = std::int64_t{brickZ} * brickEdge; z < endOf(brickZ, grid.dims[2]); ++z) {
      for (std::int64_t y = by * brickEdge; y < endOf(by, grid.dims[1]); ++y) {
        widenByRow<T>(grid.voxels + y * grid.stride[1] + z * grid.stride[2], nx, rowLow, rowHigh);
      }
    }
    for (std::int64_t bx = 0; bx < bricksX; ++bx) {
      float least = __builtin_inff();
      float most = -__builtin_inff();
      for (std::int64_t x = bx * brickEdge; x < endOf(bx, nx); ++x) {
        least = rowLow[x] < least ? rowLow[x] : least;
        most = rowHigh[x] > most ? rowHigh[x] : most;
      }
      low[by * bricksX + bx] = least;
      high[by * bricksX + bx] = most;
    }
  }
}

inline void brickRanges(const Grid& grid, int brickZ, float* row, float* low, float* high) {
  switch (grid.stored) {
    case Stored::int8: return rangesOfLayer<std::int8_t>(grid, brickZ, row, low, high);
    case Stored::int16: return rangesOfLayer<std::int16_t>(grid, brickZ, row, low, high);
    case Stored::uint16: return rangesOfLayer<std::uint16_t>(grid, brickZ, row, low, high);
    case Stored::int32: return rangesOfLayer<std::int32_t>(grid, brickZ, row, low, high);
    case Stored::uint32: return rangesOfLayer<std::uint32_t>(grid, brickZ, row, low, high);
    case Stored::int64: return rangesOfLayer<std::int64_t>(grid, brickZ, row, low, high);
    case Stored::uint64: return rangesOfLayer<std::uint64_t>(grid, brickZ, row, low, high);
    case Stored::float64: return rangesOfLayer<double>(grid, brickZ, row, low, high);
    case Stored::float32: return rangesOfLayer<float>(grid, brickZ, row, low, high);
    default: return rangesOfLayer<std::uint8_t>(grid, brickZ, row, low, high);
  }
}

}  // namespace nora::kernel::NORA_ISA
