// Directions: as colours (left-right red, back-front green, foot-head blue) or as short lines. Always of the nearest
// voxel: v and -v mean the same, and their mean is nothing.
#pragma once

#include "render/kernel/slice_blend.hpp"

namespace nora::kernel::NORA_ISA {

/// What a row piece of directions needs.
struct Directions {
  alignas(64) float place[3][pieceLength];      // nearest voxel, whole numbers
  alignas(64) float vector[3][pieceLength];     // as stored and scaled
  alignas(64) float alpha[pieceLength];         // 0 outside
  alignas(64) float acrossPixels[pieceLength];  // from the middle of the stick
  alignas(64) float downPixels[pieceLength];
  alignas(64) float brightness[pieceLength];
};

template <class V>
inline void gatherVectors(const SliceLayer& layer, const V& first, int count, Directions& out) {
  for (int c = 0; c < 3; ++c) {
    Grid grid = layer.grid;
    grid.voxels = layer.components[c];
    const V voxels = c == 0 ? first : V(grid);
    for (int i = 0; i < count; i += lanes) {
      const auto at = voxels.offset(loadInts(out.place[0] + i), loadInts(out.place[1] + i), loadInts(out.place[2] + i));
      store(out.vector[c] + i, voxels.one(at) * splat(layer.slope) + splat(layer.inter));
    }
  }
}

/// Each pixel shows its own voxel.
inline void placeOnPixels(const SliceLayer& layer, const Line& line, int count, Directions& out) {
  const Extent extent(layer.grid);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const Cell cell = extent.nearestAt(p);
    storeInts(out.place[0] + i, cell.x);
    storeInts(out.place[1] + i, cell.y);
    storeInts(out.place[2] + i, cell.z);
    store(out.alpha + i, select(extent.containsNearest(p), splat(1.0F), splat(0.0F)));
    store(out.acrossPixels + i, splat(0.0F));
    store(out.downPixels + i, splat(0.0F));
  }
}

/// Each pixel shows the stick in whose cell of the lattice it lies: sticks end before their cells do.
inline void placeOnLattice(const SliceLayer& layer, const Line& line, int count, Directions& out) {
  const Sticks& s = layer.sticks;
  const Extent extent(layer.grid);
  const Float half = splat(0.5F);
  const Float zero = splat(0.0F);
  const Float stride = splat(s.stride);
  const Float middle = splat(static_cast<float>((static_cast<int>(s.stride) - 1) / 2));
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const Float at[3] = {p.x, p.y, p.z};
    const auto columnOf = [&](int axis) {
      const Float from = clampTo(at[axis], -half, extent.last[axis] + half) - middle + half * stride;
      return toFloat(toInt(greatest(from, zero) / stride)) * stride + middle;
    };
    Float column[3];
    column[s.u] = columnOf(s.u);
    column[s.v] = columnOf(s.v);
    const Float du = at[s.u] - column[s.u];
    const Float dv = at[s.v] - column[s.v];
    column[s.through] = at[s.through] - du * s.throughFromVoxel[0] - dv * s.throughFromVoxel[1];
    const Point site{column[0], column[1], column[2]};
    const Cell cell = extent.nearestAt(site);
    storeInts(out.place[0] + i, cell.x);
    storeInts(out.place[1] + i, cell.y);
    storeInts(out.place[2] + i, cell.z);
    const Mask inside = both(extent.containsNearest(p), extent.containsNearest(site));
    store(out.alpha + i, select(inside, splat(1.0F), zero));
    store(out.acrossPixels + i, du * s.pixelFromVoxel[0] + dv * s.pixelFromVoxel[1]);
    store(out.downPixels + i, du * s.pixelFromVoxel[2] + dv * s.pixelFromVoxel[3]);
  }
}

/// The modulating layer's place in its window at the pixels, or at the middles of their sticks; 0 where it has none.
inline void sampleBrightness(const SliceLayer& modulator, int x, int y, int count, Directions& out) {
  const auto pixelFrom = [&](int a, Float across, Float down) {
    return splat(static_cast<float>(modulator.origin[a] + modulator.right[a] * (x + 0.5) +
                                    modulator.down[a] * (y + 0.5))) +
           exactProduct(splat(static_cast<float>(modulator.right[a])), across) +
           exactProduct(splat(static_cast<float>(modulator.down[a])), down);
  };
  const Extent extent(modulator.grid);
  visitVoxels(modulator.grid, [&](const auto& voxels) {
    for (int i = 0; i < count; i += lanes) {
      const Float across = toFloat(laneNumbers() + i) - loadFloats(out.acrossPixels + i);
      const Float down = -loadFloats(out.downPixels + i);
      const Point p{pixelFrom(0, across, down), pixelFrom(1, across, down), pixelFrom(2, across, down)};
      const Float value = scalarAt(modulator, voxels, extent, p);
      const Float shown = modulator.symmetric ? greatest(value, -value) : value;
      const Float place = placeInWindow(modulator, shown) * (1.0F / 255);
      store(out.brightness + i, select(isFinite(value), place, splat(0.0F)));
    }
  });
}

/// 1 on the stick, 0 beside it, between them over one pixel.
inline Float coverageOf(const Sticks& s, const Float* direction, Float across, Float down) {
  const auto onScreen = [&](int row) {
    const float* from = s.screenFromDirection + static_cast<std::ptrdiff_t>(row) * 3;
    return (direction[0] * from[0] + direction[1] * from[1] + direction[2] * from[2]) * s.halfLength;
  };
  const Float endAcross = onScreen(0);
  const Float endDown = onScreen(1);
  const Float along =
      (across * endAcross + down * endDown) / greatest(endAcross * endAcross + endDown * endDown, splat(1e-6F));
  const Float t = clampTo(along, splat(-1.0F), splat(1.0F));
  const Float besideAcross = across - t * endAcross;
  const Float besideDown = down - t * endDown;
  const Float distance = squareRoot(besideAcross * besideAcross + besideDown * besideDown);
  return clampTo(splat(s.halfWidth + 0.5F) - distance, splat(0.0F), splat(1.0F));
}

inline void blendDirections(const SliceLayer& layer, const Directions& d, int first, int count, Piece& piece) {
  const Float zero = splat(0.0F);
  const float* m = layer.worldFromVector;
  for (int i = 0; i < count; i += lanes) {
    const Float x = loadFloats(d.vector[0] + i);
    const Float y = loadFloats(d.vector[1] + i);
    const Float z = loadFloats(d.vector[2] + i);
    const Float size = squareRoot(x * x + y * y + z * z);
    const Mask visible = both(both(less(splat(1e-18F), size), isFinite(size)), withinThresholds(layer, size));
    if (!any(visible)) continue;
    Float direction[3] = {x * m[0] + y * m[1] + z * m[2], x * m[3] + y * m[4] + z * m[5],
                          x * m[6] + y * m[7] + z * m[8]};
    const Float length =
        squareRoot(direction[0] * direction[0] + direction[1] * direction[1] + direction[2] * direction[2]);
    const Float toUnit = splat(1.0F) / select(visible, length, splat(1.0F));
    for (Float& component : direction) component = select(visible, component * toUnit, zero);
    Float alpha = loadFloats(d.alpha + i) * splat(layer.opacity);
    if (layer.look == Look::sticks) {
      alpha = alpha * coverageOf(layer.sticks, direction, loadFloats(d.acrossPixels + i), loadFloats(d.downPixels + i));
    }
    const Float bright = loadFloats(d.brightness + i) * 255.0F;
    const auto channel = [&](Float c) { return greatest(c, -c) * bright; };
    blend(piece, first + i, channel(direction[0]), channel(direction[1]), channel(direction[2]),
          select(visible, alpha, zero));
  }
}

/// Draws pixels x..x+count of row y, the first of which is piece pixel `first`.
inline void drawDirections(const SlicePlan& plan, const SliceLayer& layer, int x, int y, int first, int count,
                           Piece& piece) {
  Directions d;
  const Line line = lineFrom(layer, x, y);
  if (layer.look == Look::sticks) {
    placeOnLattice(layer, line, count, d);
  } else {
    placeOnPixels(layer, line, count, d);
  }
  visitVoxels(layer.grid, [&](const auto& voxels) { gatherVectors(layer, voxels, count, d); });
  if (layer.modulator < 0) {
    for (int i = 0; i < count; i += lanes) store(d.brightness + i, splat(1.0F));
  } else {
    sampleBrightness(plan.layers[layer.modulator], x, y, count, d);
  }
  blendDirections(layer, d, first, count, piece);
}

}  // namespace nora::kernel::NORA_ISA
