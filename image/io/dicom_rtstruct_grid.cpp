// Chooses the grid that contours are drawn on.
#include "image/io/dicom_rtstruct_contours.hpp"

#include "image/io/dicom_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace nora {
namespace {

constexpr double parallelCosine = 0.9999;  // of two normals: within 0.8 degrees
constexpr double samePlaneMm = 0.02;       // contours are written with two decimals
constexpr double finestMm = 0.5;           // pixels of a grid of our own
constexpr double coarsestMm = 1.0;         // unless it grows beyond the limits below
constexpr double evenMm = 0.05;            // pixels are a multiple of it
constexpr double pixelsAcross = 512;       // aimed at
constexpr double maxPixelsAcross = 1024;   // of a grid of our own
constexpr double maxPlanes = 4096;         // of a grid of our own
constexpr double maxVoxels = 256e6;        // of a grid of our own
constexpr double farAwayMm = 1e5;          // nothing of a patient is further from the origin
constexpr double fewLost = 0.25;  // of the contours: more off the source's planes, and some of its images are missing
constexpr double unevenShare = 0.1;  // of the spacing: contours further from their plane are told

Vec3 centreOf(const RtContour& contour) {
  Vec3 sum{};
  for (const Vec3& p : contour.points) sum = sum + p;
  return sum * (1.0 / static_cast<double>(contour.points.size()));
}

bool isFarAway(const RtContour& contour) {
  return std::any_of(contour.points.begin(), contour.points.end(), [](const Vec3& p) {
    return std::any_of(p.begin(), p.end(), [](double c) { return std::abs(c) > farAwayMm; });
  });
}

bool isParallel(const Vec3& areaNormal, const Vec3& normal) {
  return std::abs(dot(areaNormal, normal)) >= parallelCosine * length(areaNormal);
}

/// The normal of the largest contour; zero if none has an area.
Vec3 commonNormal(const RtStructureSet& set) {
  Vec3 largest{};
  for (const auto& roi : set.rois) {
    for (const auto& contour : roi.contours) {
      const Vec3 normal = areaNormal(contour);
      if (!isFarAway(contour) && length(normal) > length(largest)) largest = normal;
    }
  }
  return normalised(largest);
}

/// True if most contours lie in planes of the stack.
bool holds(const RtSourceStack& stack, const Affine& voxelFromLps, const RtStructureSet& set) {
  std::size_t all = 0, lost = 0;
  const Vec3 normal = normalised(cross(stack.lpsFromVoxel.column(0), stack.lpsFromVoxel.column(1)));
  for (const auto& roi : set.rois) {
    for (const auto& contour : roi.contours) {
      const double z = std::floor(voxelFromLps.point(centreOf(contour))[2] + 0.5);
      const bool in = z >= 0 && z < static_cast<double>(stack.dims[2]) && isParallel(areaNormal(contour), normal);
      ++all;
      lost += in ? 0 : 1;
    }
  }
  return static_cast<double>(lost) <= fewLost * static_cast<double>(all);
}

/// Positions of planes that contours lie in, ascending, each once.
std::vector<double> distinct(std::vector<double> positions) {
  std::sort(positions.begin(), positions.end());
  const auto same = [](double a, double b) { return b - a < samePlaneMm; };
  positions.erase(std::unique(positions.begin(), positions.end(), same), positions.end());
  return positions;
}

std::optional<double> lowerMedianStep(const std::vector<std::vector<double>>& rows) {
  std::vector<double> steps;
  for (const auto& positions : rows) {
    for (std::size_t i = 1; i < positions.size(); ++i) steps.push_back(positions[i] - positions[i - 1]);
  }
  if (steps.empty()) return std::nullopt;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>((steps.size() - 1) / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
}

/// What lies along the normal, and the box of the contours in the plane.
struct Extent {
  std::vector<double> positions;  // of the contours' planes along the normal
  double stepMm = 1;
  bool stepIsKnown = false;
  double low[2]{HUGE_VAL, HUGE_VAL}, high[2]{-HUGE_VAL, -HUGE_VAL};  // along row and column
};

Extent extentOf(const RtStructureSet& set, const Vec3& row, const Vec3& column, const Vec3& normal) {
  Extent extent;
  std::vector<std::vector<double>> byRoi;
  for (const auto& roi : set.rois) {
    std::vector<double> positions;
    for (const auto& contour : roi.contours) {
      if (isFarAway(contour) || !isParallel(areaNormal(contour), normal)) continue;
      positions.push_back(dot(centreOf(contour), normal));
      for (const Vec3& p : contour.points) {
        const double at[2]{dot(p, row), dot(p, column)};
        for (int a = 0; a < 2; ++a) {
          extent.low[a] = std::min(extent.low[a], at[a]);
          extent.high[a] = std::max(extent.high[a], at[a]);
        }
      }
    }
    byRoi.push_back(distinct(std::move(positions)));
    extent.positions.insert(extent.positions.end(), byRoi.back().begin(), byRoi.back().end());
  }
  extent.positions = distinct(std::move(extent.positions));
  // Steps within a ROI first: another ROI, drawn on other images, may lie between its planes.
  auto step = lowerMedianStep(byRoi);
  if (!step) step = lowerMedianStep({extent.positions});
  extent.stepIsKnown = step.has_value();
  extent.stepMm = step.value_or(1);
  return extent;
}

/// Row and column as radiologists look at the plane: axial from the feet, coronal from the front, sagittal from the
/// left.
std::pair<Vec3, Vec3> axesOf(const Vec3& normal) {
  const Vec3 n{std::abs(normal[0]), std::abs(normal[1]), std::abs(normal[2])};
  Vec3 right{1, 0, 0}, down{0, 0, -1};
  if (n[0] > n[1] && n[0] > n[2]) right = {0, 1, 0};
  if (n[2] >= n[0] && n[2] >= n[1]) down = {0, 1, 0};
  const Vec3 row = normalised(right - normal * dot(right, normal));
  Vec3 column = normalised(cross(normal, row));
  if (dot(column, down) < 0) column = column * -1.0;
  return {row, column};
}

void warnOfPlanes(const Extent& extent, double step, RtGrid& grid) {
  double worst = 0;
  for (const double position : extent.positions) {
    const double z = (position - extent.positions.front()) / step;
    worst = std::max(worst, std::abs(z - std::floor(z + 0.5)) * step);
  }
  if (worst > unevenShare * step) {
    grid.warnings.push_back("the contours' planes are not evenly spaced; contours are shown up to " +
                            shortNumber(worst) + " mm from their place");
  }
}

std::string gridText(const RtGrid& grid) {
  std::string text;
  for (int a = 0; a < 3; ++a) text += (a == 0 ? "" : " x ") + shortNumber(length(grid.lpsFromVoxel.column(a)));
  return text + " mm";
}

/// Pixels and box of our own.
void placeOwnPixels(const Extent& extent, const Vec3& row, const Vec3& column, const Vec3& normal, RtGrid& grid) {
  const double width = extent.high[0] - extent.low[0], height = extent.high[1] - extent.low[1];
  const double across = std::max(width, height);
  double pixel = std::clamp(std::ceil(across / pixelsAcross / evenMm) * evenMm, finestMm, coarsestMm);
  pixel = std::max(pixel, across / maxPixelsAcross);
  const double planes = static_cast<double>(grid.dims[2]);
  pixel = std::max(pixel, std::sqrt(width * height * planes / maxVoxels));
  constexpr double margin = 2;  // pixels around, so that a region does not touch the border
  double low[2];
  for (int a = 0; a < 2; ++a) {
    low[a] = (std::floor(extent.low[a] / pixel) - margin) * pixel;
    const double count = std::ceil((extent.high[a] - low[a]) / pixel) + margin + 1;
    grid.dims[static_cast<std::size_t>(a)] = static_cast<std::int64_t>(count);
  }
  grid.lpsFromVoxel.setColumn(0, row * pixel);
  grid.lpsFromVoxel.setColumn(1, column * pixel);
  grid.lpsFromVoxel.setColumn(2, normal * extent.stepMm);
  grid.lpsFromVoxel.setColumn(3, row * low[0] + column * low[1] + normal * extent.positions.front());
}

/// The pixels of the source's images, on the contours' planes.
void placeSourcePixels(const Extent& extent, const RtSourceStack& source, const Vec3& normal, RtGrid& grid) {
  const Affine& from = source.lpsFromVoxel;
  Vec3 along = from.column(2);  // not the normal where the gantry was tilted
  const double rise = dot(along, normal);
  along = std::abs(rise) > 1e-6 * length(along) ? along * (1 / rise) : normal;
  const Vec3 origin = from.column(3);
  grid.dims[0] = source.dims[0];
  grid.dims[1] = source.dims[1];
  grid.lpsFromVoxel.setColumn(0, from.column(0));
  grid.lpsFromVoxel.setColumn(1, from.column(1));
  grid.lpsFromVoxel.setColumn(2, along * extent.stepMm);
  grid.lpsFromVoxel.setColumn(3, origin + along * (extent.positions.front() - dot(origin, normal)));
}

}  // namespace

Vec3 areaNormal(const RtContour& contour) {
  Vec3 sum{};
  const auto& points = contour.points;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    sum = sum + cross(points[i] - points[0], points[i + 1] - points[0]);
  }
  return sum * 0.5;
}

std::optional<RtGrid> chooseGrid(const RtStructureSet& set, const std::optional<RtSourceStack>& source) {
  const Vec3 direction = commonNormal(set);
  if (length(direction) == 0) return std::nullopt;
  RtGrid grid;
  const auto voxelFromLps = source ? inverse(source->lpsFromVoxel) : std::nullopt;
  if (voxelFromLps && holds(*source, *voxelFromLps, set)) {
    grid.dims = source->dims;
    grid.lpsFromVoxel = source->lpsFromVoxel;
    return grid;
  }
  auto [row, column] = axesOf(direction);
  bool onSource = false;
  if (voxelFromLps) {
    const Vec3 sourceNormal = cross(source->lpsFromVoxel.column(0), source->lpsFromVoxel.column(1));
    onSource = isParallel(sourceNormal, direction);
    if (onSource) row = normalised(source->lpsFromVoxel.column(0));
    if (onSource) column = normalised(source->lpsFromVoxel.column(1));
  }
  const Vec3 normal = normalised(cross(row, column));
  const Extent extent = extentOf(set, row, column, normal);
  const double planes = std::floor((extent.positions.back() - extent.positions.front()) / extent.stepMm + 0.5) + 1;
  if (planes > maxPlanes) return std::nullopt;
  grid.dims[2] = static_cast<std::int64_t>(planes);
  if (onSource) {
    placeSourcePixels(extent, *source, normal, grid);
  } else {
    placeOwnPixels(extent, row, column, normal, grid);
  }
  const std::string why = source ? "the contours lie outside the images that are there: drawn on their own planes, "
                                 : "the images that it was drawn on are not there: drawn on a grid of its own, ";
  grid.warnings.push_back(why + gridText(grid) +
                          (extent.stepIsKnown ? "" : " (the distance of the planes is not known)"));
  warnOfPlanes(extent, extent.stepMm, grid);
  return grid;
}

}  // namespace nora
