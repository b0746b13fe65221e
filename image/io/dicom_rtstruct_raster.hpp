// Contours to voxels: even-odd filling by scan lines, exact for centres on an edge. Own code because the polygon fills
// at hand (VTK, ITK, GD) draw pixels that an edge touches, or need an image of their own.
#pragma once

#include "image/io/dicom_rtstruct_contours.hpp"
#include "image/io/dicom_seg_components.hpp"

namespace nora {

struct RtDrawing {
  SegmentMask mask;
  std::size_t drawn = 0;
  std::size_t offPlane = 0;  // contours more than half a spacing from every plane
  std::size_t tilted = 0;    // contours that cross planes
  std::size_t copies = 0;    // contours that are there twice
  std::size_t outside = 0;   // contours that reach beyond the rows and columns: cut
};

/// Draws one ROI. Contours in one plane are combined by even-odd; contours of several planes that share the nearest
/// plane of the grid are united. Coordinates are rounded to 2^-20 of a voxel, so that an edge that is meant to pass
/// through a centre does.
[[nodiscard]] RtDrawing drawRoi(const RtRoi& roi, const RtGrid& grid, const Affine& voxelFromLps);

}  // namespace nora
