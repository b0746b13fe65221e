// Where the frames of a segmentation lie: from the planes of its frames, many of which may be left out, to one grid.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/io/dicom_frames.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nora {

struct SegGeometry {
  Affine worldFromVoxel;          // RAS
  std::int64_t planes = 1;        // of the grid, with those that no frame fills
  std::vector<std::int64_t> zOf;  // of each frame
  std::size_t filled = 0;         // planes that frames fill
  std::vector<std::string> warnings;
};

/// Slices ascend along the normal (row x column). The distance of planes is what SpacingBetweenSlices says where that
/// fits the frames, else their smallest distance. Errors: unsupported (frames that are not parallel, lie side by side,
/// or do not say where they lie), limitExceeded (more than 8192 planes).
[[nodiscard]] Result<SegGeometry> segGeometry(const std::vector<DicomFrame>& frames, const std::string& name);

}  // namespace nora
