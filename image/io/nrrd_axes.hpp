// What the axes of an NRRD file are - space, time, components, colour - and how its voxels lie in the file.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/io/nrrd_header.hpp"
#include "image/io/strided_voxels.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

enum class NrrdRole { x, y, z, time, component, colour };

struct NrrdAxis {
  std::int64_t size = 1;
  NrrdRole role = NrrdRole::x;
  std::string kind;                              // small letters; empty if not stated
  std::string unit;                              // "units" of the axis
  std::optional<std::vector<double>> direction;  // in the space of the file
  std::string wrongDirection;                    // what the header says instead of a direction or "none"
  std::optional<double> spacing, min, max;
  std::string centering;  // "cell", "node" or empty
};

struct NrrdLayout {
  std::vector<NrrdAxis> axes;  // fastest first
  StridedImage image;          // order from the first voxel byte; info without place and keys yet
  std::uint64_t bytes = 0;     // of all voxels
};

/// Kinds decide; where there are none, the space directions; where there are none either, the first three axes are
/// space, the fourth is time, the fifth components. Lists are time (gradients, frames), in a segmentation components
/// (its layers). A colour axis is kept as rgb24 or rgba32 if it is the fastest and uint8.
/// Errors: invalidInput (missing or senseless type, dimension, sizes); unsupported (blocks, more axes than an image of
/// ours has).
[[nodiscard]] Result<NrrdLayout> describeNrrd(const NrrdHeader& header, const std::string& name);

}  // namespace nora
