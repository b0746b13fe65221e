// The text header of a Philips PAR/REC pair (.PAR, V3 to V4.2) as plain values. Own parser because there is no library;
// the columns are those that the files themselves list.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// One line of the image information: one slice of the .REC file. Triples are in Philips' order ap, fh, rl.
struct ParSlice {
  int slice = 0, echo = 0, dynamic = 0, phase = 0, type = 0, sequence = 0;
  std::int64_t index = 0;  // in the .REC file, in slices
  int bits = 16;
  std::array<std::int64_t, 2> size{};
  double intercept = 0, slope = 1, scaleSlope = 1;
  Vec3 offCentre{};
  double thickness = 0, gap = 0;
  int orientation = 0;  // 1 transverse, 2 sagittal, 3 coronal
  std::array<double, 2> spacing{};
  double echoTime = 0, beginTime = 0;  // ms; s
  double bFactor = 0;
  int bNumber = 1, gradient = 1, label = 1;
  Vec3 diffusion{};
};

struct ParHeader {
  int version = 42;           // 30, 40, 41, 42
  Vec3 angulation{};          // degrees; ap, fh, rl
  Vec3 offCentre{};           // mm; ap, fh, rl
  double repetitionTime = 0;  // ms; the first, if there are several
  bool diffusion = false;
  /// How many there should be; 0 where the header does not say.
  int maxSlices = 0, maxEchoes = 0, maxDynamics = 0, maxBValues = 0, maxGradients = 0;
  std::string protocol, examination, seriesType, technique, patientPosition;
  std::vector<ParSlice> slices;  // in the order of the lines

  /// True if a line tells b value number and gradient direction.
  [[nodiscard]] bool hasGradients() const { return version >= 41; }
};

[[nodiscard]] bool looksLikePar(std::span<const std::byte> bytes);

/// Errors: invalidInput (no image line, a line that is cut or no numbers, no angulation or offset); unsupported (older
/// than V3).
[[nodiscard]] Result<ParHeader> parseParHeader(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nora
