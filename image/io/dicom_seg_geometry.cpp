#include "image/io/dicom_seg_geometry.hpp"

#include "image/io/dicom_spacing.hpp"
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
constexpr double thickerFactor = 1.5;       // than the thinnest: slices are thick where they lie far apart
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
  return refined(places, smallest);
}

/// The frames' own thickness at each place: the largest.
std::vector<double> thicknessAt(const std::vector<double>& places, const std::vector<DicomFrame>& frames,
                                const std::vector<double>& fromLowest) {
  std::vector<double> thickness(places.size(), 0);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto place = std::upper_bound(places.begin(), places.end(), fromLowest[i]) - places.begin() - 1;
    double& here = thickness[static_cast<std::size_t>(std::max<std::ptrdiff_t>(place, 0))];
    here = std::max(here, frames[i].sliceThickness);
  }
  return thickness;
}

bool isUneven(const std::vector<double>& places, double step, const std::vector<double>& thickness) {
  const auto [thinnest, thickest] = std::minmax_element(thickness.begin(), thickness.end());
  const bool changes = *thinnest > 0 && *thickest > thickerFactor * *thinnest;
  return changes || misfit(places, step) > multipleTolerance;
}

/// Planes of an even grid that no frame fills are empty because frames were left out, if what the file says of spacing
/// or thickness bears that out.
void tellHoles(const std::vector<double>& places, double step, double thickness, const DicomFrame& frame,
               SegGeometry& geometry) {
  const auto holes = geometry.planes - static_cast<std::int64_t>(places.size());
  const bool stated = frame.spacingBetweenSlices > 0 || (thickness > 0 && thickness <= thickerFactor * step);
  if (holes <= 0 || stated) return;
  geometry.warnings.push_back(counted(static_cast<std::uint64_t>(holes), "plane") +
                              " between the frames have none and are empty: the file does not say whether slices are "
                              "left out or lie unevenly");
}

/// Where each place lies in a grid of planes, and which of them it fills.
void usePlanes(const DicomSpacing& grid, const std::vector<double>& places, const std::vector<double>& fromLowest,
               SegGeometry& geometry) {
  std::vector<std::array<std::int64_t, 2>> spans;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t low = grid.depth[i], high = low;
    if (i > 0 && grid.bridged[i - 1]) low -= (low - grid.depth[i - 1]) / 2;  // the nearer half; the middle goes up
    if (i + 1 < places.size() && grid.bridged[i]) high += (grid.depth[i + 1] - high - 1) / 2;
    spans.push_back({low, high});
  }
  for (const double from : fromLowest) {
    const auto place = std::upper_bound(places.begin(), places.end(), from + samePlaceMm / 2) - places.begin() - 1;
    const auto i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(place, 0));
    geometry.zOf.push_back(grid.depth[i]);
    geometry.span.push_back(spans[i]);
  }
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

/// What is wrong with the size of the pixels of a frame that lies in space.
std::string wrongSize(const DicomFrame& frame) {
  if (!frame.wrongSpacing.empty() || frame.pixelSpacing || !frame.positionLps) return frame.wrongSpacing;
  return "PixelSpacing (0028,0030) is missing, though the frames say where they lie: their size is not known";
}

/// Planes for frames at distances `fromLowest` along the normal.
Result<SegGeometry> gridOfFrames(const std::vector<DicomFrame>& frames, const std::vector<double>& fromLowest,
                                 std::uint64_t frameBytes, const std::string& name) {
  SegGeometry geometry;
  const auto places = placesOf(fromLowest);
  const auto thickness = thicknessAt(places, frames, fromLowest);
  geometry.filled = places.size();
  geometry.stepMm = stepOf(places, frames.front(), geometry);
  std::optional<DicomSpacing> grid;
  if (places.size() > 2 && isUneven(places, geometry.stepMm, thickness)) {
    grid = gridOf(places, thickness, {frameBytes, frameBytes});
  }
  if (grid) {
    geometry.stepMm = grid->stepMm;
    geometry.planes = grid->depth.back() + 1;
    for (auto& warning : spacingWarnings(*grid, places, "copies of the nearest"))
      geometry.warnings.push_back(std::move(warning));
    usePlanes(*grid, places, fromLowest, geometry);
    if (geometry.planes <= maxPlanes) return geometry;
  }
  const double steps = std::round(places.back() / geometry.stepMm);
  if (grid || steps >= static_cast<double>(maxPlanes)) {
    return fail(ErrorCode::limitExceeded, "the frames would make more than 8192 slices", name);
  }
  geometry.planes = static_cast<std::int64_t>(steps) + 1;
  tellHoles(places, geometry.stepMm, *std::max_element(thickness.begin(), thickness.end()), frames.front(), geometry);
  if (const double off = misfit(places, geometry.stepMm); off > multipleTolerance) {
    geometry.warnings.push_back(
        "the distances of the slices are not multiples of one spacing; slices are shown up to " +
        shortNumber(off * geometry.stepMm) + " mm from their place");
  }
  for (const double from : fromLowest) {
    const auto z = static_cast<std::int64_t>(std::round(from / geometry.stepMm));
    geometry.zOf.push_back(z);
    geometry.span.push_back({z, z});
  }
  return geometry;
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
  geometry.span = {{0, 0}};
  geometry.filled = 1;
  return geometry;
}

}  // namespace

Result<SegGeometry> segGeometry(const std::vector<DicomFrame>& frames, const std::string& name,
                                std::uint64_t frameBytes) {
  const auto unsupported = [&](const std::string& what) { return fail(ErrorCode::unsupported, what, name); };
  if (frames.empty()) return unsupported("the segmentation has no frames that say where they lie");
  const auto reference = planeOf(frames.front());
  if (!reference && frames.size() == 1) return withoutPlace(frames.front());
  std::vector<Vec3> origins;
  std::vector<double> positions;
  for (const DicomFrame& frame : frames) {
    const auto plane = planeOf(frame);
    if (auto why = wrongSize(frame); !why.empty()) return fail(ErrorCode::invalidInput, std::move(why), name);
    if (!plane) return unsupported("the frames of the segmentation do not say where they lie");
    if (!isParallel(*plane, *reference)) return unsupported("the frames of the segmentation are not parallel");
    origins.push_back(plane->position);
    positions.push_back(dot(plane->position, reference->normal));
  }
  const auto lowest =
      static_cast<std::size_t>(std::min_element(positions.begin(), positions.end()) - positions.begin());
  const auto highest =
      static_cast<std::size_t>(std::max_element(positions.begin(), positions.end()) - positions.begin());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (i != lowest) positions[i] -= positions[lowest];
  }
  positions[lowest] = 0;
  auto geometry = gridOfFrames(frames, positions, frameBytes, name);
  if (!geometry) return geometry;
  // From corner to corner: not along the normal where the gantry was tilted.
  const double step = geometry->stepMm, planes = static_cast<double>(geometry->planes - 1);
  const Vec3 along = planes > 0 ? (origins[highest] - origins[lowest]) * (1 / planes) : reference->normal * step;
  constexpr const char* sideBySide = "frames of the segmentation lie side by side";
  if (length(along) > maxSlant * step) return unsupported(sideBySide);
  const double pixel = std::min(reference->rowStepMm, reference->columnStepMm);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Vec3 off = origins[i] - origins[lowest] - along * (positions[i] / step);
    if (length(off) > besideShare * pixel) return unsupported(sideBySide);
  }
  geometry->worldFromVoxel = rasAffine(*reference, origins[lowest], along);
  return geometry;
}

}  // namespace nora
