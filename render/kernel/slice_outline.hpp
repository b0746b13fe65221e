// Outlines of labels: what lies within so many screen pixels of a place with another label, outside of the image
// included. Every label keeps its own side of an edge, so lines have the same width at every zoom and never break.
#pragma once

#include "render/kernel/slice_samples.hpp"

namespace nora::kernel::NORA_ISA {

/// Pixels of one row of a disc on either side of its middle.
inline int discReach(float radius, int dy) {
  const float rest = radius * radius - static_cast<float>(dy * dy) + 1e-3F;
  int reach = 0;
  while (static_cast<float>((reach + 1) * (reach + 1)) <= rest) ++reach;
  return reach;
}

/// Marks the labels that differ from one of a row beside them. `row` starts `reach` pixels before them.
inline void markEdges(const float* labels, const float* row, int reach, int count, float* edges) {
  const Int one = splat(1);
  for (int i = 0; i < count; i += lanes) {
    const Int label = loadInts(labels + i);
    if (!any(butNot(everyLane(), equal(label, splat(0))))) continue;
    Int edge = loadInts(edges + i);
    for (int d = 0; d <= 2 * reach; ++d) edge = select(equal(loadInts(row + i + d), label), edge, one);
    storeInts(edges + i, edge);
  }
}

/// Labels of pixels x..x+count of row y, 0 but on outlines.
template <class V>
inline void sampleOutlines(const SliceLayer& layer, const V& voxels, int x, int y, int count, float* out) {
  alignas(64) float edges[pieceLength];
  alignas(64) float row[pieceLength + 2 * mostOutlinePixels + lanes];
  sampleLabels(layer, voxels, lineFrom(layer, x, y), count, out);
  bool empty = true;
  for (int i = 0; i < count; i += lanes) {
    const Int label = loadInts(out + i);
    empty = empty && !any(butNot(everyLane(), equal(label, splat(0))));
    storeInts(edges + i, splat(0));
  }
  if (empty) return;
  const int most = static_cast<int>(layer.outline);
  for (int dy = -most; dy <= most; ++dy) {
    const int reach = discReach(layer.outline, dy);
    sampleLabels(layer, voxels, lineFrom(layer, x - reach, y + dy), count + 2 * reach, row);
    markEdges(out, row, reach, count, edges);
  }
  for (int i = 0; i < count; i += lanes) {
    storeInts(out + i, select(equal(loadInts(edges + i), splat(0)), splat(0), loadInts(out + i)));
  }
}

/// For layers that are coloured by a ramp.
inline void labelsToValues(int count, float* samples) {
  for (int i = 0; i < count; i += lanes) {
    const Int label = loadInts(samples + i);
    store(samples + i, select(equal(label, splat(0)), notANumber(), toFloat(label)));
  }
}

}  // namespace nora::kernel::NORA_ISA
