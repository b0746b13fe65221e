// One stack of parallel DICOM slices: which instances lie at the same place, in which order in space and time, and the
// affine that follows. Between dicom_grouping, which decides what belongs together, and the reader.
#pragma once

#include "image/io/dicom_header.hpp"

#include <cstddef>
#include <optional>
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

/// Slices whose positions along the normal differ by less lie at the same place.
inline constexpr double samePlaceMm = 0.01;

/// Instances by position along the normal of `reference`, ascending; each entry holds what lies at one place.
[[nodiscard]] std::vector<std::vector<std::size_t>> byPlace(const std::vector<DicomHeader>& headers,
                                                            const std::vector<std::size_t>& instances,
                                                            const DicomPlane& reference);

/// Splits parallel instances where one even spacing would show slices far from their place: several slabs, or a spacing
/// that changes half-way. Gaps that can be filled do not split.
[[nodiscard]] std::vector<std::vector<std::size_t>> splitBySpacing(const std::vector<DicomHeader>& headers,
                                                                   const std::vector<std::size_t>& instances);

/// Orders parallel instances of equal size in space and time. `label`, `number` and the UIDs are left to the caller.
[[nodiscard]] DicomStack makeStack(const std::vector<DicomHeader>& headers, const std::vector<std::size_t>& instances);

/// One instance that does not say where it lies.
[[nodiscard]] DicomStack makeStackWithoutPlace(const std::vector<DicomHeader>& headers, std::size_t instance);

/// Seconds since midnight of a DICOM time (HHMMSS.FFFFFF, or with colons); empty if it is not one.
[[nodiscard]] std::optional<double> secondsOf(const std::string& dicomTime);

}  // namespace nora
