// What a file says of its image, without the voxels: the content of `nora info` and the header that a reader process
// hands to the server.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/label_table.hpp"
#include "image/voxel_type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// Statistics of the scaled (slope, inter) finite values of all time points and components.
/// For colour images: of the luminance 0.299 R + 0.587 G + 0.114 B.
struct VoxelStatistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  std::uint64_t finite = 0;     // values that are finite
  std::uint64_t notFinite = 0;  // NaN and Inf
  double percentile2 = 0;       // by a histogram of the first time point; for automatic windows
  double percentile98 = 0;
  double backgroundLevel = 0;  // Otsu's threshold of the same histogram: air below, head above
  bool integral = false;       // every finite value is a whole number
  std::uint32_t distinct = 0;  // number of distinct values if integral and at most 4096 of them, else 0
  /// Of pairs of voxels that are neighbours along x and both differ from the most frequent value: the share that are
  /// equal. Near 1 for label maps. By a sample of the first time point; 0 without such pairs or if distinct is 0.
  double plateaus = 0;

  friend bool operator==(const VoxelStatistics&, const VoxelStatistics&) = default;
};

/// A display range with a name: DICOM window centre and width explanation, CT presets.
struct WindowPreset {
  std::string name;
  double low = 0, high = 0;
  friend bool operator==(const WindowPreset&, const WindowPreset&) = default;
};

/// The value in another unit: factor * value. PET: SUV by body weight.
struct OtherUnit {
  std::string unit;
  double factor = 1;
  friend bool operator==(const OtherUnit&, const OtherUnit&) = default;
};

/// Diffusion weighting of each time point. Source: bval/bvec, MRtrix dw_scheme, NRRD DWMRI keys, DICOM.
struct DiffusionScheme {
  std::string source;            // a file's name, "in the image"
  std::vector<double> bValues;   // s/mm^2, one a time point
  std::vector<Vec3> directions;  // RAS world, unit length or zero; as many as bValues
  friend bool operator==(const DiffusionScheme&, const DiffusionScheme&) = default;
};

struct ImageInfo {
  std::string format;  // "NIfTI-1", "NIfTI-2", "DICOM", ...
  std::array<std::int64_t, 3> dims{1, 1, 1};
  std::int64_t timePoints = 1;
  std::int64_t components = 1;  // more than one: vectors, tensors; planar, after time
  VoxelType type = VoxelType::uint8;
  double slope = 1;  // value = slope * stored + inter
  double inter = 0;
  Affine worldFromVoxel;            // RAS millimetres
  std::string affineSource;         // "sform", "qform", "pixdim" (NIfTI method 1), "dicom", ...
  std::string description;          // free text of the file: NIfTI descrip, DICOM SeriesDescription
  std::string modality;             // "CT", "MR", ... or empty
  std::string intent;               // NIfTI intent name ("label", "t test", "vector", ...) or empty
  std::optional<double> windowLow;  // display range that the file itself proposes (DICOM VOI, NIfTI cal_min/max)
  std::optional<double> windowHigh;
  double timeStepSeconds = 0;  // 0: not stated
  std::string unit;            // of the values: "HU", "Bq/mL", ... or empty
  std::vector<OtherUnit> otherUnits;
  std::vector<WindowPreset> windowPresets;  // that the file itself proposes; the first is windowLow, windowHigh
  std::optional<LabelTable> labels;         // of the image itself or of a look-up table beside it
  std::optional<DiffusionScheme> diffusion;
  std::vector<std::pair<std::string, std::string>> fields;  // other header fields worth showing: name, value
  std::vector<std::string> warnings;
  std::optional<VoxelStatistics> statistics;  // present once the voxels were read

  friend bool operator==(const ImageInfo&, const ImageInfo&) = default;
};

/// Total number of stored voxels (x, y, z, time, components), or an Error if it overflows or a dimension is < 1.
[[nodiscard]] Result<std::uint64_t> voxelCount(const ImageInfo& info, const std::string& name);

/// The object that `nora info --json` prints (without "file"): kind, format, dims, type, spacingMm, affine, ...
/// dims has three entries, four if timePoints > 1 or components > 1, five if components > 1 (x first).
[[nodiscard]] nlohmann::json toJson(const ImageInfo& info);

/// Reads what toJson wrote. The input comes from another process: every field is checked (types, ranges, finite,
/// invertible affine, sizes that do not overflow).
[[nodiscard]] Result<ImageInfo> imageInfoFromJson(const nlohmann::json& json);

}  // namespace nora
