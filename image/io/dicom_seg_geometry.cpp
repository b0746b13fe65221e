#include "image/io/dicom_seg_geometry.hpp"

#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace nora {
namespace {

constexpr double sameAngleRad = 1e-3;
constexpr double sameSpacing = 1e-3;        // relative
constexpr double multipleTolerance = 0.05;  // of the spacing: how exact a multiple a distance has to be
constexpr double besideShare = 0.5;         // of a pixel: frames further beside the line of the others are refused
constexpr double maxSlant = 1.42;           // from slice to slice, of the step: 45 degrees; a gantry tilts by 30
constexpr std::int64_t maxPlanes = 8192;

std::optional<DicomPlane> planeOf(const DicomFrame& frame) {
  DicomHeader header;
  header.positionLps = frame.positionLps;
  header.orientationLps = frame.orientationLps;
  header.pixelSpacing = frame.pixelSpacing;
  return nora::planeOf(header);
}

bool isParallel(const DicomPlane& a, const DicomPlane& b) {
  const auto near = [](double x, double y) { return std::abs(x - y) <= sameSpacing * std::max(x, y); };
  return length(a.row - b.row) <= sameAngleRad && length(a.column - b.column) <= sameAngleRad &&
         near(a.rowStepMm, b.rowStepMm) && near(a.columnStepMm, b.columnStepMm);
}

constexpr double samePlaceMm = 0.01;

/// Distances of frames along the normal from the lowest, ascending, each place once.
std::vector<double> placesOf(std::vector<double> positions) {
  std::sort(positions.begin(), positions.end());
  std::vector<double> places;
  for (const double position : positions) {
    if (places.empty() || position - places.back() > samePlaceMm) places.push_back(position);
  }
  return places;
}

/// How far a place is from a multiple of the step, in steps, at most.
double misfit(const std::vector<double>& places, double step) {
  double worst = 0;
  for (const double place : places) {
    const double z = (place - places.front()) / step;
    worst = std::max(worst, std::abs(z - std::round(z)));
  }
  return worst;
}

/// Errors of rounding add up over a long way: the step that makes the last place a whole number of steps.
double refined(const std::vector<double>& places, double step) {
  const double count = std::round((places.back() - places.front()) / step);
  return count >= 1 ? (places.back() - places.front()) / count : step;
}

double stepOf(const std::vector<double>& places, const DicomFrame& frame, SegGeometry& geometry) {
  const double stated = frame.spacingBetweenSlices > 0 ? std::abs(frame.spacingBetweenSlices) : 0;
  if (places.size() < 2) {
    const double step = stated > 0 ? stated : frame.sliceThickness;
    if (step > 0) return step;
    geometry.warnings.emplace_back("the thickness of the only slice is not stated: 1 mm is shown");
    return 1;
  }
  double smallest = places.back() - places.front();
  for (std::size_t i = 1; i < places.size(); ++i) smallest = std::min(smallest, places[i] - places[i - 1]);
  // A stated step that is larger than a real one is wrong: slices would share a plane.
  if (stated > 0 && stated < smallest * (1 + multipleTolerance)) {
    const double step = refined(places, stated);
    if (misfit(places, step) <= multipleTolerance) return step;
  }
  const double step = refined(places, smallest);
  if (const double off = misfit(places, step); off > multipleTolerance) {
    geometry.warnings.push_back(
        "the distances of the slices are not multiples of one spacing; slices are shown up to " +
        shortNumber(off * step) + " mm from their place");
  }
  return step;
}

Affine rasAffine(const DicomPlane& plane, const Vec3& origin, const Vec3& step) {
  Affine a;
  a.setColumn(0, plane.row * plane.rowStepMm);
  a.setColumn(1, plane.column * plane.columnStepMm);
  a.setColumn(2, step);
  a.setColumn(3, origin);
  for (int row = 0; row < 2; ++row) {
    for (int c = 0; c < 4; ++c) a(row, c) = -a(row, c);
  }
  return a;
}

/// A single frame that does not say where it lies.
SegGeometry withoutPlace(const DicomFrame& frame) {
  DicomFrame placed = frame;
  placed.positionLps = Vec3{0, 0, 0};
  placed.orientationLps = std::array<double, 6>{1, 0, 0, 0, 1, 0};
  SegGeometry geometry;
  geometry.warnings.emplace_back("no position in space is stated: shown as an axial slice at the origin");
  const DicomPlane plane = *planeOf(placed);
  geometry.worldFromVoxel = rasAffine(plane, {0, 0, 0}, plane.normal * stepOf({0}, frame, geometry));
  geometry.zOf = {0};
  geometry.filled = 1;
  return geometry;
}

}  // namespace

Result<SegGeometry> segGeometry(const std::vector<DicomFrame>& frames, const std::string& name) {
  const auto unsupported = [&](const std::string& what) { return fail(ErrorCode::unsupported, what, name); };
  if (frames.empty()) return unsupported("the segmentation has no frames that say where they lie");
  const auto reference = planeOf(frames.front());
  if (!reference && frames.size() == 1) return withoutPlace(frames.front());
  std::vector<Vec3> origins;
  std::vector<double> positions;
  if (!frames.front().pixelSpacing) {
    const std::string wrong = frames.front().wrongSpacing;
    return fail(ErrorCode::invalidInput, wrong.empty() ? "PixelSpacing (0028,0030) is missing: the size is not known" : wrong, name);
  }
  for (const DicomFrame& frame : frames) {
    const auto plane = planeOf(frame);
    if (!frame.wrongSpacing.empty()) return fail(ErrorCode::invalidInput, frame.wrongSpacing, name);
    if (!plane) return unsupported("the frames of the segmentation do not say where they lie");
    if (!isParallel(*plane, *reference)) return unsupported("the frames of the segmentation are not parallel");
    origins.push_back(plane->position);
    positions.push_back(dot(plane->position, reference->normal));
  }
  SegGeometry geometry;
  const auto places = placesOf(positions);
  const double step = stepOf(places, frames.front(), geometry);
  const double steps = std::round((places.back() - places.front()) / step);
  if (steps >= static_cast<double>(maxPlanes)) {
    return fail(ErrorCode::limitExceeded, "the frames would make more than 8192 slices", name);
  }
  geometry.planes = static_cast<std::int64_t>(steps) + 1;
  geometry.filled = places.size();
  const auto lowest =
      static_cast<std::size_t>(std::min_element(positions.begin(), positions.end()) - positions.begin());
  const auto highest =
      static_cast<std::size_t>(std::max_element(positions.begin(), positions.end()) - positions.begin());
  // From corner to corner: not along the normal where the gantry was tilted.
  const Vec3 along = steps > 0 ? (origins[highest] - origins[lowest]) * (1 / steps) : reference->normal * step;
  constexpr const char* sideBySide = "frames of the segmentation lie side by side";
  if (length(along) > maxSlant * step) return unsupported(sideBySide);
  const double pixel = std::min(reference->rowStepMm, reference->columnStepMm);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const double z = (positions[i] - positions[lowest]) / step;
    geometry.zOf.push_back(static_cast<std::int64_t>(std::round(z)));
    const Vec3 off = origins[i] - origins[lowest] - along * z;
    if (length(off) > besideShare * pixel) return unsupported(sideBySide);
  }
  geometry.worldFromVoxel = rasAffine(*reference, origins[lowest], along);
  return geometry;
}

}  // namespace nora
