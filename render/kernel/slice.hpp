// Slices: every layer is sampled along a piece of a picture row, coloured, and blended over those before it.
#pragma once

#include "render/kernel/sampling.hpp"

namespace nora::kernel::NORA_ISA {

/// Pixels handled at a time: what a row piece needs stays in the first-level cache. A multiple of every lane count.
constexpr int pieceLength = 256;

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

inline Float notANumber() {
  return splat(__builtin_nanf(""));
}

template <class V>
inline void sampleScalars(const SliceLayer& layer, const V& voxels, const Line& line, int count, float* out) {
  const Extent extent(layer.grid);
  const Float slope = splat(layer.slope);
  const Float inter = splat(layer.inter);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const Mask inside = layer.nearest ? extent.containsNearest(p) : extent.contains(p);
    Float value = notANumber();
    if (any(inside)) {
      if (layer.nearest) {
        const Cell cell = extent.nearestAt(p);
        value = voxels.one(voxels.offset(cell.x, cell.y, cell.z));
      } else {
        value = voxels.trilinear(extent.cellAt(p), true);
      }
      value = select(inside, value * slope + inter, notANumber());
    }
    store(out + i, value);
  }
}

template <class V>
inline void sampleLabels(const SliceLayer& layer, const V& voxels, const Line& line, int count, float* out) {
  const Extent extent(layer.grid);
  const Float slope = splat(layer.slope);
  const Float inter = splat(layer.inter);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const Cell cell = extent.nearestAt(p);
    const auto at = voxels.offset(cell.x, cell.y, cell.z);
    const Int label = layer.exactLabels ? voxels.whole(at) : voxels.rounded(voxels.one(at) * slope + inter);
    storeInts(out + i, select(extent.containsNearest(p), label, splat(0)));
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
      word = gatherBytes(grid_.voxels, voxels_.offset(splat(0), y, z) + x * static_cast<std::int32_t>(strideX_));
    }
    const bool hasAlpha = grid_.stored == Stored::rgba32;
    return {toFloat(word & 0xff), toFloat((word >> 8) & 0xff), toFloat((word >> 16) & 0xff),
            hasAlpha ? toFloat(shiftRightUnsigned(word, 24)) * (1.0F / 255) : splat(1.0F)};
  }

  Voxels<std::uint8_t, false> voxels_;
  std::int64_t strideX_;
  const Grid& grid_;
};

inline void sampleColours(const SliceLayer& layer, const Line& line, int count, Samples& out) {
  const Extent extent(layer.grid);
  const ColourVoxels voxels(layer.grid);
  for (int i = 0; i < count; i += lanes) {
    const Point p = line.at(i);
    const Mask inside = layer.nearest ? extent.containsNearest(p) : extent.contains(p);
    const auto c = layer.nearest ? voxels.nearest(extent.nearestAt(p)) : voxels.trilinear(extent.cellAt(p));
    store(out.value + i, c.red);
    store(out.green + i, c.green);
    store(out.blue + i, c.blue);
    store(out.alpha + i, select(inside, c.alpha, splat(0.0F)));
  }
}

inline void blend(Piece& piece, int i, Float red, Float green, Float blue, Float alpha) {
  const Float r = loadFloats(piece.red + i);
  const Float g = loadFloats(piece.green + i);
  const Float b = loadFloats(piece.blue + i);
  store(piece.red + i, mix(r, red, alpha));
  store(piece.green + i, mix(g, green, alpha));
  store(piece.blue + i, mix(b, blue, alpha));
}

inline void blendPacked(Piece& piece, int i, Int colour, Float alpha) {
  blend(piece, i, toFloat(colour & 0xff), toFloat((colour >> 8) & 0xff), toFloat((colour >> 16) & 0xff), alpha);
}

inline Mask withinThresholds(const SliceLayer& layer, Float value) {
  return both(lessEqual(splat(layer.thresholdLow), value), lessEqual(value, splat(layer.thresholdHigh)));
}

inline void blendRamp(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  const Float zero = splat(0.0F);
  const Float most = splat(255.0F);
  const Float largest = splat(3.4e38F);
  for (int i = 0; i < count; i += lanes) {
    const Float value = loadFloats(samples.value + i);
    const Float size = greatest(value, -value);
    const Float shown = layer.symmetric ? size : value;
    const Mask visible = both(withinThresholds(layer, shown), less(size, largest));
    if (!any(visible)) continue;
    const Float position = clampTo((shown - splat(layer.windowLow)) * splat(layer.indexPerValue), zero, most);
    Int index = toInt(position + splat(0.5F));
    if (layer.symmetric) index = select(less(value, zero), index + 256, index);
    blendPacked(piece, first + i, gatherEntries(layer.colours, index), select(visible, splat(layer.opacity), zero));
  }
}

constexpr std::uint32_t goldenRatio = 2654435769U;  // as labelPaletteIndex and LabelColours

/// 0xAABBGGRR of labels.
inline Int labelColour(const SliceLayer& layer, Int label) {
  const Int hue = shiftRightUnsigned(multiplyWrapping(label, goldenRatio), 32 - labelHueBits);
  const Int index = shiftLeft(hue, labelToneBits) | (label & ((1 << labelToneBits) - 1));
  Int colour = gatherEntries(layer.colours, index) | splat(static_cast<std::int32_t>(0xff000000U));
  if (layer.labelProbes == 0) return colour;
  const Int slot = shiftRightUnsigned(multiplyWrapping(label, goldenRatio), layer.labelShift);
  for (int probe = 0; probe < layer.labelProbes; ++probe) {
    const Mask found = equal(gatherEntries(layer.labelKeys, slot + probe), label);
    if (any(found)) colour = select(found, gatherEntries(layer.labelColours, slot + probe), colour);
  }
  return colour;
}

inline void blendLabels(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  for (int i = 0; i < count; i += lanes) {
    const Int label = loadInts(samples.value + i);
    const Float value = toFloat(label);
    const Mask visible =
        butNot(withinThresholds(layer, layer.symmetric ? greatest(value, -value) : value), equal(label, splat(0)));
    if (!any(visible)) continue;
    const Int colour = labelColour(layer, label);
    const Float opacity = toFloat(shiftRightUnsigned(colour, 24)) * splat(layer.opacity / 255.0F);
    blendPacked(piece, first + i, colour, select(visible, opacity, splat(0.0F)));
  }
}

inline void blendColours(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  for (int i = 0; i < count; i += lanes) {
    const Float red = loadFloats(samples.value + i);
    const Float green = loadFloats(samples.green + i);
    const Float blue = loadFloats(samples.blue + i);
    const Float luminance = red * 0.299F + green * 0.587F + blue * 0.114F;
    const Float alpha = loadFloats(samples.alpha + i) * splat(layer.opacity);
    blend(piece, first + i, red, green, blue, select(withinThresholds(layer, luminance), alpha, splat(0.0F)));
  }
}

/// Narrows first..end to the pixels that may lie in the image, with a pixel to spare.
inline void clipToImage(const SliceLayer& layer, const double* start, int& first, int& end) {
  double low = first;
  double high = end;
  for (int a = 0; a < 3; ++a) {
    const double from = -0.5 - start[a];
    const double to = static_cast<double>(layer.grid.dims[a]) - 0.5 - start[a];
    const double step = layer.right[a];
    if (step > 1e-12 || step < -1e-12) {
      const double t0 = from / step;
      const double t1 = to / step;
      const double enter = (t0 < t1 ? t0 : t1) - 1;
      const double leave = (t0 < t1 ? t1 : t0) + 2;
      low = enter > low ? enter : low;
      high = leave < high ? leave : high;
    } else if (!(from <= 1e-6 && to >= -1e-6)) {
      high = low;
    }
  }
  if (!(low < high)) {
    first = end;
    return;
  }
  first = static_cast<int>(low) / lanes * lanes;
  end = static_cast<int>(high) < end ? static_cast<int>(high) : end;
}

/// Draws one layer on pixels x..x+count of row y; returns the samples taken.
inline int drawLayerPiece(const SliceLayer& layer, int x, int y, int count, Samples& samples, Piece& piece) {
  double start[3];
  for (int a = 0; a < 3; ++a) start[a] = layer.origin[a] + layer.right[a] * (x + 0.5) + layer.down[a] * (y + 0.5);
  int first = 0;
  int end = count;
  clipToImage(layer, start, first, end);
  if (first >= end) return 0;
  Line line;
  for (int a = 0; a < 3; ++a) {
    line.start[a] = splat(static_cast<float>(start[a] + layer.right[a] * first));
    line.step[a] = splat(static_cast<float>(layer.right[a]));
  }
  const int length = end - first;
  if (layer.look == Look::colour) {
    sampleColours(layer, line, length, samples);
  } else {
    visitVoxels(layer.grid, [&](const auto& voxels) {
      if (layer.look == Look::labels) {
        sampleLabels(layer, voxels, line, length, samples.value);
      } else {
        sampleScalars(layer, voxels, line, length, samples.value);
      }
    });
  }
  if (layer.look == Look::colour) {
    blendColours(layer, samples, first, length, piece);
  } else if (layer.look == Look::labels) {
    blendLabels(layer, samples, first, length, piece);
  } else {
    blendRamp(layer, samples, first, length, piece);
  }
  return length;
}

inline void writePixels(const Piece& piece, int count, std::uint8_t* out) {
  alignas(64) std::uint32_t pixels[pieceLength];
  const Float half = splat(0.5F);
  for (int i = 0; i < count; i += lanes) {
    const Int red = toInt(loadFloats(piece.red + i) + half);
    const Int green = toInt(loadFloats(piece.green + i) + half);
    const Int blue = toInt(loadFloats(piece.blue + i) + half);
    store(pixels + i, red | shiftLeft(green, 8) | shiftLeft(blue, 16) | splat(static_cast<std::int32_t>(0xff000000U)));
  }
  __builtin_memcpy(out, pixels, static_cast<std::size_t>(count) * 4);
}

inline std::uint64_t drawSlices(const SlicePlan& plan, const Tile& tile) {
  std::uint64_t taken = 0;
  Piece piece;
  Samples samples;
  for (int y = tile.y0; y < tile.y1; ++y) {
    for (int x = tile.x0; x < tile.x1; x += pieceLength) {
      const int count = tile.x1 - x < pieceLength ? tile.x1 - x : pieceLength;
      __builtin_memset(&piece, 0, sizeof piece);
      for (int l = 0; l < plan.layerCount; ++l) {
        taken += static_cast<std::uint64_t>(drawLayerPiece(plan.layers[l], x, y, count, samples, piece));
      }
      const auto pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(x);
      writePixels(piece, count, plan.rgba + pixel * 4);
    }
  }
  return taken;
}

}  // namespace nora::kernel::NORA_ISA
