// One value of a whole ray: the greatest, the least or the mean. It is coloured as in a slice.
#pragma once

#include "render/kernel/ray_volume.hpp"
#include "render/kernel/slice.hpp"

namespace nora::kernel::NORA_ISA {

constexpr int stepsBetweenBounds = 8;
constexpr int peakRefinements = 10;

template <class V>
class Projector {
 public:
  inline Projector(RayMode mode, RayVolume& volume, const V& voxels, RayCounts& counts)
      : mode_(mode), volume_(volume), layer_(*volume.layer), voxels_(voxels), counts_(counts) {}

  /// NaN where a ray meets no value.
  inline Float value() { return mode_ == RayMode::mean ? mean() : extremum(); }

 private:
  [[nodiscard]] inline Float valueAt(Float n) const {
    return voxels_.trilinear(volume_.cellAt(n), false) * splat(layer_.look.slope) + splat(layer_.look.inter);
  }
  [[nodiscard]] inline static Mask isFinite(Float value) { return less(greatest(value, -value), splat(3.4e38F)); }
  /// What is to be the greatest.
  [[nodiscard]] inline Float keyOf(Float value) const {
    if (mode_ == RayMode::minimum) return -value;
    return layer_.look.symmetric ? greatest(value, -value) : value;
  }

  /// Over the samples inside the image, by the trapezoidal rule.
  inline Float mean() {
    Float sum = none();
    Float length = none();
    const int end = volume_.lastOfAll();
    int k = volume_.firstOfAll();
    Float front = valueAt(volume_.segmentFrom(k));
    for (; k <= end; ++k) {
      const Float to = volume_.segmentTo(k);
      const Float from = volume_.segmentFrom(k);
      const Mask entering = equal(volume_.first, splat(k));
      if (any(entering)) front = select(entering, valueAt(from), front);
      const Float back = valueAt(to);
      Mask counted = volume_.live(k, none());
      counts_.samples += static_cast<std::uint64_t>(countOf(counted));
      if constexpr (V::isFloat) counted = both(counted, both(isFinite(front), isFinite(back)));
      const Float span = select(counted, to - from, none());
      sum = select(counted, sum + (front + back) * splat(0.5F) * span, sum);
      length = length + span;
      front = back;
    }
    return select(less(none(), length), sum / length, notANumber());
  }

  inline Float extremum() {
    Float best = splat(-__builtin_inff());
    Float value = notANumber();
    Float place = none();
    const int end = volume_.lastOfAll();
    int k = volume_.firstOfAll() - 1;
    while (k <= end) {
      const Mask open = less(best, splat(layer_.enough));
      if (!any(both(open, lessEqual(splat(k), volume_.last)))) break;
      const int jump = uselessSteps(k, open, best);
      if (jump > 0) {
        k += jump;
        continue;
      }
      const int stop = k + stepsBetweenBounds < end + 1 ? k + stepsBetweenBounds : end + 1;
      for (; k < stop; ++k) take(k, best, value, place);
    }
    refine(best, value, place);
    return value;
  }

  [[nodiscard]] inline Float depthOf(int k) const {
    return clampTo(splat(static_cast<float>(k)), volume_.enterAt, volume_.leaveAt);
  }
  /// Lanes whose samples begin (with the point of entry) at or before k.
  [[nodiscard]] inline Mask inImage(int k) const {
    return both(lessEqual(volume_.first, splat(k + 1)), lessEqual(splat(k), volume_.last));
  }

  inline void take(int k, Float& best, Float& value, Float& place) {
    const Float n = depthOf(k);
    const Float here = valueAt(n);
    const Mask in = inImage(k);
    counts_.samples += static_cast<std::uint64_t>(countOf(in));
    keep(in, n, here, best, value, place);
  }
  inline void keep(Mask wanted, Float n, Float here, Float& best, Float& value, Float& place) const {
    const Float key = keyOf(here);
    Mask better = both(wanted, less(best, key));
    if constexpr (V::isFloat) better = both(better, isFinite(here));
    best = select(better, key, best);
    value = select(better, here, value);
    place = select(better, n, place);
  }

  /// The peak between the samples before and after the best one.
  inline void refine(Float& best, Float& value, Float& place) const {
    const Mask found = lessEqual(volume_.first, volume_.last);
    Float reach = splat(0.5F);
    for (int i = 0; i < peakRefinements / 2; ++i) {
      const Float middle = place;
      for (const float side : {-1.0F, 1.0F}) {
        const Float n = clampTo(middle + reach * splat(side), volume_.enterAt, volume_.leaveAt);
        keep(found, n, valueAt(n), best, value, place);
      }
      reach = reach * splat(0.5F);
    }
  }

  /// Steps from k on at which no lane can find more than it has.
  inline int uselessSteps(int k, Mask open, Float best) {
    if (!layer_.bound) return 0;
    const Mask active = both(open, lessEqual(splat(k), volume_.last));
    const Point p = volume_.at(depthOf(k));
    const Cell cell = volume_.extent.cellAt(p);
    const Int waiting = volume_.first - (k + 1);
    const Mask entered = both(active, less(waiting, splat(1)));
    Int b[3]{least(cell.x >> 3, volume_.brickMost[0]), least(cell.y >> 3, volume_.brickMost[1]),
             least(cell.z >> 3, volume_.brickMost[2])};
    const Float bound = gatherEntries(layer_.bound, (b[2] * layer_.bricks[1] + b[1]) * layer_.bricks[0] + b[0]);
    if (any(both(entered, less(best, bound)))) return 0;
    constexpr int coarseShift = 2;
    static_assert(1 << coarseShift == coarseBricks);
    const Int c[3]{b[0] >> coarseShift, b[1] >> coarseShift, b[2] >> coarseShift};
    const Float coarse = gatherEntries(layer_.coarseBound, (c[2] * layer_.coarse[1] + c[1]) * layer_.coarse[0] + c[0]);
    const Float fine = stepsToLeave(p, b, brickEdge);
    const Float wide = stepsToLeave(p, c, brickEdge * coarseBricks);
    const Float free = select(less(best, coarse), fine, wide);
    const Int steps = select(less(waiting, splat(1)), toInt(free) + 1, waiting);
    const int jump = leastLane(select(active, steps, splat(1 << 20)));
    counts_.skipped += static_cast<std::uint64_t>(jump) * static_cast<std::uint64_t>(countOf(entered));
    return jump;
  }
  [[nodiscard]] inline Float stepsToLeave(const Point& p, const Int* block, int edge) const {
    Float free = splat(1e5F);
    volume_.freeAlong(0, p.x, block[0] - 1, block[0] + 1, edge, free);
    volume_.freeAlong(1, p.y, block[1] - 1, block[1] + 1, edge, free);
    volume_.freeAlong(2, p.z, block[2] - 1, block[2] + 1, edge, free);
    return free;
  }

  RayMode mode_;
  RayVolume& volume_;
  const RayLayer& layer_;
  const V& voxels_;
  RayCounts& counts_;
};

/// Draws a layer's value over what is there. Over a slice, dark values let it through.
inline void drawOver(Ray& ray, const SliceLayer& look, Float value, Mask onSlice) {
  const Float zero = none();
  const Float size = greatest(value, -value);
  const Float shown = look.symmetric ? size : value;
  const Mask visible = both(withinThresholds(look, shown), less(size, splat(3.4e38F)));
  if (!any(visible)) return;
  const Float position = clampTo((shown - splat(look.windowLow)) * splat(look.indexPerValue), zero, splat(255.0F));
  Int index = toInt(position + splat(0.5F));
  if (look.symmetric) index = select(less(value, zero), index + 256, index);
  const Int colour = gatherEntries(look.colours, index);
  Float alpha = select(visible, splat(look.opacity), zero);
  alpha = select(onSlice, alpha * position * splat(1.0F / 255), alpha);
  ray.red = mix(ray.red, light(colour, 0), alpha);
  ray.green = mix(ray.green, light(colour, 1), alpha);
  ray.blue = mix(ray.blue, light(colour, 2), alpha);
  ray.opacity = mix(ray.opacity, splat(1.0F), alpha);
}

}  // namespace nora::kernel::NORA_ISA
