// Taking the samples of one layer along a piece of a picture row: in the plane, or across a slab.
#pragma once

#include "render/kernel/cubic.hpp"

namespace nora::kernel::NORA_ISA {

/// Pixels handled at a time: what a row piece needs stays in the first-level cache. A multiple of every lane count.
#if defined(NORA_PIXEL_THREADS)
constexpr int pieceLength = 1;  // a thread draws one pixel, and its stack is dear
#else
constexpr int pieceLength = 256;
#endif

/// Picture so far, 0..255.
struct Piece {
  alignas(64) float red[pieceLength];
  alignas(64) float green[pieceLength];
  alignas(64) float blue[pieceLength];
};

/// Samples of one layer. Scalars use `value` (NaN: transparent), labels its bits as whole numbers (0: transparent).
struct Samples {
  alignas(64) float value[pieceLength];
  alignas(64) float green[pieceLength];
  alignas(64) float blue[pieceLength];
  alignas(64) float alpha[pieceLength];
};

/// A straight line of voxel positions, one for each pixel.
struct Line {
  Float start[3];
  Float step[3];

  [[nodiscard]] inline Point at(int pixel) const {
    const Float n = toFloat(laneNumbers() + pixel);
    return {start[0] + exactProduct(step[0], n), start[1] + exactProduct(step[1], n),
            start[2] + exactProduct(step[2], n)};
  }
};

/// The line of a layer through pixel (x, y) and those to the right of it.
inline Line lineFrom(const SliceLayer& layer, int x, int y) {
  Line line;
  for (int a = 0; a < 3; ++a) {
    line.start[a] = splat(static_cast<float>(layer.origin[a] + layer.right[a] * (x + 0.5) + layer.down[a] * (y + 0.5)));
    line.step[a] = splat(static_cast<float>(layer.right[a]));
  }
  return line;
}

inline Float notANumber() {
  return splat(__builtin_nanf(""));
}

/// Samples that are meant to lie on a plane of voxels do: these need half as many voxels.
inline Float snapped(Float v) {
  const Float whole = toFloat(toInt(clampTo(v + 0.5F, splat(-1e9F), splat(1e9F))));
  const Float off = v - whole;
  return select(less(greatest(off, -off), splat(1e-4F)), whole, v);
}

inline Point shifted(const SliceLayer& layer, const Point& p, float offset) {
  return {snapped(p.x + splat(static_cast<float>(layer.across[0]) * offset)),
          snapped(p.y + splat(static_cast<float>(layer.across[1]) * offset)),
          snapped(p.z + splat(static_cast<float>(layer.across[2]) * offset))};
}

inline Mask containsFor(Filter filter, const Extent& extent, const Point& p) {
  return filter == Filter::nearest ? extent.containsNearest(p) : extent.contains(p);
}

/// Scaled values; NaN outside.
template <class V>
inline Float scalarAt(const SliceLayer& layer, const V& voxels, const Extent& extent, const Point& p) {
  const Mask inside = containsFor(layer.filter, extent, p);
  if (!any(inside)) return notANumber();
  Float value;
  if (layer.filter == Filter::linear) {
    value = voxels.trilinear(extent.cellAt(p), true);
  } else if (layer.filter == Filter::nearest) {
    const Cell cell = extent.nearestAt(p);
    value = voxels.one(voxels.offset(cell.x, cell.y, cell.z));
  } else {
    value = cubic(voxels, layer.grid, extent.cellAt(p));
  }
  return select(inside, value * splat(layer.slope) + splat(layer.inter), notANumber());
}

/// What the slab shows of the numbers across it; NaN where there is none. Signed maps go by the magnitude.
template <class V>
inline Float slabScalarAt(const SliceLayer& layer, const V& voxels, const Extent& extent, const Point& p) {
  const Float zero = splat(0.0F);
  Float best = notANumber();
  Float rank = splat(-3.4e38F);
  Float sum = zero;
  Float count = zero;
  for (int k = 0; k < layer.slabCount; ++k) {
    const Float value = scalarAt(layer, voxels, extent, shifted(layer, p, layer.slabOffsets[k]));
    const Mask sound = isFinite(value);
    if (layer.slab == Slab::mean) {
      sum = select(sound, sum + value, sum);
      count = select(sound, count + splat(1.0F), count);
      continue;
    }
    const Float size = layer.symmetric ? greatest(value, -value) : value;
    const Float order = layer.slab == Slab::maximum ? size : -size;
    const Mask better = both(sound, less(rank, order));
    best = select(better, value, best);
    rank = select(better, order, rank);
  }
  return layer.slab == Slab::mean ? select(less(zero, count), sum / count, notANumber()) : best;
}

template <class V>
inline void sampleScalars(const SliceLayer& layer, const V& voxels, const Line& line, int count, float* out) {
  const Extent extent(layer.grid);
  if (layer.slabCount > 0) {
    for (int i = 0; i < count; i += lanes) store(out + i, slabScalarAt(layer, voxels, extent, line.at(i)));
  } else {
    for (int i = 0; i < count; i += lanes) store(out + i, scalarAt(layer, voxels, extent, line.at(i)));
  }
}

/// 0 outside.
template <class V>
inline Int labelAt(const SliceLayer& layer, const V& voxels, const Extent& extent, const Point& p) {
  const Cell cell = extent.nearestAt(p);
  const auto at = voxels.offset(cell.x, cell.y, cell.z);
  const Int label =
      layer.exactLabels ? voxels.whole(at) : voxels.rounded(voxels.one(at) * splat(layer.slope) + splat(layer.inter));
  return select(extent.containsNearest(p), label, splat(0));
}

/// Of a slab, the label nearest to the plane.
template <class V>
inline void sampleLabels(const SliceLayer& layer, const V& voxels, const Line& line, int count, float* out) {
  const Extent extent(layer.grid);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    if (layer.slabCount == 0) {
      storeInts(out + i, labelAt(layer, voxels, extent, p));
      continue;
    }
    Int label = splat(0);
    for (int k = 0; k < layer.slabCount; ++k) {
      const Mask open = equal(label, splat(0));
      if (!any(open)) break;
      label = select(open, labelAt(layer, voxels, extent, shifted(layer, p, layer.slabOffsets[k])), label);
    }
    storeInts(out + i, label);
  }
}

/// Red, green, blue and alpha of interleaved bytes; without an alpha byte everything is opaque.
class ColourVoxels {
 public:
  inline explicit ColourVoxels(const Grid& grid) : voxels_(grid), strideX_(grid.stride[0]), grid_(grid) {}

  struct Channels {
    Float red, green, blue, alpha;
  };

  [[nodiscard]] inline Channels nearest(const Cell& cell) const { return load(cell.x, cell.y, cell.z); }

  /// Overshoot is held within what can be shown.
  [[nodiscard]] inline Channels cubic(const Cell& cell) const {
    const Float zero = splat(0.0F);
    Channels sum{zero, zero, zero, zero};
    visitCubic(grid_, cell, [&](Float weight, Int x, Int y, Int z) {
      const Channels c = load(x, y, z);
      sum.red = sum.red + weight * c.red;
      sum.green = sum.green + weight * c.green;
      sum.blue = sum.blue + weight * c.blue;
      sum.alpha = sum.alpha + weight * c.alpha;
    });
    const auto held = [&](Float v, float most) { return clampTo(v, zero, splat(most)); };
    return {held(sum.red, 255), held(sum.green, 255), held(sum.blue, 255), held(sum.alpha, 1)};
  }

  [[nodiscard]] inline Channels trilinear(const Cell& cell) const {
    const Int x1 = least(cell.x + 1, splat(static_cast<std::int32_t>(grid_.dims[0] - 1)));
    const Int y1 = least(cell.y + 1, splat(static_cast<std::int32_t>(grid_.dims[1] - 1)));
    const Int z1 = least(cell.z + 1, splat(static_cast<std::int32_t>(grid_.dims[2] - 1)));
    const auto row = [&](Int y, Int z) { return mixed(load(cell.x, y, z), load(x1, y, z), cell.fx); };
    const Channels near = mixed(row(cell.y, cell.z), row(y1, cell.z), cell.fy);
    return mixed(near, mixed(row(cell.y, z1), row(y1, z1), cell.fy), cell.fz);
  }

 private:
  [[nodiscard]] inline static Channels mixed(const Channels& a, const Channels& b, Float w) {
    return {mix(a.red, b.red, w), mix(a.green, b.green, w), mix(a.blue, b.blue, w), mix(a.alpha, b.alpha, w)};
  }

  [[nodiscard]] inline Channels load(Int x, Int y, Int z) const {
    Int word{};
    if (grid_.big) {
      const auto at = Voxels<std::uint32_t, true>(grid_).offset(splat(0), y, z);
      for (int i = 0; i < lanes; ++i) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, grid_.voxels + at.at[i] + lane(x, i) * strideX_, sizeof bytes);
        setLane(word, i, bytes);
      }
    } else {
      word = gatherBytes(grid_.voxels, voxels_.offsetLanes(splat(0), y, z) + x * static_cast<std::int32_t>(strideX_));
    }
    const bool hasAlpha = grid_.stored == Stored::rgba32;
    return {toFloat(word & 0xff), toFloat((word >> 8) & 0xff), toFloat((word >> 16) & 0xff),
            hasAlpha ? toFloat(shiftRightUnsigned(word, 24)) * (1.0F / 255) : splat(1.0F)};
  }

  Voxels<std::uint8_t, false> voxels_;
  std::int64_t strideX_;
  const Grid& grid_;
};

inline Float luminanceOf(const ColourVoxels::Channels& c) {
  return c.red * 0.299F + c.green * 0.587F + c.blue * 0.114F;
}

inline ColourVoxels::Channels colourAt(const SliceLayer& layer, const ColourVoxels& voxels, const Extent& extent,
                                       const Point& p) {
  const Mask inside = containsFor(layer.filter, extent, p);
  auto c = layer.filter == Filter::nearest  ? voxels.nearest(extent.nearestAt(p))
           : layer.filter == Filter::linear ? voxels.trilinear(extent.cellAt(p))
                                            : voxels.cubic(extent.cellAt(p));
  c.alpha = select(inside, c.alpha, splat(0.0F));
  return c;
}

/// The mean of the colours across the slab, as opaque as the most opaque; or the brightest or darkest.
inline ColourVoxels::Channels slabColourAt(const SliceLayer& layer, const ColourVoxels& voxels, const Extent& extent,
                                           const Point& p) {
  const Float zero = splat(0.0F);
  ColourVoxels::Channels out{zero, zero, zero, zero};
  Float rank = splat(-3.4e38F);
  Float sum = zero;
  for (int k = 0; k < layer.slabCount; ++k) {
    const auto c = colourAt(layer, voxels, extent, shifted(layer, p, layer.slabOffsets[k]));
    if (layer.slab == Slab::mean) {
      sum = sum + c.alpha;
      const Float share = select(less(zero, sum), c.alpha / sum, zero);
      out = {mix(out.red, c.red, share), mix(out.green, c.green, share), mix(out.blue, c.blue, share),
             greatest(out.alpha, c.alpha)};
      continue;
    }
    const Float luminance = luminanceOf(c);
    const Float order = layer.slab == Slab::maximum ? luminance : -luminance;
    const Mask better = both(less(zero, c.alpha), less(rank, order));
    out = {select(better, c.red, out.red), select(better, c.green, out.green), select(better, c.blue, out.blue),
           select(better, c.alpha, out.alpha)};
    rank = select(better, order, rank);
  }
  return out;
}

inline void sampleColours(const SliceLayer& layer, const Line& line, int count, Samples& out) {
  const Extent extent(layer.grid);
  const ColourVoxels voxels(layer.grid);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const auto c = layer.slabCount > 0 ? slabColourAt(layer, voxels, extent, p) : colourAt(layer, voxels, extent, p);
    store(out.value + i, c.red);
    store(out.green + i, c.green);
    store(out.blue + i, c.blue);
    store(out.alpha + i, c.alpha);
  }
}

}  // namespace nora::kernel::NORA_ISA
