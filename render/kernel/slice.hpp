// Slices: every layer is sampled along a piece of a picture row, coloured, and blended over those before it.
#pragma once

#include "render/kernel/slice_outline.hpp"
#include "render/kernel/slice_vectors.hpp"

namespace nora::kernel::NORA_ISA {

/// Narrows first..end to the pixels that may see the image, with a pixel to spare.
inline void clipToImage(const SliceLayer& layer, const double* start, int& first, int& end) {
  double low = first;
  double high = end;
  for (int a = 0; a < 3; ++a) {
    const double one = layer.across[a] * layer.slabLow;
    const double other = layer.across[a] * layer.slabHigh;
    const double from = -0.5 - start[a] - (one > other ? one : other);
    const double to = static_cast<double>(layer.grid.dims[a]) - 0.5 - start[a] - (one < other ? one : other);
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

/// Labels, or values of a ramp.
inline void sampleLayer(const SliceLayer& layer, int x, int y, int count, float* out) {
  const bool labels = layer.look == Look::labels;
  visitVoxels(layer.grid, [&](const auto& voxels) {
    if (layer.outline > 0) {
      sampleOutlines(layer, voxels, x, y, count, out);
    } else if (labels) {
      sampleLabels(layer, voxels, lineFrom(layer, x, y), count, out);
    } else {
      sampleScalars(layer, voxels, lineFrom(layer, x, y), count, out);
    }
  });
  if (layer.outline > 0 && !labels) labelsToValues(count, out);
}

/// Draws one layer on pixels x..x+count of row y; returns the samples taken.
inline int drawLayerPiece(const SlicePlan& plan, const SliceLayer& layer, int x, int y, int count, Samples& samples,
                          Piece& piece) {
  double start[3];
  for (int a = 0; a < 3; ++a) start[a] = layer.origin[a] + layer.right[a] * (x + 0.5) + layer.down[a] * (y + 0.5);
  int first = 0;
  int end = count;
  clipToImage(layer, start, first, end);
  if (first >= end) return 0;
  const int length = end - first;
  if (layer.look == Look::direction || layer.look == Look::sticks) {
    drawDirections(plan, layer, x + first, y, first, length, piece);
    return length;
  }
  if (layer.look == Look::colour) {
    sampleColours(layer, lineFrom(layer, x + first, y), length, samples);
    blendColours(layer, samples, first, length, piece);
    return layer.slabCount > 0 ? length * layer.slabCount : length;
  }
  sampleLayer(layer, x + first, y, length, samples.value);
  if (layer.look == Look::labels) {
    blendLabels(layer, samples, first, length, piece);
  } else {
    blendRamp(layer, samples, first, length, piece);
  }
  return layer.slabCount > 0 ? length * layer.slabCount : length;
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
  storePixels(out, pixels, count);
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
        taken += static_cast<std::uint64_t>(drawLayerPiece(plan, plan.layers[l], x, y, count, samples, piece));
      }
      const auto pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(x);
      writePixels(piece, count, plan.rgba + pixel * 4);
    }
  }
  return taken;
}

}  // namespace nora::kernel::NORA_ISA
