// The content of a structure set as plain values, and the geometry of its contours. Between the parser and the
// rasteriser.
#pragma once

#include "image/affine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// A closed planar contour. Source: DICOM PS3.3 C.8.8.6.3.
struct RtContour {
  std::vector<Vec3> points;  // LPS mm
};

struct RtRoi {
  std::int64_t number = 0;
  std::string name, description, interpretedType, algorithm;
  std::optional<std::array<std::uint8_t, 3>> colour;
  std::vector<RtContour> contours;  // closed ones with at least three points
  std::size_t points = 0;           // contours of the type POINT
  std::size_t open = 0;             // contours that are not closed
  std::size_t damaged = 0;          // contours that are neither: too few points, numbers that are none
};

struct RtStructureSet {
  std::string label;
  std::string sourceSeriesUid;        // of the images that the contours were drawn on; may be empty
  std::size_t sourceImages = 0;       // that it names
  bool hasOtherSources = false;       // further series, with fewer images
  std::vector<std::string> warnings;  // of parsing
  std::vector<RtRoi> rois;
};

/// Unit normal by Newell's method times the area in mm^2; zero for a contour without an area.
[[nodiscard]] Vec3 areaNormal(const RtContour& contour);

/// The grid that ROIs are drawn on.
struct RtGrid {
  std::array<std::int64_t, 3> dims{1, 1, 1};
  Affine lpsFromVoxel;
  std::vector<std::string> warnings;
};

/// Where images of the source series lie.
struct RtSourceStack {
  std::array<std::int64_t, 3> dims{1, 1, 1};
  Affine lpsFromVoxel;
};

/// The grid for all contours: the source's where most contours lie in its planes; else the contours'
/// own planes, with the pixels of the source where there are any. Empty without a contour that has an area, or if the
/// contours lie so far apart that no grid can hold them.
[[nodiscard]] std::optional<RtGrid> chooseGrid(const RtStructureSet& set, const std::optional<RtSourceStack>& source);

}  // namespace nora
