#include "image/voxel_type.hpp"

#include <array>

namespace nora {
namespace {

constexpr std::array<std::string_view, 12> names{"int8",  "uint8",  "int16",   "uint16",  "int32", "uint32",
                                                 "int64", "uint64", "float32", "float64", "rgb24", "rgba32"};

}  // namespace

std::string_view toString(VoxelType type) {
  return names.at(static_cast<std::size_t>(type));
}

bool fromString(std::string_view name, VoxelType& type) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != name) continue;
    type = static_cast<VoxelType>(i);
    return true;
  }
  return false;
}

}  // namespace nora
