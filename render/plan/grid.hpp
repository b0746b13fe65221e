// Where voxels lie in memory, as the kernels want it.
#pragma once

#include "image/volume.hpp"
#include "render/kernel/plan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace nora {

constexpr std::size_t gatherPadding = 64;  // bytes after voxels and tables: kernels load whole words

[[nodiscard]] kernel::Stored storedAs(VoxelType type);

/// `content`: see kernel::Grid.
[[nodiscard]] kernel::Grid makeGrid(const std::byte* voxels, kernel::Stored stored,
                                    const std::array<std::int64_t, 3>& dims, std::int64_t bytesPerVoxel,
                                    std::uint64_t content);

/// One frame of a volume.
[[nodiscard]] kernel::Grid gridOf(const Volume& volume, std::int64_t time, std::int64_t component);

}  // namespace nora
