#include "render/plan/grid.hpp"

namespace nora {

kernel::Stored storedAs(VoxelType type) {
  using kernel::Stored;
  switch (type) {
    case VoxelType::int8: return Stored::int8;
    case VoxelType::uint8: return Stored::uint8;
    case VoxelType::int16: return Stored::int16;
    case VoxelType::uint16: return Stored::uint16;
    case VoxelType::int32: return Stored::int32;
    case VoxelType::uint32: return Stored::uint32;
    case VoxelType::int64: return Stored::int64;
    case VoxelType::uint64: return Stored::uint64;
    case VoxelType::float32: return Stored::float32;
    case VoxelType::float64: return Stored::float64;
    case VoxelType::rgb24: return Stored::rgb24;
    case VoxelType::rgba32: return Stored::rgba32;
  }
  return Stored::uint8;
}

kernel::Grid makeGrid(const std::byte* voxels, kernel::Stored stored, const std::array<std::int64_t, 3>& dims,
                      std::int64_t bytesPerVoxel, std::uint64_t content) {
  constexpr std::int64_t mostSmallBytes = std::int64_t{1} << 30;  // offsets and their neighbours fit 31 bits
  kernel::Grid grid;
  grid.voxels = voxels;
  grid.stored = stored;
  grid.content = content;
  std::int64_t stride = bytesPerVoxel;
  for (std::size_t a = 0; a < 3; ++a) {
    grid.dims[a] = dims[a];
    grid.stride[a] = stride;
    stride *= dims[a];
  }
  grid.big = stride > mostSmallBytes * 2 - static_cast<std::int64_t>(gatherPadding);
  return grid;
}

kernel::Grid gridOf(const Volume& volume, std::int64_t time, std::int64_t component) {
  const VoxelType type = volume.info().type;
  return makeGrid(volume.frame(time, component), storedAs(type), volume.dims(),
                  static_cast<std::int64_t>(bytesPerVoxel(type)), volume.contentNumber());
}

}  // namespace nora
