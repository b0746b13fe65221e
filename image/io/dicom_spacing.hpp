// Where slices lie along their normal, read as planes of one regular grid. Between the positions of a stack and its
// affine: even spacing, missing slices, spacing that varies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// What a grid costs in memory: one slice of all time points.
struct DicomSliceCost {
  std::uint64_t storedBytes = 0;   // as the file has it
  std::uint64_t float32Bytes = 0;  // where planes are left empty: NaN
};

/// Slices on the planes of a regular grid. Every slice has a plane of its own with its own values.
struct DicomSpacing {
  double stepMm = 0;                // from plane to plane
  std::vector<std::int64_t> depth;  // plane of each slice, ascending from 0
  std::vector<bool> bridged;        // of each two neighbours: planes between them are interpolated; else left empty
  double lowMm = 0, highMm = 0;     // steps between neighbours, without gaps
  std::int64_t interpolated = 0;    // planes
  std::int64_t missing = 0;         // planes left empty
  std::size_t firstGap = 0;         // slice in front of the first of these
  double worstMm = 0;               // how far a slice lies from its plane

  [[nodiscard]] bool isDense() const { return interpolated == 0 && missing == 0; }
};

/// The grid for `positions` (mm along the normal, ascending). An even spacing, with gaps where slices are missing, is
/// kept as it is while no slice is further from its plane than a quarter of the step to its neighbour. Else the planes
/// are closer, and those between slices are interpolated; only a step far larger than those beside it stays empty.
/// Empty if that takes more memory than twice the slices' own and 64 MB.
/// `thicknessMm`: of each slice, 0 where not stated: a slice as thick as the step to its neighbour leaves no gap.
[[nodiscard]] std::optional<DicomSpacing> gridOf(const std::vector<double>& positions,
                                                 const std::vector<double>& thicknessMm, const DicomSliceCost& cost);

/// One even spacing whatever the positions are.
[[nodiscard]] DicomSpacing evenSpacing(const std::vector<double>& positions);

/// What is to be said of a grid: spacing that varies, planes that are interpolated or left empty. `between`: what the
/// planes between slices are.
[[nodiscard]] std::vector<std::string> spacingWarnings(const DicomSpacing& spacing,
                                                       const std::vector<double>& positions,
                                                       const std::string& between = "interpolated");

}  // namespace nora
