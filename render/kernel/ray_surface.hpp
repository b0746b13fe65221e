// Surfaces that a ray hits: where the value passes a level, and where a label begins. Hits are refined to a small part
// of a voxel. Inside a surface from the start (the image's edge, a cut) there is a face with even light.
#pragma once

#include "render/kernel/ray_shading.hpp"
#include "render/kernel/slice.hpp"

namespace nora::kernel::NORA_ISA {

constexpr int refinements = 6;  // halvings of a step

inline void paint(Mask hit, Int colour, Float opacity, const Light& lit, Contribution& out) {
  out.alpha = select(hit, opacity, none());
  out.red = out.alpha * (lit.bright * light(colour, 0) + lit.gloss);
  out.green = out.alpha * (lit.bright * light(colour, 1) + lit.gloss);
  out.blue = out.alpha * (lit.bright * light(colour, 2) + lit.gloss);
}

inline Light withEvenLight(Mask flat, Light lit) {
  lit.bright = select(flat, splat(evenLight), lit.bright);
  lit.gloss = select(flat, none(), lit.gloss);
  return lit;
}

template <class V>
class SurfaceTracer {
 public:
  inline SurfaceTracer(RayVolume& volume, const V& voxels, RayCounts& counts)
      : volume_(volume), layer_(*volume.layer), voxels_(voxels), counts_(counts) {}

  inline void begin(int k) { volume_.previous = valueAt(splat(static_cast<float>(k - 1))); }

  inline bool step(int k, Float opacity, Contribution& out) {
    const Mask live = volume_.live(k, opacity);
    Float from = volume_.segmentFrom(k);
    Float to = volume_.segmentTo(k);
    const Float back = valueAt(to);
    counts_.samples += static_cast<std::uint64_t>(countOf(live));
    Float front = volume_.previous;
    const Mask entering = equal(volume_.first, splat(k));
    if (any(entering)) front = select(entering, valueAt(from), front);
    volume_.previous = back;
    const Mask frontInside = inside(front);
    const Mask backInside = inside(back);
    const Mask face = both(both(live, entering), frontInside);
    const Mask rising = both(butNot(backInside, frontInside), isNumber(front));
    const Mask falling = both(butNot(frontInside, backInside), isNumber(back));
    const Mask hit = both(live, either(face, either(rising, falling)));
    if (!any(hit)) return false;

    const Float entry = from;
    Float ahead = front;
    Float behind = back;
    refine(frontInside, from, to, ahead, behind);
    const Float way = (splat(layer_.isoValue) - sizeOf(ahead)) / (sizeOf(behind) - sizeOf(ahead));
    out.at = select(face, entry, from + clampTo(way, none(), splat(1.0F)) * (to - from));
    const Light lit = withEvenLight(face, lightOn(layer_, Gradients<V>(volume_, voxels_).at(volume_.cellAt(out.at))));
    Int colour = splat(static_cast<std::int32_t>(layer_.surfaceColours[0]));
    if (layer_.look.symmetric) {
      const Float value = select(face, front, select(rising, back, front));
      colour = select(less(value, none()), splat(static_cast<std::int32_t>(layer_.surfaceColours[1])), colour);
    }
    paint(hit, colour, splat(layer_.look.opacity), lit, out);
    return true;
  }

 private:
  [[nodiscard]] inline Float valueAt(Float n) const {
    return voxels_.trilinear(volume_.cellAt(n), false) * splat(layer_.look.slope) + splat(layer_.look.inter);
  }
  [[nodiscard]] inline Float sizeOf(Float value) const {
    return layer_.look.symmetric ? greatest(value, -value) : value;
  }
  [[nodiscard]] inline Mask inside(Float value) const { return lessEqual(splat(layer_.isoValue), sizeOf(value)); }
  [[nodiscard]] inline static Mask isNumber(Float value) { return lessEqual(value, splat(__builtin_inff())); }

  /// Halves the segment, keeping the part whose front is on the same side as before and whose back is not.
  inline void refine(Mask frontInside, Float& from, Float& to, Float& ahead, Float& behind) const {
    for (int i = 0; i < refinements; ++i) {
      const Float middle = (from + to) * splat(0.5F);
      const Float value = valueAt(middle);
      const Mask in = inside(value);
      const Mask sameSide = either(both(in, frontInside), butNot(butNot(isNumber(value), in), frontInside));
      from = select(sameSide, middle, from);
      ahead = select(sameSide, value, ahead);
      to = select(sameSide, to, middle);
      behind = select(sameSide, behind, value);
    }
  }

  RayVolume& volume_;
  const RayLayer& layer_;
  const V& voxels_;
  RayCounts& counts_;
};

/// Labels are those of the nearest voxels; the light is that of the smoothed shape of each label.
template <class V>
class LabelTracer {
 public:
  inline LabelTracer(RayVolume& volume, const V& voxels, RayCounts& counts)
      : volume_(volume), layer_(*volume.layer), voxels_(voxels), counts_(counts) {}

  inline void begin(int k) { volume_.previousLabel = labelAt(volume_.at(splat(static_cast<float>(k - 1)))); }

  inline bool step(int k, Float opacity, Contribution& out) {
    const Mask live = volume_.live(k, opacity);
    Float from = volume_.segmentFrom(k);
    Float to = volume_.segmentTo(k);
    const Int back = labelAt(volume_.at(to));
    counts_.samples += static_cast<std::uint64_t>(countOf(live));
    Int front = volume_.previousLabel;
    const Mask entering = equal(volume_.first, splat(k));
    if (any(entering)) front = select(entering, labelAt(volume_.at(from)), front);
    volume_.previousLabel = back;
    const Mask face = both(both(live, entering), visible(front));
    const Mask begins = both(live, butNot(visible(back), equal(front, back)));
    const Mask hit = either(face, begins);
    if (!any(hit)) return false;

    const Float entry = from;
    for (int i = 0; i < refinements; ++i) {
      const Float middle = (from + to) * splat(0.5F);
      const Mask reached = equal(labelAt(volume_.at(middle)), back);
      from = select(reached, from, middle);
      to = select(reached, middle, to);
    }
    out.at = select(face, entry, to);
    const Int label = select(face, front, back);
    const Int colour = labelColour(layer_.look, label);
    const Float alpha = toFloat(shiftRightUnsigned(colour, 24)) * splat(layer_.look.opacity / 255.0F);
    const Light lit = withEvenLight(face, lightOn(layer_, shapeGradient(volume_.at(out.at), label)));
    paint(hit, colour, alpha, lit, out);
    return true;
  }

 private:
  [[nodiscard]] inline Int labelOf(Int x, Int y, Int z) const {
    const auto at = voxels_.offset(x, y, z);
    if (layer_.look.exactLabels) return voxels_.whole(at);
    return V::rounded(voxels_.one(at) * splat(layer_.look.slope) + splat(layer_.look.inter));
  }
  [[nodiscard]] inline Int labelAt(const Point& p) const {
    const Cell cell = volume_.extent.nearestAt(p);
    return labelOf(cell.x, cell.y, cell.z);
  }
  [[nodiscard]] inline Mask visible(Int label) const {
    const Float value = toFloat(label);
    const Float shown = layer_.look.symmetric ? greatest(value, -value) : value;
    return butNot(withinThresholds(layer_.look, shown), equal(label, splat(0)));
  }

  /// Share of the label in the voxels around a position.
  [[nodiscard]] inline Float shareAt(const Point& p, Int label) const {
    const Cell cell = volume_.extent.cellAt(p);
    const Grid& grid = layer_.grid;
    const Float one = splat(1.0F);
    Float share = none();
    for (int corner = 0; corner < 8; ++corner) {
      const int right = corner & 1;
      const int down = corner >> 1 & 1;
      const int far = corner >> 2;
      const Int x = least(cell.x + right, splat(static_cast<std::int32_t>(grid.dims[0] - 1)));
      const Int y = least(cell.y + down, splat(static_cast<std::int32_t>(grid.dims[1] - 1)));
      const Int z = least(cell.z + far, splat(static_cast<std::int32_t>(grid.dims[2] - 1)));
      const Float weight = (right != 0 ? cell.fx : one - cell.fx) * (down != 0 ? cell.fy : one - cell.fy) *
                           (far != 0 ? cell.fz : one - cell.fz);
      share = select(equal(labelOf(x, y, z), label), share + weight, share);
    }
    return share;
  }

  [[nodiscard]] inline Point shapeGradient(const Point& p, Int label) const {
    constexpr float reach = 1.5F;  // voxels: wide enough to hide their edges
    Float slopes[3];
    for (int a = 0; a < 3; ++a) {
      const Float x = splat(a == 0 ? reach : 0.0F);
      const Float y = splat(a == 1 ? reach : 0.0F);
      const Float z = splat(a == 2 ? reach : 0.0F);
      slopes[a] = shareAt({p.x + x, p.y + y, p.z + z}, label) - shareAt({p.x - x, p.y - y, p.z - z}, label);
    }
    return {slopes[0], slopes[1], slopes[2]};
  }

  RayVolume& volume_;
  const RayLayer& layer_;
  const V& voxels_;
  RayCounts& counts_;
};

}  // namespace nora::kernel::NORA_ISA
