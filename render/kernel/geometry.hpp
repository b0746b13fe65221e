// The geometry of a view: first what is nearest and opaque, then what lets light through, then the colours of all that
// is seen. The renderer calls the steps one after the other, each in parallel.
#pragma once

#include "render/kernel/geometry_shading.hpp"

namespace nora::kernel::NORA_ISA {

/// Part of a mesh or of streamlines: triangles or lines `first` to before `last` of number `index`.
inline void drawNearestMesh(const GeometryPlan& plan, int index, std::uint64_t first, std::uint64_t last) {
  const MeshShape& shape = plan.meshes[index].shape;
  drawTriangles(NearestSink(plan, shape.cuts, shape.bias), sampleMap(plan.map, plan.samples), shape,
                static_cast<float>(plan.samples), static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
}
inline void drawNearestLines(const GeometryPlan& plan, int index, std::uint64_t first, std::uint64_t last) {
  const LineShape& shape = plan.lines[index].shape;
  drawLines(NearestSink(plan, nullptr, shape.bias), sampleMap(plan.map, plan.samples), shape,
            static_cast<float>(plan.samples), first, last);
}
inline void listMesh(const GeometryPlan& plan, const FragmentLists& lists, bool fill, int index, std::uint64_t first,
                     std::uint64_t last) {
  const MeshShape& shape = plan.meshes[index].shape;
  drawTriangles(ListSink(plan, lists, fill, shape.cuts, shape.bias), plan.map, shape, 1,
                static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
}
inline void listLines(const GeometryPlan& plan, const FragmentLists& lists, bool fill, int index, std::uint64_t first,
                      std::uint64_t last) {
  const LineShape& shape = plan.lines[index].shape;
  drawLines(ListSink(plan, lists, fill, nullptr, shape.bias), plan.map, shape, 1, first, last);
}

inline std::uint32_t packed(const Paint& paint) {
  const auto channel = [](float v) { return static_cast<std::uint32_t>(v > 0 ? (v < 255 ? v + 0.5F : 255.0F) : 0.0F); };
  return channel(paint.red) | channel(paint.green) << 8 | channel(paint.blue) << 16 | channel(paint.alpha * 255) << 24;
}

/// What is nearest and opaque in a pixel: its mean colour and depth, and how much of the pixel it fills. Samples that
/// show the same thing are shaded once.
struct Opaque {
  float depth = 0;
  float farthest = 0;
  Paint paint{0, 0, 0, 0};
};
inline Opaque opaqueOf(const GeometryPlan& plan, int column, int row) {
  Opaque out;
  const int n = plan.samples;
  const float part = 1 / static_cast<float>(n);
  std::uint32_t shaded = 0;
  Paint paint;
  bool havePaint = false;
  int covered = 0;

  for (int i = 0; i < n * n; ++i) {
    const int x = column * n + i % n, y = row * n + i / n;
    const std::uint64_t key =
        plan.nearest.nearest[static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.nearest.width) +
                             static_cast<std::size_t>(x)];
    if (key == nothingThere) continue;
    const auto id = static_cast<std::uint32_t>(key);
    if (!havePaint || id != shaded) {
      paint = shadeFragment(plan, id, (static_cast<float>(x) + 0.5F) * part, (static_cast<float>(y) + 0.5F) * part);
      shaded = id;
      havePaint = true;
    }
    const float depth = depthOf(key);
    out.depth += depth;
    out.farthest = covered == 0 || depth > out.farthest ? depth : out.farthest;
    out.paint.red += paint.red;
    out.paint.green += paint.green;
    out.paint.blue += paint.blue;
    out.paint.alpha += paint.alpha;
    ++covered;
  }
  if (covered == 0) return out;
  const float one = 1 / static_cast<float>(covered);
  out.depth *= one;
  out.paint.red *= one;
  out.paint.green *= one;
  out.paint.blue *= one;
  out.paint.alpha *= part * part;
  return out;
}

inline void sortEntries(std::uint64_t* entries, std::uint32_t count) {
  for (std::uint32_t i = 1; i < count; ++i) {
    const std::uint64_t own = entries[i];
    std::uint32_t at = i;
    for (; at > 0 && entries[at - 1] > own; --at) entries[at] = entries[at - 1];
    entries[at] = own;
  }
}

/// Turns the list of a pixel into fragments, nearest first, and adds what is opaque; there is room for one more.
inline std::uint32_t shadePixel(const GeometryPlan& plan, std::uint64_t* entries, std::uint32_t count, int column,
                                int row) {
  sortEntries(entries, count);
  const Opaque opaque = opaqueOf(plan, column, row);
  const bool closed = opaque.paint.alpha >= 1;
  std::uint32_t kept = 0;
  for (; kept < count; ++kept) {
    float depth = depthOf(entries[kept]);
    if (closed && depth > opaque.farthest) break;
    if (closed && depth > opaque.depth) depth = opaque.depth;
    const Paint paint = shadeFragment(plan, static_cast<std::uint32_t>(entries[kept]),
                                      static_cast<float>(column) + 0.5F, static_cast<float>(row) + 0.5F);
    const Fragment own{depth, packed(paint)};
    __builtin_memcpy(entries + kept, &own, sizeof own);
  }
  if (opaque.paint.alpha <= 0) return kept;
  std::uint32_t place = kept;
  for (; place > 0 && !closed; --place) {
    Fragment before;
    __builtin_memcpy(static_cast<void*>(&before), entries + place - 1, sizeof before);
    if (before.depth <= opaque.depth) break;
    entries[place] = entries[place - 1];
  }
  const Fragment end{opaque.depth, packed(opaque.paint)};
  __builtin_memcpy(entries + place, &end, sizeof end);
  return kept + 1;
}

inline void shadeGeometry(const GeometryPlan& plan, const FragmentLists& lists, const Tile& tile) {
  for (int row = tile.y0; row < tile.y1; ++row) {
    for (int column = tile.x0; column < tile.x1; ++column) {
      const auto pixel =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(column);
      lists.counts[pixel] = shadePixel(plan, lists.entries + lists.first[pixel], lists.counts[pixel], column, row);
    }
  }
}

/// Blends the fragments of each pixel over a picture.
inline void blendGeometry(const GeometryPlan& plan, const FragmentLists& lists, std::uint8_t* rgba, const Tile& tile) {
  for (int row = tile.y0; row < tile.y1; ++row) {
    for (int column = tile.x0; column < tile.x1; ++column) {
      const auto pixel =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(column);
      std::uint8_t* at = rgba + pixel * 4;
      Paint under{static_cast<float>(at[0]), static_cast<float>(at[1]), static_cast<float>(at[2]), 1};
      for (std::uint32_t i = lists.counts[pixel]; i > 0; --i) {
        Fragment own;
        __builtin_memcpy(static_cast<void*>(&own), lists.entries + lists.first[pixel] + i - 1, sizeof own);
        paintOver(under, paintOf(own.rgba, static_cast<float>(own.rgba >> 24) / 255));
      }
      const std::uint32_t out = packed(under);
      __builtin_memcpy(at, &out, sizeof out);
    }
  }
}

}  // namespace nora::kernel::NORA_ISA
