#include "render/plan/slab_samples.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

struct Range {
  double low = 0;
  double high = 0;
};

/// Of the image's outer faces, as distances from the plane.
Range extentAcross(const ViewGeometry& geometry, const ImageInfo& info) {
  Range out;
  for (int corner = 0; corner < 8; ++corner) {
    Vec3 voxel{};
    for (std::size_t a = 0; a < 3; ++a)
      voxel[a] = (corner >> a & 1) != 0 ? static_cast<double>(info.dims[a]) - 0.5 : -0.5;
    const double distance = dot(info.worldFromVoxel.point(voxel) - geometry.originMm, geometry.forward);
    out.low = corner == 0 ? distance : std::min(out.low, distance);
    out.high = corner == 0 ? distance : std::max(out.high, distance);
  }
  return out;
}

/// Centres of the middles of `parts` equal parts.
void placeMiddles(const Range& range, std::size_t parts, std::vector<float>& out) {
  const double part = (range.high - range.low) / static_cast<double>(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    out.push_back(static_cast<float>(range.low + (static_cast<double>(i) + 0.5) * part));
  }
}

/// Voxel centres that the normal passes at every pixel alike.
void placeCentres(const Range& range, double atPlane, double perMm, std::vector<float>& out) {
  const double one = atPlane + perMm * range.low;
  const double other = atPlane + perMm * range.high;
  const double last = std::max(one, other);
  for (double k = std::ceil(std::min(one, other)); k <= last; ++k) {
    out.push_back(static_cast<float>((k - atPlane) / perMm));
  }
}

}  // namespace

void placeSlabSamples(const View& view, const ViewGeometry& geometry, const Volume& volume, std::vector<float>& out) {
  constexpr double parallel = 1e-5;  // voxels beside the normal per voxel along it
  constexpr double inwards = 1e-3;   // of a voxel: the ends belong to the voxels inside
  out.clear();
  const Vec3 rates = volume.voxelFromWorld().direction(geometry.forward);
  std::size_t axis = 0;
  for (std::size_t a = 1; a < 3; ++a) {
    if (std::abs(rates[a]) > std::abs(rates[axis])) axis = a;
  }
  const double extentMm = 1 / std::abs(rates[axis]);
  Range range = extentAcross(geometry, volume.info());
  range.low = std::max(range.low, -view.slabMm / 2);
  range.high = std::min(range.high, view.slabMm / 2);
  if (!(range.low < range.high) || !std::isfinite(extentMm)) {
    out.push_back(0);
    return;
  }
  const double voxels = (range.high - range.low) / extentMm;
  const auto halves =
      static_cast<std::size_t>(std::ceil(std::min(2 * voxels, static_cast<double>(mostSlabSamples - 3))));
  if (view.slabMode == SlabMode::mean) {
    placeMiddles(range, std::max<std::size_t>(halves, 1), out);
  } else {
    const double beside = std::abs(rates[(axis + 1) % 3]) + std::abs(rates[(axis + 2) % 3]);
    const Range ends{range.low + inwards * extentMm, range.high - inwards * extentMm};
    if (beside < parallel * std::abs(rates[axis]) && voxels + 4 < static_cast<double>(mostSlabSamples)) {
      placeCentres(range, volume.voxelFromWorld().point(geometry.originMm)[axis], rates[axis], out);
    } else {
      placeMiddles(range, halves, out);
    }
    for (const double end : {ends.low, ends.high}) out.push_back(static_cast<float>(end));
    if (range.low < 0 && range.high > 0) out.push_back(0);
  }
  std::sort(out.begin(), out.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace nora
