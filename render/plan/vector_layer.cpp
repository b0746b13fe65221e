#include "render/plan/vector_layer.hpp"

#include "render/plan/grid.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string_view>

namespace nora {
namespace {

constexpr std::int64_t vectorLength = 3;

std::string_view fieldOf(const ImageInfo& info, std::string_view name) {
  for (const auto& [key, value] : info.fields) {
    if (key == name) return value;
  }
  return {};
}

bool writtenByItk(const ImageInfo& info) {
  const std::string_view intent = fieldOf(info, "intent");
  // FSL's programs write their name or version ("6.0.5:9e026117") into the description.
  const bool fsl = info.description.starts_with("FSL") ||
                   (!info.description.empty() && std::isdigit(static_cast<unsigned char>(info.description[0])) != 0);
  return (intent == "vector" || intent == "displacement vector") && !fsl;
}

/// Sticks stand on a lattice of voxel columns that are at least so far apart.
constexpr double leastStickPixels = 8;

void planSticks(const ViewGeometry& geometry, kernel::SliceLayer& out) {
  kernel::Sticks& s = out.sticks;
  const auto crossed = [&](int u, int v) { return out.right[u] * out.down[v] - out.right[v] * out.down[u]; };
  for (int axis = 0; axis < 3; ++axis) {
    const int u = axis == 0 ? 1 : 0;
    const int v = axis == 2 ? 1 : 2;
    if (axis > 0 && std::abs(crossed(u, v)) <= std::abs(crossed(s.u, s.v))) continue;
    s.u = u;
    s.v = v;
    s.through = axis;
  }
  const double area = crossed(s.u, s.v);
  if (!(std::abs(area) > 0)) return;
  const std::array<double, 4> inverse{out.down[s.v] / area, -out.down[s.u] / area, -out.right[s.v] / area,
                                      out.right[s.u] / area};
  std::transform(inverse.begin(), inverse.end(), s.pixelFromVoxel, [](double v) { return static_cast<float>(v); });
  for (std::size_t i = 0; i < 2; ++i) {
    s.throughFromVoxel[i] =
        static_cast<float>(out.right[s.through] * inverse[i] + out.down[s.through] * inverse[i + 2]);
  }
  // The lower height of the parallelogram between neighbouring sticks: a stick half so long stays in its own cell.
  const double longest = std::max(std::hypot(inverse[0], inverse[2]), std::hypot(inverse[1], inverse[3]));
  const double oneVoxel = 1 / (std::abs(area) * longest);
  const double stride = std::max(1.0, std::ceil(leastStickPixels / oneVoxel - 1e-6));
  const double spacing = oneVoxel * stride;
  const double halfWidth = std::clamp(spacing * 0.045, 0.6, 2.5);
  s.stride = static_cast<float>(std::min(stride, 1e6));
  s.halfWidth = static_cast<float>(halfWidth);
  s.halfLength = static_cast<float>(spacing / 2 - halfWidth - 0.5);
  const Vec3 right = normalised(geometry.rightMm);
  const Vec3 down = normalised(geometry.downMm);
  for (std::size_t a = 0; a < 3; ++a) {
    s.screenFromDirection[a] = static_cast<float>(right[a]);
    s.screenFromDirection[a + 3] = static_cast<float>(down[a]);
  }
}

}  // namespace

bool holdsVectors(const Volume& volume) {
  const ImageInfo& info = volume.info();
  if (isColour(info.type)) return false;
  return info.components == vectorLength ||
         (info.components == 1 && info.timePoints == vectorLength && volume.isComplete());
}

Affine worldFromVector(const ImageInfo& info) {
  Affine out;
  const bool nifti = info.format.starts_with("NIfTI");
  if (info.format == "MIF" || (nifti && info.description.starts_with("MRtrix"))) return out;
  const std::string_view space = fieldOf(info, "space");
  const bool lpsSpace = space.starts_with("left-posterior-superior") || space.starts_with("LPS");
  const bool lps = info.format == "NRRD" ? lpsSpace : info.format == "MetaImage" || (nifti && writtenByItk(info));
  if (lps) {
    out(0, 0) = -1;
    out(1, 1) = -1;
  } else if (nifti) {
    for (int c = 0; c < 3; ++c) out.setColumn(c, normalised(info.worldFromVoxel.column(c)));
    if (determinant(info.worldFromVoxel) > 0) out.setColumn(0, out.column(0) * -1);
    for (int r = 0; r < 3; ++r) out(r, 3) = 0;
  }
  return out;
}

void planVectors(const Volume& volume, std::int64_t time, VectorLook look, const ViewGeometry& geometry,
                 kernel::SliceLayer& out) {
  out.look = look == VectorLook::sticks ? kernel::Look::sticks : kernel::Look::direction;
  const bool planar = volume.info().components == vectorLength;
  for (std::int64_t c = 0; c < vectorLength; ++c) {
    out.components[c] = planar ? volume.frame(time, c) : volume.frame(c);
  }
  out.grid.voxels = out.components[0];
  const Affine world = worldFromVector(volume.info());
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 3; ++c) out.worldFromVector[r * 3 + c] = static_cast<float>(world(r, c));
  }
  if (look == VectorLook::sticks) planSticks(geometry, out);
}

}  // namespace nora
