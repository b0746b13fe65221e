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

/// What many frames of one object have in common, as far as it decides to which stack they belong.
struct DicomFrameKind {
  std::optional<std::array<double, 6>> orientationLps;
  std::optional<std::array<double, 2>> pixelSpacing;
  double sliceThickness = 0, spacingBetweenSlices = 0;
  std::optional<double> echoTime;
  std::string imageType, stackId;

  friend bool operator==(const DicomFrameKind&, const DicomFrameKind&) = default;
};

/// Where one frame lies in space and time.
struct DicomFramePlace {
  std::size_t kind = 0;  // index into DicomHeader::kinds
  std::optional<Vec3> positionLps;
  std::int64_t temporalPosition = 0;
  std::int64_t volume = 0;      // rank by dimension indices, cardiac phase, b-value; 0: nothing tells
  std::string acquisitionTime;  // as stored (HHMMSS.FFFFFF)

  friend bool operator==(const DicomFramePlace&, const DicomFramePlace&) = default;
};

/// Strings are UTF-8, trimmed; empty if absent. Source: DICOM PS3.3 C.7.
struct DicomHeader {
  static constexpr std::size_t maxFrames = 65536;  // that lie in space

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
  bool mosaic = false;  // Siemens MOSAIC: rows and columns are of one tile, every tile counts as a frame

  std::vector<DicomFrameKind> kinds;
  std::vector<DicomFramePlace> places;  // of the frames that lie in space; empty: all lie where the instance does
  double frameTimeMs = 0;               // from frame to frame of a cine; 0: not stated
  std::string damage;                   // why the file cannot be read: "the pixel data is cut off"
  std::string unsupported;              // why nora cannot show it
  std::string note;                     // what is to be said of its geometry; a warning
  bool tiled = false;                   // whole-slide microscopy: rows and columns are of all tiles together
  std::int64_t volume = 0;              // of a single frame: see DicomFramePlace
  std::string stackId;                  // of a single frame
  std::string sourceSeriesUid;          // segmentation, structure set: the series drawn on; by DicomReader::peek

  friend bool operator==(const DicomHeader&, const DicomHeader&) = default;
};

/// What parts images whose series UIDs are equal: UIDs of study and series, patient and series number.
[[nodiscard]] std::string dicomSeriesKey(const DicomHeader& header);

[[nodiscard]] nlohmann::json toJson(const DicomHeader& header);
/// Checks types and ranges: the input comes from a reader process.
[[nodiscard]] Result<DicomHeader> dicomHeaderFromJson(const nlohmann::json& json);

/// One slice of a stack: frame number `frame` (from 0) of instance number `instance`.
struct DicomSlice {
  std::size_t instance = 0;
  std::size_t frame = 0;
  friend bool operator==(const DicomSlice&, const DicomSlice&) = default;
};

/// One image made of the instances of a series that belong together: same orientation, size and echo; slices sorted
/// along the normal (never by file name), time points in order.
struct DicomStack {
  std::string studyUid, seriesUid;
  int number = 0;                      // 0, 1, ... within the series
  std::string label;                   // "T1 MPRAGE", with what tells stacks of one series apart: "EPI (echo 2)"
  std::vector<DicomSlice> frames;      // [t * slices + z]
  std::vector<bool> absent;            // of `frames`, where slices of some time points are lost: not there, left empty;
                                       // the entry then names another slice of its time point. Empty: all are there
  std::vector<std::size_t> instances;  // indices into the input, each once, in the order of `frames`
  std::int64_t columns = 0, rows = 0;
  std::int64_t slices = 0;  // slices of one time point
  std::int64_t timePoints = 1;
  std::vector<std::int64_t>
      depthOf;  // z of each slice where the volume has more planes than slices; empty: slice i is at z = i
  std::vector<bool> bridged;  // with depthOf: planes between slices i and i + 1 are interpolated, else left empty
  Affine worldFromVoxel;      // RAS
  bool single = true;         // its instances hold nothing else: their frames need no telling apart
  std::vector<std::string> warnings;  // "slice spacing varies from 2.9 to 3.1 mm", "3 slices are missing", ...

  /// Planes of the volume.
  [[nodiscard]] std::int64_t depth() const { return depthOf.empty() ? slices : depthOf.back() + 1; }
  /// Names the stack within its study: "1.2.3#0", or "1.2.3#1@17" where its files hold further stacks: the image that
  /// frame 17 (from 0) of its first file belongs to. ReadOptions::series takes it.
  [[nodiscard]] std::string series() const;
};

/// Groups instances by series and stack. Instances that cannot be shown come back in `refused` with the reason.
struct DicomGrouping {
  std::vector<DicomStack> stacks;
  std::vector<std::pair<std::size_t, Error>> refused;
};
[[nodiscard]] DicomGrouping groupDicom(const std::vector<DicomHeader>& headers);

}  // namespace nora
