// A generated head-like volume: the same voxels on every machine.
#pragma once

#include "image/volume.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace nora::bench {

/// size^3 int16 voxels of 1 mm: nested ellipsoids with a soft texture, 0 outside.
inline std::vector<std::int16_t> phantomVoxels(int size) {
  std::vector<std::int16_t> voxels(static_cast<std::size_t>(size) * size * size);
  std::uint32_t noise = 12345;
  std::size_t at = 0;
  for (int z = 0; z < size; ++z) {
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x, ++at) {
        const double u = (x + 0.5) / size * 2 - 1;
        const double v = (y + 0.5) / size * 2 - 1;
        const double w = (z + 0.5) / size * 2 - 1;
        const double r = std::sqrt(u * u / 0.5 + v * v / 0.75 + w * w / 0.6);
        noise = noise * 1664525u + 1013904223u;
        const double grain = static_cast<double>(noise >> 24) / 16.0;
        if (r > 1) continue;
        const double tissue = r > 0.93 ? 900 : r > 0.85 ? 150 : 450 + 150 * std::sin(14 * u) * std::sin(11 * v) * std::sin(9 * w);
        voxels[at] = static_cast<std::int16_t>(tissue + grain);
      }
    }
  }
  return voxels;
}

inline ImageInfo phantomInfo(int size) {
  ImageInfo info;
  info.format = "generated";
  info.dims = {size, size, size};
  info.type = VoxelType::int16;
  info.affineSource = "sform";
  for (int a = 0; a < 3; ++a) info.worldFromVoxel(a, 3) = -size / 2.0;
  VoxelStatistics statistics;
  statistics.max = 920;
  statistics.mean = 200;
  statistics.percentile98 = 900;
  statistics.backgroundLevel = 100;
  statistics.finite = static_cast<std::uint64_t>(size) * size * size;
  statistics.integral = true;
  info.statistics = statistics;
  return info;
}

inline std::shared_ptr<const Volume> phantomVolume(int size) {
  const auto voxels = phantomVoxels(size);
  auto volume = Volume::copyOf(phantomInfo(size), std::as_bytes(std::span(voxels)), "phantom");
  return volume ? std::make_shared<const Volume>(std::move(*volume)) : nullptr;
}

}  // namespace nora::bench
