// The 1000 bytes in front of TrackVis streamlines, and the transform that takes their points to RAS millimetres.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// A named run of the numbers that each point (or streamline) has.
struct TrkColumns {
  std::string name;
  std::size_t first = 0;
  std::size_t count = 1;
};

struct TrkHeader {
  static constexpr std::size_t bytes = 1000;

  std::endian order = std::endian::little;
  std::int32_t version = 2;
  std::int32_t count = 0;      // of streamlines; 0: not recorded, until the end of the file
  std::size_t scalars = 0;     // numbers a point, besides x y z
  std::size_t properties = 0;  // numbers a streamline
  std::vector<TrkColumns> scalarColumns, propertyColumns;
  std::string voxelOrder;                           // "LAS", ...
  bool hasMatrix = false;                           // worldFromVoxel comes from the file
  Affine worldFromVoxel;                            // of the reference image; identity without a matrix
  std::optional<std::array<std::int64_t, 3>> dims;  // of the reference image, in the order of the matrix
  Affine worldFromStored;                           // RAS mm from the numbers in the file
  std::vector<std::string> warnings;
};

[[nodiscard]] bool hasTrkMagic(std::span<const std::byte> bytes);

/// The points are voxel millimetres from the corner of the first voxel, in an image whose axes run as voxel_order says:
/// they are scaled by 1 / voxel size, moved by half a voxel, brought to the axes of vox_to_ras and moved by it. This is
/// nibabel's rule, also where the file says too little: no matrix means identity, no voxel_order means LPS; each is
/// told in a warning. Errors: invalidInput; unsupported (version).
/// Source: trackvis.org/docs, "TrackVis track file (.trk) format"; nibabel.streamlines.trk.
[[nodiscard]] Result<TrkHeader> parseTrkHeader(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nora
