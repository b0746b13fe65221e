// Functional groups of a multi-frame object: what is said of each frame, shared or its own. DicomGrouping puts frames
// in order by it, DICOM SEG finds its slices by it.
#pragma once

#include "image/affine.hpp"
#include "image/io/dicom_item.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// One frame; what is not said is empty or zero. Millimetres, LPS. Source: DICOM PS3.3 C.7.6.16.
struct DicomFrame {
  std::optional<Vec3> positionLps;                      // of the centre of the first pixel
  std::optional<std::array<double, 6>> orientationLps;  // along a row, along a column
  std::optional<std::array<double, 2>> pixelSpacing;    // between rows, between columns
  double sliceThickness = 0, spacingBetweenSlices = 0;
  std::string wrongPlane;    // what is stated and cannot be right, with the value
  std::string wrongSpacing;  // the same of PixelSpacing

  std::string type;  // FrameType: "ORIGINAL\PRIMARY\M\NONE"
  std::string stackId;
  std::int64_t inStackPosition = 0;
  std::optional<std::int64_t> temporalPosition;
  std::vector<std::int64_t> dimensionIndices;  // one for each of DicomFrames::dimensions
  std::string acquisitionTime;                 // of the day, as stored (HHMMSS.FFFFFF)
  std::int64_t acquisitionNumber = 0;
  std::optional<double> echoTimeMs, triggerTimeMs;
  std::optional<double> bValue;     // s/mm^2
  std::optional<Vec3> gradientLps;  // unit vector
  bool trace = false;               // diffusion directionality ISOTROPIC: a b-value without a direction
  std::optional<double> frameTimeMs;

  std::optional<double> slope, inter;          // Pixel Value Transformation
  std::string rescaleType;                     // "HU", "US", ...
  std::vector<std::array<double, 2>> windows;  // centre, width
  std::vector<std::string> windowNames;

  std::int64_t segment = 0;       // ReferencedSegmentNumber, from 1
  std::string sourceInstanceUid;  // the first source image
  std::int64_t sourceFrame = 0;   // its frame number, from 1; 0: not said
  std::optional<std::array<std::int64_t, 2>>
      tilePosition;  // column and row of the first pixel in the total matrix, from 1
};

struct DicomDimension {
  std::uint32_t pointer = 0;  // tag of the attribute that is counted, 0x00209057 for InStackPositionNumber
  std::string label;
};

struct DicomFrames {
  std::vector<DicomDimension> dimensions;
  std::vector<DicomFrame> frames;  // as many as NumberOfFrames says, or none without functional groups
  bool moreDescribed = false;      // than NumberOfFrames says: one of the two is wrong
};

/// The values of a text with backslashes; none if it is empty.
[[nodiscard]] std::vector<std::string> valuesOf(const std::string& text);

/// What ImagePositionPatient and ImageOrientationPatient of an item say that cannot be right, with the value: no
/// numbers, directions of another length than 1 or not at right angles. Empty where they are right or not stated.
[[nodiscard]] std::string wrongPlaneOf(const DicomItem& item);

/// The same of PixelSpacing.
[[nodiscard]] std::string wrongSpacingOf(const DicomItem& item);

/// The time of the day of a DICOM date and time: "120804.06" of "20120820120804.06+0100". Empty if it has none.
[[nodiscard]] std::string timeOfDay(const std::string& dateTime);

/// Reads the shared and per-frame functional groups. Fewer items than frames: the others have what is shared.
/// `most`: frames beyond it are left out (the caller knows how many pixels there are).
[[nodiscard]] DicomFrames framesOf(const DicomItem& dataset, std::size_t most = 1'000'000);

}  // namespace nora
