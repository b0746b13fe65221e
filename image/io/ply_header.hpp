// The header of a PLY file: its elements and their properties.
#pragma once

#include "base/error.hpp"
#include "image/voxel_type.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

enum class PlyEncoding : std::uint8_t { ascii, littleEndian, bigEndian };

struct PlyProperty {
  std::string name;
  VoxelType type = VoxelType::float32;
  std::optional<VoxelType> countType;  // of a list
};

struct PlyElement {
  std::string name;
  std::uint64_t count = 0;
  std::vector<PlyProperty> properties;

  [[nodiscard]] bool hasLists() const;
  /// Bytes that one takes at least; of all its lists only the counts.
  [[nodiscard]] std::size_t smallestBytes(PlyEncoding encoding) const;
};

struct PlyHeader {
  PlyEncoding encoding = PlyEncoding::ascii;
  std::vector<PlyElement> elements;
  std::string comments;  // one a line
  std::size_t size = 0;  // bytes, up to and with the end of its last line
};

/// Elements without properties are left out. Errors: invalidInput (no PLY, a line that means nothing, claims more than
/// the file holds).
[[nodiscard]] Result<PlyHeader> parsePlyHeader(std::string_view content, const std::string& name);

}  // namespace nora
