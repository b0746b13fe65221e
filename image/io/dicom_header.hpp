// The elements of one DICOM instance that decide to which series and stack it belongs and where it lies.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// Strings are UTF-8, trimmed; empty if absent. Source: DICOM PS3.3 C.7.
struct DicomHeader {
  std::string patientId, patientName, studyUid, studyDate, studyDescription;
  std::string seriesUid, seriesDescription, modality, sopClassUid, sopInstanceUid, transferSyntaxUid, imageType;
  std::int64_t seriesNumber = 0, instanceNumber = 0, acquisitionNumber = 0;
  std::int64_t rows = 0, columns = 0, frames = 1, samplesPerPixel = 1, bitsAllocated = 0;
  std::string photometric;
  bool hasPixels = false;
  std::optional<Vec3> positionLps;                      // ImagePositionPatient
  std::optional<std::array<double, 6>> orientationLps;  // ImageOrientationPatient: along a row, along a column
  std::optional<std::array<double, 2>> pixelSpacing;    // row spacing (between rows), column spacing
  double sliceThickness = 0, spacingBetweenSlices = 0;  // 0: absent
  std::optional<double> echoTime, triggerTime;
  std::optional<std::int64_t> temporalPosition;
  std::string acquisitionTime, contentTime;  // as stored (HHMMSS.FFFFFF)
  double repetitionTimeMs = 0;
  bool mosaic = false;  // Siemens MOSAIC

  friend bool operator==(const DicomHeader&, const DicomHeader&) = default;
};

[[nodiscard]] nlohmann::json toJson(const DicomHeader& header);
/// Checks types and ranges: the input comes from a reader process.
[[nodiscard]] Result<DicomHeader> dicomHeaderFromJson(const nlohmann::json& json);

/// One image made of the instances of a series that belong together: same orientation, size and echo; slices sorted
/// along the normal (never by file name), time points in order.
struct DicomStack {
  std::string studyUid, seriesUid;
  int number = 0;                      // 0, 1, ... within the series
  std::string label;                   // "T1 MPRAGE", with what tells stacks of one series apart: "EPI (echo 2)"
  std::vector<std::size_t> instances;  // indices into the input; [t * slices + z]
  std::int64_t slices = 0;             // instances of one time point
  std::int64_t timePoints = 1;
  std::vector<std::int64_t>
      depthOf;            // z of each slice in the volume where slices are missing; empty: slice i is at z = i
  Affine worldFromVoxel;  // RAS
  std::vector<std::string> warnings;  // "slice spacing varies from 2.9 to 3.1 mm", "3 slices are missing", ...

  /// Slices of the volume, with those that are missing.
  [[nodiscard]] std::int64_t depth() const { return depthOf.empty() ? slices : depthOf.back() + 1; }
};

/// Groups instances by series and stack. Instances that cannot be shown come back in `refused` with the reason.
struct DicomGrouping {
  std::vector<DicomStack> stacks;
  std::vector<std::pair<std::size_t, Error>> refused;
};
[[nodiscard]] DicomGrouping groupDicom(const std::vector<DicomHeader>& headers);

}  // namespace nora
