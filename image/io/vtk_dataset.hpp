// What a VTK file holds, before it is made into a surface, streamlines or an image: arrays that lie in the file or,
// where they were text, base64 or compressed, in memory of their own.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/surface.hpp"
#include "image/voxel_type.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

/// `tuples` x `components` numbers. Moves, but does not copy: `bytes` may point into `memory`.
struct VtkArray {
  VtkArray() = default;
  VtkArray(VtkArray&&) = default;
  VtkArray& operator=(VtkArray&&) = default;

  std::string name;
  VoxelType type = VoxelType::float32;
  std::endian order = std::endian::native;
  std::uint64_t tuples = 0;
  std::size_t components = 1;
  std::span<const std::byte> bytes;
  std::vector<std::byte> memory;

  [[nodiscard]] std::uint64_t numbers() const { return tuples * components; }
  [[nodiscard]] std::size_t tupleBytes() const { return components * bytesPerVoxel(type); }

  /// Copies tuples as they are, in native byte order. `out` is large enough.
  void copyTuples(std::uint64_t first, std::uint64_t count, std::byte* out) const;
  /// Functions that read one number at an address, picked once for the type and order of the array.
  [[nodiscard]] double (*realLoader() const)(const std::byte*);
  [[nodiscard]] std::int64_t (*indexLoader() const)(const std::byte*);  // -1: no whole number
};

/// Cells of one kind, or of all kinds in a grid.
struct VtkCells {
  enum class Form { inPlace, starts, ends };  // n, ids, n, ids, ... ; offsets with the leading zero; without it

  Form form = Form::inPlace;
  std::uint64_t count = 0;
  VtkArray offsets;  // empty in place
  VtkArray ids;
};

struct VtkAttribute {
  VtkArray array;
  DataRole role = DataRole::scalar;
};

struct VtkImage {
  std::array<std::int64_t, 3> dims{0, 0, 0};
  Affine worldFromVoxel;
};

struct VtkDataset {
  std::string format;  // "VTK legacy", "VTK XML"
  std::string title;
  std::string space;  // "RAS", "LPS", or empty: not said
  VtkArray points;
  std::array<VtkCells, 4> cells;  // vertices, lines, polygons, strips: the order in which cell data count them
  std::optional<VtkCells> grid;   // of an unstructured grid, with their types
  VtkArray gridTypes;
  std::vector<VtkAttribute> pointData, cellData;
  std::optional<VtkImage> image;
  std::vector<std::string> warnings;
};

/// The type by its name in legacy ("unsigned_char", "vtkIdType") or XML files ("UInt8"); empty for others.
[[nodiscard]] std::optional<VoxelType> vtkType(std::string_view name);

/// "SPACE=LPS" in a title.
[[nodiscard]] std::string vtkSpaceOf(std::string_view title);

}  // namespace nora
