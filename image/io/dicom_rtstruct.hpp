// Reads a radiotherapy structure set (RTSTRUCT) as a label map: its contours rasterised on the grid of the images that
// they were drawn on.
#pragma once

#include "image/io/dicom_layout.hpp"
#include "image/io/file_reader.hpp"

#include <span>
#include <string>
#include <vector>

namespace nora {

inline constexpr char rtStructureSetClassUid[] = "1.2.840.10008.5.1.4.1.1.481.3";

/// Shape:  uint8 or uint16, a ROI's number in each voxel whose centre is inside its contours; ROIs that overlap go into
///         further components. Grid: the source series where its images are among `files` behind the first; else one
///         of the contours' planes and about 1 mm, with a warning.
/// Rules:  contours of one ROI in one plane are combined by even-odd (inner contours and keyholes are holes); a contour
///         goes to the plane of the grid that is nearest, if that is within half a spacing. A centre on a contour's
///         left or upper edge is in, on its right or lower edge it is out: regions that share an edge neither overlap
///         nor leave a gap. What is left out is told in the warnings.
/// Fields: "sourceSeries" (its UID), one a ROI.
/// Errors: invalidInput, unsupported (no closed contour at all), limitExceeded.
/// Source: DICOM PS3.3 A.19, C.8.8.5, C.8.8.6, C.8.8.8.
[[nodiscard]] Result<ReadImage> readRtStructureSet(std::span<const InputFile> files, const ReadOptions& options,
                                                   MemorySink& sink);

}  // namespace nora
