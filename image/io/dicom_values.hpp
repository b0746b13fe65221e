// What the values of an instance mean: scale of each frame, units, display windows, diffusion weighting.
#pragma once

#include "image/image_info.hpp"
#include "image/io/dicom_dataset.hpp"

#include <optional>
#include <string>
#include <vector>

namespace nora {

struct DicomFrameValues {
  double slope = 1, inter = 0;
  bool zeroSlope = false;  // stated, which cannot be: slope and intercept are left out
  std::vector<WindowPreset> windows;
  std::optional<double> bValue;     // s/mm^2
  std::optional<Vec3> gradientLps;  // unit vector; empty: not stated
  bool trace = false;               // averaged over directions: has none
};

/// Of each frame; of one alone if all frames are alike.
[[nodiscard]] std::vector<DicomFrameValues> frameValuesOf(const DicomDataset& dataset, const DicomPixelFormat& format,
                                                          std::int64_t frames);

/// Unit, other units, fields and warnings of an image, from one of its instances. `earliestTime`: the earliest
/// acquisition time of all its instances (HHMMSS), for PET whose series time is that of a later processing.
void describeValues(const DicomDataset& dataset, const DicomPixelFormat& format, const std::string& earliestTime,
                    ImageInfo& info);

/// SUV by body weight of one Bq/mL. Empty if something is missing or makes no sense; `why` then says what.
/// Source: DICOM PS3.3 C.8.9.1; the QIBA FDG-PET profile's way of finding the start of the scan.
[[nodiscard]] std::optional<double> suvFactor(const DicomItem& dataset, const std::string& earliestTime,
                                              std::string& why);

/// The scheme of a 4D image from the values of each time point's first slice; empty unless every time point says its
/// weighting for certain.
[[nodiscard]] std::optional<DiffusionScheme> diffusionScheme(const std::vector<DicomFrameValues>& timePoints);

}  // namespace nora
