// A volume as coloured fog. Between two samples the transfer function is integrated along the straight line of values,
// so that thin shells are not missed.
#pragma once

#include "render/kernel/ray_shading.hpp"

namespace nora::kernel::NORA_ISA {

/// Contributions below this are drawn without their gradient: a quarter of a gray level.
constexpr float shadingMatters = 0.001F;

template <class V>
class MediumTracer {
 public:
  inline MediumTracer(RayVolume& volume, const V& voxels, RayCounts& counts)
      : volume_(volume), layer_(*volume.layer), voxels_(voxels), counts_(counts) {}

  /// Takes the value at the start of the segment that ends at step k.
  inline void begin(int k) { volume_.previous = entryAt(volume_.cellAt(splat(static_cast<float>(k - 1)))); }

  /// False if the segment adds nothing in any lane. `opacity`: of what is before it.
  inline bool step(int k, Float opacity, Contribution& out) {
    const Mask live = volume_.live(k, opacity);
    const Float from = volume_.segmentFrom(k);
    const Float to = volume_.segmentTo(k);
    const Float back = entryAt(volume_.cellAt(to));
    counts_.samples += static_cast<std::uint64_t>(countOf(live));
    Float front = volume_.previous;
    const Mask entering = equal(volume_.first, splat(k));
    if (any(entering)) front = select(entering, entryAt(volume_.cellAt(from)), front);
    volume_.previous = back;
    if (!any(both(live, lessEqual(splat(layer_.firstShown), greatest(front, back))))) return false;
    const Float depth = opticalDepth(front, back) * (to - from);
    const Mask seen = both(live, less(none(), depth));
    if (!any(seen)) return false;

    const Float alpha = splat(1.0F) - exp2Negative(greatest(-depth, splat(-126.0F)));
    const Float weight = select(seen, (splat(1.0F) - opacity) * alpha, none());
    const Int segment = segmentOf(select(seen, front, none()), select(seen, back, none()));
    // Where between the samples the segment's opacity has its centre: the gradient there is the surface's.
    const Float share = toFloat(shiftRightUnsigned(segment, 24)) * splat(1.0F / 255);
    out.at = from + share * (to - from);
    Light lit{splat(evenLight), none()};
    if (any(less(splat(shadingMatters), weight))) {
      lit = lightOn(layer_, Gradients<V>(volume_, voxels_).at(volume_.cellAt(out.at)));
    }
    out.alpha = select(seen, alpha, none());
    const Float bright = out.alpha * lit.bright;
    const Float gloss = out.alpha * lit.gloss;
    out.red = bright * light(segment, 0) + gloss;
    out.green = bright * light(segment, 1) + gloss;
    out.blue = bright * light(segment, 2) + gloss;
    return true;
  }

 private:
  /// Continuous entry of the tables; NaN where there is no value.
  [[nodiscard]] inline Float entryAt(const Cell& cell) const {
    const Float stored = voxels_.trilinear(cell, false);
    const Float entry = stored * splat(layer_.entryPerStored) + splat(layer_.entryOffset);
    const Float clamped = clampTo(entry, none(), splat(static_cast<float>(layer_.lastEntry)));
    if constexpr (V::isFloat) return select(notEqual(entry, entry), entry, clamped);
    return clamped;
  }

  /// Mean extinction (base 2, of one step) along the straight line of values from one sample to the next.
  [[nodiscard]] inline Float opticalDepth(Float front, Float back) const {
    Mask valid = lessEqual(none(), back);
    if constexpr (V::isFloat) {
      valid = both(valid, lessEqual(none(), front));
      front = greatest(front, none());
      back = greatest(back, none());
    }
    const Int a = toInt(front + splat(0.5F));
    const Int b = toInt(back + splat(0.5F));
    const Int low = least(a, b);
    const Int high = greatest(a, b);
    const Float flat = gatherEntries(layer_.extinction, low);
    const Float sum = gatherEntries(layer_.extinctionBefore, high) - gatherEntries(layer_.extinctionBefore, low);
    const Float depth = select(equal(low, high), flat, sum / toFloat(greatest(high - low, splat(1))));
    return select(valid, depth, none());
  }

  /// Colour and centre of a segment: what a surface looks like does not depend on where the samples happen to fall, so
  /// that there are no rings.
  [[nodiscard]] inline Int segmentOf(Float front, Float back) const {
    const Float scale = splat(static_cast<float>(segmentLevels - 1) / static_cast<float>(layer_.lastEntry));
    const Int row = toInt(front * scale + splat(0.5F));
    const Int column = toInt(back * scale + splat(0.5F));
    return gatherEntries(layer_.segments, row * segmentLevels + column);
  }

  RayVolume& volume_;
  const RayLayer& layer_;
  const V& voxels_;
  RayCounts& counts_;
};

}  // namespace nora::kernel::NORA_ISA
