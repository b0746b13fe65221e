// The types in which voxels are stored. Voxels stay in their own type from file to kernel; nothing is widened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace nora {

enum class VoxelType : std::uint8_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
  rgb24,   // three uint8: red, green, blue
  rgba32,  // four uint8: red, green, blue, alpha
};

[[nodiscard]] constexpr std::size_t bytesPerVoxel(VoxelType type) {
  switch (type) {
    case VoxelType::int8:
    case VoxelType::uint8: return 1;
    case VoxelType::int16:
    case VoxelType::uint16: return 2;
    case VoxelType::rgb24: return 3;
    case VoxelType::int32:
    case VoxelType::uint32:
    case VoxelType::float32:
    case VoxelType::rgba32: return 4;
    case VoxelType::int64:
    case VoxelType::uint64:
    case VoxelType::float64: return 8;
  }
  return 0;
}

[[nodiscard]] constexpr bool isColour(VoxelType type) {
  return type == VoxelType::rgb24 || type == VoxelType::rgba32;
}
[[nodiscard]] constexpr bool isFloat(VoxelType type) {
  return type == VoxelType::float32 || type == VoxelType::float64;
}

/// "int16", "float32", "rgb24", ...
[[nodiscard]] std::string_view toString(VoxelType type);
/// The reverse; false if the name is unknown.
[[nodiscard]] bool fromString(std::string_view name, VoxelType& type);

/// The voxel type of a C++ scalar type.
template <class T>
[[nodiscard]] constexpr VoxelType voxelTypeOf() {
  if constexpr (std::is_same_v<T, std::int8_t>) return VoxelType::int8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return VoxelType::uint8;
  if constexpr (std::is_same_v<T, std::int16_t>) return VoxelType::int16;
  if constexpr (std::is_same_v<T, std::uint16_t>) return VoxelType::uint16;
  if constexpr (std::is_same_v<T, std::int32_t>) return VoxelType::int32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return VoxelType::uint32;
  if constexpr (std::is_same_v<T, std::int64_t>) return VoxelType::int64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return VoxelType::uint64;
  if constexpr (std::is_same_v<T, float>) return VoxelType::float32;
  if constexpr (std::is_same_v<T, double>) return VoxelType::float64;
}

/// Calls `visitor(T{})` with the C++ type of a scalar voxel type. Colour types are not scalars: do not call it for them
/// (they are visited as uint8_t).
template <class Visitor>
decltype(auto) visitScalar(VoxelType type, Visitor&& visitor) {
  switch (type) {
    case VoxelType::int8: return visitor(std::int8_t{});
    case VoxelType::int16: return visitor(std::int16_t{});
    case VoxelType::uint16: return visitor(std::uint16_t{});
    case VoxelType::int32: return visitor(std::int32_t{});
    case VoxelType::uint32: return visitor(std::uint32_t{});
    case VoxelType::int64: return visitor(std::int64_t{});
    case VoxelType::uint64: return visitor(std::uint64_t{});
    case VoxelType::float32: return visitor(float{});
    case VoxelType::float64: return visitor(double{});
    case VoxelType::uint8:
    case VoxelType::rgb24:
    case VoxelType::rgba32: break;
  }
  return visitor(std::uint8_t{});
}

}  // namespace nora
