// The voxel types of NIfTI: how each lies in the file, what it becomes in memory, and the way from one to the other.
#pragma once

#include "image/voxel_type.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace nora {

/// How one voxel lies in the file.
struct NiftiCoding {
  VoxelType type = VoxelType::uint8;  // in memory
  std::size_t bits = 8;               // of one voxel in the file
  std::size_t unit = 1;               // bytes of one number in the file: what byte order reverses
  bool complex = false;               // becomes its magnitude

  /// True if the stored numbers are not those in memory: complex, long double, one bit a voxel.
  [[nodiscard]] bool converted() const { return bits != 8 * bytesPerVoxel(type); }
};

/// The coding of a `datatype` of nifti1.h; empty for a code that does not exist.
[[nodiscard]] std::optional<NiftiCoding> niftiCoding(int datatype);

/// Reverses the bytes of every number of `unit` bytes (1, 2, 4, 8). Reads `from`, writes `to`; they may be the same.
void copySwapped(std::span<const std::byte> from, std::span<std::byte> to, std::size_t unit);

/// The scale of the header; complex voxels are scaled before the magnitude is taken.
struct NiftiScale {
  double slope = 1;
  double inter = 0;
};

/// Decodes voxels of a coding that is `converted()`, `count` of them; `to` has room for them in memory form.
/// Long doubles are IEEE quadruples or x87 extended numbers in 16 bytes: the header cannot tell, the zeroed upper six
/// bytes of the latter do. Single bits come lowest first.
void convertVoxels(const NiftiCoding& coding, bool swapped, const NiftiScale& scale, std::size_t count,
                   std::span<const std::byte> from, std::span<std::byte> to);

}  // namespace nora
