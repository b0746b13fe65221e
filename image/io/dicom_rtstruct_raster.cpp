#include "image/io/dicom_rtstruct_raster.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace nora {
namespace {

constexpr double subvoxels = 1 << 20;  // coordinates are rounded to this part of a voxel
constexpr double farAway = 1e9;        // voxels: beyond it rounding means nothing
constexpr double samePlaneMm = 0.02;   // contours are written with two decimals
constexpr double maxTilt = 0.5;        // of a spacing: how far a contour may rise along the normal

/// A contour in voxel coordinates.
struct Polygon {
  std::vector<std::array<double, 2>> points;
  double z = 0;  // mean
  double lowZ = 0, highZ = 0;
};

double rounded(double coordinate) {
  return std::round(std::clamp(coordinate, -farAway, farAway) * subvoxels) / subvoxels;
}

Polygon polygonOf(const RtContour& contour, const Affine& voxelFromLps) {
  Polygon polygon;
  polygon.points.reserve(contour.points.size());
  polygon.lowZ = HUGE_VAL;
  polygon.highZ = -HUGE_VAL;
  double sum = 0;
  for (const Vec3& lps : contour.points) {
    const Vec3 p = voxelFromLps.point(lps);
    polygon.points.push_back({rounded(p[0]), rounded(p[1])});
    polygon.lowZ = std::min(polygon.lowZ, p[2]);
    polygon.highZ = std::max(polygon.highZ, p[2]);
    sum += p[2];
  }
  polygon.z = rounded(sum / static_cast<double>(contour.points.size()));
  return polygon;
}

/// An edge that meets the rows `first` to `last`; directed downwards, so that two regions that share it meet the same
/// crossings.
struct Edge {
  std::int64_t first, last;
  double x0, y0, x1, y1;

  [[nodiscard]] double crossing(std::int64_t row) const {
    return x0 + (static_cast<double>(row) - y0) * (x1 - x0) / (y1 - y0);
  }
};

/// A row meets an edge from its upper end (included) to its lower end (not included).
void addEdges(const Polygon& polygon, std::int64_t rows, std::vector<Edge>& edges) {
  for (std::size_t i = 0; i < polygon.points.size(); ++i) {
    auto a = polygon.points[i];
    auto b = polygon.points[(i + 1) % polygon.points.size()];
    if (a[1] > b[1]) std::swap(a, b);
    const double first = std::max(std::ceil(a[1]), 0.0);
    const double last = std::min(std::ceil(b[1]) - 1, static_cast<double>(rows - 1));
    if (first > last) continue;
    edges.push_back({static_cast<std::int64_t>(first), static_cast<std::int64_t>(last), a[0], a[1], b[0], b[1]});
  }
}

std::size_t columnFrom(double x, std::int64_t columns) {
  return static_cast<std::size_t>(std::clamp(std::ceil(x), 0.0, static_cast<double>(columns)));
}

/// Fills by even-odd between the crossings of each row.
void fill(std::vector<Edge> edges, const RtGrid& grid, SegmentMask::Words& words) {
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.first < b.first; });
  std::vector<Edge> active;
  std::vector<double> crossings;
  std::size_t next = 0;
  for (std::int64_t row = edges.empty() ? 0 : edges.front().first; next < edges.size() || !active.empty(); ++row) {
    std::erase_if(active, [&](const Edge& e) { return e.last < row; });
    if (active.empty() && next < edges.size()) row = std::max(row, edges[next].first);
    while (next < edges.size() && edges[next].first <= row) active.push_back(edges[next++]);
    crossings.clear();
    for (const Edge& edge : active) crossings.push_back(edge.crossing(row));
    std::sort(crossings.begin(), crossings.end());
    const std::size_t start = static_cast<std::size_t>(row * grid.dims[0]);
    for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
      SegmentMask::setRun(words, start + columnFrom(crossings[i], grid.dims[0]),
                          start + columnFrom(crossings[i + 1], grid.dims[0]));
    }
  }
}

bool isCut(const Polygon& polygon, const RtGrid& grid) {
  return std::any_of(polygon.points.begin(), polygon.points.end(), [&](const auto& p) {
    return p[0] < -0.5 || p[1] < -0.5 || p[0] > static_cast<double>(grid.dims[0]) - 0.5 ||
           p[1] > static_cast<double>(grid.dims[1]) - 0.5;
  });
}

/// Contours of one plane, each once. Even-odd would make two copies of a region vanish.
void fillPlane(const std::vector<const Polygon*>& polygons, const RtGrid& grid, RtDrawing& drawing) {
  const auto less = [](const Polygon* a, const Polygon* b) { return a->points < b->points; };
  std::set<const Polygon*, decltype(less)> seen(less);
  std::vector<Edge> edges;
  for (const Polygon* polygon : polygons) {
    if (!seen.insert(polygon).second) {
      ++drawing.copies;
      continue;
    }
    addEdges(*polygon, grid.dims[1], edges);
    ++drawing.drawn;
    drawing.outside += isCut(*polygon, grid) ? 1 : 0;
  }
  const auto z = static_cast<std::int64_t>(std::floor(polygons.front()->z + 0.5));
  if (!edges.empty()) fill(std::move(edges), grid, drawing.mask.plane(z));
}

}  // namespace

RtDrawing drawRoi(const RtRoi& roi, const RtGrid& grid, const Affine& voxelFromLps) {
  RtDrawing drawing{SegmentMask(static_cast<std::size_t>(grid.dims[0] * grid.dims[1]))};
  std::vector<Polygon> polygons;
  for (const RtContour& contour : roi.contours) {
    Polygon polygon = polygonOf(contour, voxelFromLps);
    const double plane = std::floor(polygon.z + 0.5);
    if (!(polygon.highZ - polygon.lowZ <= maxTilt)) {
      ++drawing.tilted;
    } else if (!(plane >= 0 && plane < static_cast<double>(grid.dims[2]))) {
      ++drawing.offPlane;
    } else {
      polygons.push_back(std::move(polygon));
    }
  }
  std::stable_sort(polygons.begin(), polygons.end(), [](const Polygon& a, const Polygon& b) { return a.z < b.z; });
  const double samePlane = samePlaneMm * length({voxelFromLps(2, 0), voxelFromLps(2, 1), voxelFromLps(2, 2)});
  for (std::size_t i = 0; i < polygons.size();) {
    std::vector<const Polygon*> plane;
    const double start = polygons[i].z;
    for (; i < polygons.size() && polygons[i].z - start <= samePlane; ++i) plane.push_back(&polygons[i]);
    fillPlane(plane, grid, drawing);
  }
  return drawing;
}

}  // namespace nora
