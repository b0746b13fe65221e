// Where the frames of a segmentation lie: from the planes of its frames, many of which may be left out, to one grid.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/io/dicom_frames.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace nora {

struct SegGeometry {
  Affine worldFromVoxel;          // RAS
  double stepMm = 1;              // from plane to plane, along the normal
  std::int64_t planes = 1;        // of the grid, with those that no frame fills
  std::vector<std::int64_t> zOf;  // of each frame
  /// First and last plane that each frame fills: more than its own where slices lie unevenly.
  std::vector<std::array<std::int64_t, 2>> span;
  std::size_t filled = 0;  // planes that frames fill
  std::vector<std::string> warnings;
};

/// Slices ascend along the normal (row x column). The distance of planes is what SpacingBetweenSlices says where that
/// fits the frames, else their smallest distance; planes without a frame are empty, as writers leave frames out. Where
/// the distances are no multiples of one, or slices of several thicknesses touch, planes between are copies of the
/// nearest frame. `frameBytes`: of one frame in memory; bounds the grid (dicom_spacing). Errors: unsupported (frames
/// that are not parallel, lie side by side, or do not say where they lie), limitExceeded (more than 8192 planes).
[[nodiscard]] Result<SegGeometry> segGeometry(const std::vector<DicomFrame>& frames, const std::string& name,
                                              std::uint64_t frameBytes = 1);

}  // namespace nora
