// One stack of parallel DICOM slices: which instances lie at the same place, in which order in space and time, and the
// affine that follows. Between dicom_grouping, which decides what belongs together, and the reader.
#pragma once

#include "image/io/dicom_header.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Where the pixels of one instance lie, in LPS millimetres. Source: DICOM PS3.3 C.7.6.2.1.1.
struct DicomPlane {
  Vec3 position{};       // centre of the first pixel
  Vec3 row{}, column{};  // unit vectors along a row and down a column
  Vec3 normal{};
  double rowStepMm = 1, columnStepMm = 1;  // from pixel to pixel along `row` and along `column`
};

/// Empty without a position and an orientation that make sense.
[[nodiscard]] std::optional<DicomPlane> planeOf(const DicomHeader& header);

/// What is wrong with ImagePositionPatient or ImageOrientationPatient, with the value; empty if they can be right.
[[nodiscard]] std::string wrongPosition(const Vec3& position);
[[nodiscard]] std::string wrongOrientation(const std::array<double, 6>& orientation);

/// The same of PixelSpacing: not above 0, or more than a metre. An image that says where it lies is refused for it.
[[nodiscard]] std::string wrongPixelSpacing(const std::array<double, 2>& spacing);

/// Slices whose positions along the normal differ by less (mm) lie at the same place: a hundredth of the smallest side
/// of a voxel, so that slices of a microscope are not mistaken for time points.
[[nodiscard]] double samePlaceOf(const std::optional<std::array<double, 2>>& pixelSpacing, double sliceThickness);

/// Instances by position along the normal of `reference`, ascending; each entry holds what lies at one place. Time
/// points that say so may lie a tenth of the slice spacing apart.
[[nodiscard]] std::vector<std::vector<std::size_t>> byPlace(const std::vector<DicomHeader>& headers,
                                                            const std::vector<std::size_t>& instances,
                                                            const DicomPlane& reference);

/// Parallel instances, in one part wherever one grid can hold them (dicom_spacing). Else split where the spacing
/// changes.
[[nodiscard]] std::vector<std::vector<std::size_t>> splitBySpacing(const std::vector<DicomHeader>& headers,
                                                                   const std::vector<std::size_t>& instances);

/// Orders parallel instances of equal size in space and time. `label`, `number` and the UIDs are left to the caller.
[[nodiscard]] DicomStack makeStack(const std::vector<DicomHeader>& headers, const std::vector<std::size_t>& instances);

/// One instance that does not say where it lies.
[[nodiscard]] DicomStack makeStackWithoutPlace(const std::vector<DicomHeader>& headers, std::size_t instance);

/// Seconds since midnight of a DICOM time (HHMMSS.FFFFFF, or with colons); empty if it is not one.
[[nodiscard]] std::optional<double> secondsOf(const std::string& dicomTime);

}  // namespace nora
