// Light on surfaces: gradients of the interpolated values, and of where a label is.
#pragma once

#include "render/kernel/ray_volume.hpp"

namespace nora::kernel::NORA_ISA {

constexpr float ambient = 0.22F;
constexpr float diffuse = 0.88F;
constexpr float specular = 0.12F;
/// Light where there is no surface, and on the face of a cut.
constexpr float evenLight = 0.8F;

struct Light {
  Float bright;  // times the colour
  Float gloss;   // added, 0..255
};

/// Of a surface across the gradient `g` (entries per voxel).
inline Light lightOn(const RayLayer& layer, const Point& g) {
  const float* m = layer.metric;
  const Float toLight = g.x * layer.light[0] + g.y * layer.light[1] + g.z * layer.light[2];
  const Float toViewer = g.x * layer.viewer[0] + g.y * layer.viewer[1] + g.z * layer.viewer[2];
  // Either side of a surface may be the bright one: its normal is the one that faces the viewer.
  const Float along = greatest(select(less(toViewer, none()), -toLight, toLight), none());
  const Float squared =
      g.x * (g.x * m[0] + (g.y * m[3] + g.z * m[4]) * 2.0F) + g.y * (g.y * m[1] + g.z * m[5] * 2.0F) + g.z * g.z * m[2];
  // Where the values hardly change there is no surface: the light fades to an even one.
  const Float surface = squared / (squared + splat(layer.flatGradient));
  const Float size = squareRoot(greatest(squared, splat(1e-20F)));
  const Float cosine = least(along / size, splat(1.0F));
  const Float c2 = cosine * cosine;
  const Float c4 = c2 * c2;
  const Float c8 = c4 * c4;
  Light light{mix(splat(evenLight), splat(ambient) + cosine * splat(diffuse), surface),
              c8 * c8 * surface * splat(255 * specular)};
  const Mask bad = notEqual(light.bright, light.bright);
  if (any(bad)) {
    light.bright = select(bad, splat(evenLight), light.bright);
    light.gloss = select(bad, none(), light.gloss);
  }
  return light;
}

template <class V>
class Gradients {
 public:
  inline Gradients(const RayVolume& volume, const V& voxels) : volume_(volume), voxels_(voxels) {}

  /// Difference over two voxels of the interpolated values, in entries per voxel.
  [[nodiscard]] inline Point at(const Cell& cell) const {
    const Float scale = splat(volume_.layer->entryPerStored * 0.5F);
    const Mask inner = both(both(innerAlong(0, cell.x), innerAlong(1, cell.y)), innerAlong(2, cell.z));
    Point g = any(butNot(lessEqual(none(), none()), inner)) ? atEdge(cell) : inside(cell);
    g.x = g.x * scale;
    g.y = g.y * scale;
    g.z = g.z * scale;
    return g;
  }

 private:
  [[nodiscard]] inline Mask innerAlong(int a, Int corner) const {
    const auto end = static_cast<std::int32_t>(volume_.layer->grid.dims[a] - 2);
    return both(less(splat(0), corner), less(corner, splat(end)));
  }

  /// Six more samples, each clamped to the image.
  [[nodiscard]] inline Point atEdge(const Cell& cell) const {
    const Point p{toFloat(cell.x) + cell.fx, toFloat(cell.y) + cell.fy, toFloat(cell.z) + cell.fz};
    const Float one = splat(1.0F);
    const auto value = [&](Float x, Float y, Float z) {
      return voxels_.trilinear(volume_.extent.cellAt({x, y, z}), false);
    };
    return {value(p.x + one, p.y, p.z) - value(p.x - one, p.y, p.z),
            value(p.x, p.y + one, p.z) - value(p.x, p.y - one, p.z),
            value(p.x, p.y, p.z + one) - value(p.x, p.y, p.z - one)};
  }

  /// The same six samples share most of their voxels: 32 instead of 48.
  [[nodiscard]] inline Point inside(const Cell& cell) const {
    const std::int64_t dx = volume_.layer->grid.stride[0];
    const std::int64_t dy = voxels_.nextY();
    const std::int64_t dz = voxels_.nextZ();
    const auto at = voxels_.offset(cell.x, cell.y, cell.z);
    Float gx[4];  // rows (y, z), (y+1, z), (y, z+1), (y+1, z+1)
    Float middle[4];
    for (int row = 0; row < 4; ++row) {
      const std::int64_t move = ((row & 1) != 0 ? dy : 0) + ((row & 2) != 0 ? dz : 0);
      Float v[4];
      voxels_.pair(V::moved(at, move - dx), v[0], v[1]);
      voxels_.pair(V::moved(at, move + dx), v[2], v[3]);
      gx[row] = mix(v[2] - v[0], v[3] - v[1], cell.fx);
      middle[row] = mix(v[1], v[2], cell.fx);
    }
    const auto rowAt = [&](std::int64_t move) {
      Float a;
      Float b;
      voxels_.pair(V::moved(at, move), a, b);
      return mix(a, b, cell.fx);
    };
    const Float yNear = mix(middle[1] - rowAt(-dy), rowAt(2 * dy) - middle[0], cell.fy);
    const Float yFar = mix(middle[3] - rowAt(dz - dy), rowAt(dz + 2 * dy) - middle[2], cell.fy);
    const Float zLeft = mix(middle[2] - rowAt(-dz), rowAt(2 * dz) - middle[0], cell.fz);
    const Float zRight = mix(middle[3] - rowAt(dy - dz), rowAt(dy + 2 * dz) - middle[1], cell.fz);
    return {mix(mix(gx[0], gx[1], cell.fy), mix(gx[2], gx[3], cell.fy), cell.fz), mix(yNear, yFar, cell.fz),
            mix(zLeft, zRight, cell.fy)};
  }

  const RayVolume& volume_;
  const V& voxels_;
};

}  // namespace nora::kernel::NORA_ISA
