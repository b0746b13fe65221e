#include "image/io/dicom_spacing.hpp"

#include "image/io/dicom_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace nora {
namespace {

constexpr double gapTolerance = 0.1;   // of the usual spacing: how exact a multiple a gap has to be
constexpr double maxWorst = 0.25;      // of the step beside a slice: how far it may lie from its plane
constexpr double aloneFactor = 2.5;    // a step that much larger than the usual and those beside it is a gap
constexpr double thickFactor = 1.25;   // a step up to that many thicknesses leaves no gap
constexpr double thickerFactor = 1.5;  // than the thinnest: slices are thick where they lie far apart
constexpr double onPlane = 0.05;       // of the smallest step: a slice so near to a plane lies on it
constexpr int mostPlanesAStep = 8;     // in the smallest step between slices
constexpr double mostPlanes = 65535;   // of a grid
constexpr std::uint64_t spareBytes = std::uint64_t{64} << 20;

std::vector<double> stepsOf(const std::vector<double>& positions) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < positions.size(); ++i) steps.push_back(positions[i] - positions[i - 1]);
  return steps;
}

double medianOf(std::vector<double> steps) {
  std::sort(steps.begin(), steps.end());
  return steps[(steps.size() - 1) / 2];
}

/// The larger of the steps beside step i.
double besides(const std::vector<double>& steps, std::size_t i) {
  return std::max(i > 0 ? steps[i - 1] : 0, i + 1 < steps.size() ? steps[i + 1] : 0);
}

/// True if the slices at both ends of step i are thick enough to touch, and thicker than others of the series: a part
/// of it was made with thicker slices.
bool isCovered(const std::vector<double>& steps, const std::vector<double>& thickness, std::size_t i) {
  if (thickness.size() != steps.size() + 1) return false;
  const double thinnest = *std::min_element(thickness.begin(), thickness.end());
  const double here = std::max(thickness[i], thickness[i + 1]);
  return thinnest > 0 && here > thickerFactor * thinnest && steps[i] <= thickFactor * here;
}

std::vector<bool> gapsOf(const std::vector<double>& steps, const std::vector<double>& thickness) {
  std::vector<bool> gaps;
  const double usual = medianOf(steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double beside = std::max(besides(steps, i), usual);
    gaps.push_back(steps[i] >= aloneFactor * beside && !isCovered(steps, thickness, i));
  }
  return gaps;
}

/// Measures how far the slices are from their planes.
void measure(const std::vector<double>& positions, DicomSpacing& s) {
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const double plane = s.stepMm * static_cast<double>(s.depth[i]);
    s.worstMm = std::max(s.worstMm, std::abs(positions[i] - positions[0] - plane));
  }
}

bool isNearEnough(const std::vector<double>& positions, const DicomSpacing& s) {
  const auto steps = stepsOf(positions);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const double off = std::abs(positions[i] - positions[0] - s.stepMm * static_cast<double>(s.depth[i]));
    const double before = i > 0 ? steps[i - 1] : steps[i], after = i < steps.size() ? steps[i] : before;
    if (off > maxWorst * std::min(before, after)) return false;
  }
  return true;
}

bool fits(double planes, std::size_t slices, bool gaps, const DicomSliceCost& cost) {
  if (!(planes <= mostPlanes)) return false;
  const double own = static_cast<double>(slices) * static_cast<double>(cost.storedBytes);
  const double needed = planes * static_cast<double>(gaps ? cost.float32Bytes : cost.storedBytes);
  return needed <= 2 * own + static_cast<double>(spareBytes);
}

/// Planes `step` apart; each slice has the nearest.
DicomSpacing gridWith(double step, const std::vector<double>& positions, const std::vector<bool>& gaps) {
  DicomSpacing s;
  s.stepMm = step;
  for (const double p : positions) s.depth.push_back(std::llround((p - positions[0]) / step));
  const auto steps = stepsOf(positions);
  s.lowMm = HUGE_VAL;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::int64_t between = s.depth[i + 1] - s.depth[i] - 1;
    s.bridged.push_back(!gaps[i]);
    if (gaps[i]) {
      if (s.missing == 0) s.firstGap = i;
      s.missing += between;
    } else {
      s.interpolated += between;
      s.lowMm = std::min(s.lowMm, steps[i]);
      s.highMm = std::max(s.highMm, steps[i]);
    }
  }
  measure(positions, s);
  return s;
}

/// Planes so close that every slice has one, and best so close that every slice lies on its own.
std::optional<DicomSpacing> closeGrid(const std::vector<double>& positions, const std::vector<double>& thickness,
                                      const DicomSliceCost& cost) {
  const auto steps = stepsOf(positions);
  const auto gaps = gapsOf(steps, thickness);
  const bool anyGap = std::find(gaps.begin(), gaps.end(), true) != gaps.end();
  const double smallest = *std::min_element(steps.begin(), steps.end());
  const double extent = positions.back() - positions.front();
  std::optional<DicomSpacing> best;
  for (int planes = 1; planes <= mostPlanesAStep; ++planes) {
    const double step = smallest / planes;
    if (!(smallest > 0) || !fits(extent / step + 2, positions.size(), anyGap, cost)) break;
    auto grid = gridWith(step, positions, gaps);
    const auto& depth = grid.depth;  // rounding may put two slices on one plane
    if (std::adjacent_find(depth.begin(), depth.end(), std::greater_equal<>()) != depth.end()) continue;
    if (!best || grid.worstMm < best->worstMm) best = std::move(grid);
    if (best->worstMm <= onPlane * smallest) break;
  }
  return best;
}

}  // namespace

DicomSpacing evenSpacing(const std::vector<double>& positions) {
  DicomSpacing s;
  s.depth = {0};
  if (positions.size() < 2) return s;
  const auto steps = stepsOf(positions);
  const double usual = s.lowMm = s.highMm = medianOf(steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double count = std::round(steps[i] / usual);
    const bool gap = count >= 2 && count < 1e6 && std::abs(steps[i] - count * usual) <= gapTolerance * usual;
    if (gap) {
      if (s.missing == 0) s.firstGap = i;
      s.missing += static_cast<std::int64_t>(count) - 1;
    } else {
      s.lowMm = std::min(s.lowMm, steps[i]);
      s.highMm = std::max(s.highMm, steps[i]);
    }
    s.bridged.push_back(false);
    s.depth.push_back(s.depth.back() + (gap ? static_cast<std::int64_t>(count) : 1));
  }
  s.stepMm = (positions.back() - positions.front()) / static_cast<double>(s.depth.back());
  measure(positions, s);
  return s;
}

std::optional<DicomSpacing> gridOf(const std::vector<double>& positions, const std::vector<double>& thicknessMm,
                                   const DicomSliceCost& cost) {
  DicomSpacing even = evenSpacing(positions);
  if (positions.size() < 2) return even;
  const auto steps = stepsOf(positions);
  const auto gaps = gapsOf(steps, thicknessMm);
  const auto slices = static_cast<std::int64_t>(positions.size());
  bool few = even.missing <= std::max<std::int64_t>(slices / 2, 1);
  bool alone = fits(static_cast<double>(even.depth.back()) + 1, positions.size(), even.missing > 0, cost);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (even.depth[i + 1] - even.depth[i] == 1) continue;
    alone = alone && gaps[i];
    few = few && !isCovered(steps, thicknessMm, i);
  }
  if ((few || alone) && isNearEnough(positions, even)) return even;
  return closeGrid(positions, thicknessMm, cost);
}

std::vector<std::string> spacingWarnings(const DicomSpacing& s, const std::vector<double>& positions,
                                         const std::string& between) {
  std::vector<std::string> warnings;
  if (positions.size() < 2) return warnings;
  const double tolerance = std::clamp(0.01 * s.stepMm, std::min(0.01, 0.05 * s.stepMm), 0.05);
  if (s.highMm - s.lowMm > tolerance) {
    std::string text = "slice spacing varies from " + shortNumber(s.lowMm) + " to " + shortNumber(s.highMm) + " mm; ";
    if (s.interpolated > 0) {
      text += "the image has planes " + shortNumber(s.stepMm) + " mm apart: " + std::to_string(positions.size()) +
              " are slices of the files, " + std::to_string(s.interpolated) + " between them are " + between;
      if (s.worstMm > tolerance) text += "; ";
    }
    if (s.interpolated == 0 || s.worstMm > tolerance) {
      text += "slices are shown up to " + shortNumber(s.worstMm) + " mm from their place";
    }
    warnings.push_back(std::move(text));
  }
  if (s.missing == 0) return warnings;
  const std::string where = "between " + shortNumber(positions[s.firstGap]) + " and " +
                            shortNumber(positions[s.firstGap + 1]) + " mm along the normal";
  warnings.push_back(counted(s.missing, "slice") + (s.missing == 1 ? " is" : " are") + " missing (first " + where +
                     "); left empty");
  return warnings;
}

}  // namespace nora
