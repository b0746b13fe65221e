// Cubic interpolation: R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29
// (1981), with a = -1/2 (the Catmull-Rom spline). It runs through the voxels and is exact for parabolas. Edges are
// clamped as for trilinear. Where it would overshoot, it is held within the range of the voxels that it is made of: no
// dark rims around bone, no negative background. If one of them is not a number, the result is the trilinear one.
#pragma once

#include "render/kernel/sampling.hpp"

namespace nora::kernel::NORA_ISA {

/// Of the voxels before, at, after and second after the lowest corner.
struct CubicWeights {
  Float of[4];

  inline explicit CubicWeights(Float f) {
    const Float half = splat(0.5F);
    const Float square = f * f;
    const Float cube = square * f;
    of[0] = square - half * (f + cube);
    of[1] = splat(1.0F) - splat(2.5F) * square + splat(1.5F) * cube;
    of[2] = half * f + splat(2.0F) * square - splat(1.5F) * cube;
    of[3] = half * (cube - square);
  }
};

/// Where the four voxels along one axis are; beyond the edge it is the edge's.
struct CubicPlaces {
  Int at[4];

  inline CubicPlaces(Int lowest, std::int64_t count) {
    const Int last = splat(static_cast<std::int32_t>(count - 1));
    at[0] = greatest(lowest - 1, splat(0));
    at[1] = lowest;
    at[2] = least(lowest + 1, last);
    at[3] = least(lowest + 2, last);
  }
};

/// Calls `visit(weight, x, y, z)` for the voxels that any lane needs: positions on a plane or row of voxels need fewer.
template <class Visitor>
inline void visitCubic(const Grid& grid, const Cell& cell, Visitor&& visit) {
  const Float zero = splat(0.0F);
  const CubicWeights wx(cell.fx);
  const CubicWeights wy(cell.fy);
  const CubicWeights wz(cell.fz);
  const CubicPlaces px(cell.x, grid.dims[0]);
  const CubicPlaces py(cell.y, grid.dims[1]);
  const CubicPlaces pz(cell.z, grid.dims[2]);
  for (int k = 0; k < 4; ++k) {
    if (!any(notEqual(wz.of[k], zero))) continue;
    for (int j = 0; j < 4; ++j) {
      const Float weight = wz.of[k] * wy.of[j];
      if (!any(notEqual(weight, zero))) continue;
      for (int i = 0; i < 4; ++i) visit(weight * wx.of[i], px.at[i], py.at[j], pz.at[k]);
    }
  }
}

inline Mask everyLane() {
  return equal(splat(0), splat(0));
}

inline Mask isFinite(Float v) {
  return less(greatest(v, -v), splat(3.4e38F));
}

template <class V>
[[nodiscard]] inline Float cubic(const V& voxels, const Grid& grid, const Cell& cell) {
  Float sum = splat(0.0F);
  Float low = splat(3.4e38F);
  Float high = splat(-3.4e38F);
  Mask sound = everyLane();
  visitCubic(grid, cell, [&](Float weight, Int x, Int y, Int z) {
    const Float value = voxels.one(voxels.offset(x, y, z));
    const Mask counts = notEqual(weight, splat(0.0F));
    sum = select(counts, sum + weight * value, sum);
    low = select(counts, least(low, value), low);
    high = select(counts, greatest(high, value), high);
    if constexpr (V::isFloat) sound = butNot(sound, butNot(counts, isFinite(value)));
  });
  const Float held = clampTo(sum, low, high);
  if constexpr (V::isFloat) {
    // Not with zero for the missing voxels: that would be a value that nobody measured.
    if (any(butNot(everyLane(), sound))) {
      return select(sound, held, voxels.trilinear(cell, true));
    }
  }
  return held;
}

}  // namespace nora::kernel::NORA_ISA
