// Shaded volume rendering by parallel rays: a packet of lanes is a small square of pixels that marches in step.
// Between two samples the transfer function is integrated along the straight line of values, so that thin shells are
// not missed. Blocks of bricks that cannot be seen are jumped over; the picture is the same with and without.
#pragma once

#include "render/kernel/sampling.hpp"

namespace nora::kernel::NORA_ISA {

// Shape of a packet.
constexpr int packetWidth = lanes >= 8 ? 4 : (lanes == 4 ? 2 : 1);
constexpr int packetHeight = lanes / packetWidth;

constexpr float opaqueEnough = 0.99F;
/// Contributions below this are drawn without their gradient: a quarter of a gray level.
constexpr float shadingMatters = 0.001F;
constexpr float ambient = 0.22F;
constexpr float diffuse = 0.88F;
constexpr float specular = 0.12F;
/// Steps between two looks at the bricks: half a brick.
constexpr int stepsBetweenLooks = 4;

/// Rays that would take more are not drawn: the renderer chooses its steps so that none does.
constexpr double maxSteps = 1 << 19;

/// What the lanes of one packet have gathered so far.
struct Ray {
  Float red, green, blue;
  Float opacity;
};

template <class V>
class RayCaster {
 public:
  inline RayCaster(const RayPlan& plan, const V& voxels) : plan_(plan), voxels_(voxels), extent_(plan.grid) {
    for (int a = 0; a < 3; ++a) {
      step_[a] = splat(static_cast<float>(plan.step[a]));
      brickMost_[a] = splat(plan.bricks[a] - 1);
    }
  }

  /// Draws the packet whose top left pixel is (x, y); returns the samples taken.
  inline std::uint64_t draw(int x, int y, const Tile& tile) {
    samples_ = 0;
    Ray ray{};
    if (enter(x, y)) march(ray);
    write(ray, x, y, tile);
    return samples_;
  }

 private:
  /// Sets origin_, first_ and last_ (the steps of each lane inside the image); false if no lane meets it.
  inline bool enter(int x, int y) {
    // In double: where the ray of the packet's corner passes the image's centre. Lanes go on in float from a step
    // before the image. It is a whole number of steps from the picture plane: all packets share one set of sample
    // planes, so that there are no seams.
    double corner[3];
    double toCentre = 0;
    double stepSquared = 0;
    double reach = 0;
    for (int a = 0; a < 3; ++a) {
      const auto n = static_cast<double>(plan_.grid.dims[a]);
      corner[a] = plan_.origin[a] + plan_.right[a] * (x + 0.5) + plan_.down[a] * (y + 0.5);
      toCentre += ((n - 1) / 2 - corner[a]) * plan_.step[a];
      stepSquared += plan_.step[a] * plan_.step[a];
      const double packet = magnitude(plan_.right[a]) * packetWidth + magnitude(plan_.down[a]) * packetHeight;
      reach += n + packet;
    }
    const double middle = toCentre / stepSquared;
    const double before = reach / __builtin_sqrt(stepSquared) + 2;
    constexpr double farthest = 1e9;
    if (!(middle > -farthest && middle < farthest && before < maxSteps)) return false;
    const auto base = static_cast<double>(static_cast<std::int64_t>(middle - before));

    Float enterAt = splat(0.0F);
    Float leaveAt = splat(1e9F);
    Mask hit = lessEqual(splat(0.0F), splat(0.0F));
    const Int number = laneNumbers();
    const Float column = toFloat(number & (packetWidth - 1));
    const Float row = toFloat(number / packetWidth);
    for (int a = 0; a < 3; ++a) {
      const Float start = splat(static_cast<float>(corner[a] + base * plan_.step[a]));
      origin_[a] = start + exactProduct(splat(static_cast<float>(plan_.right[a])), column) +
                   exactProduct(splat(static_cast<float>(plan_.down[a])), row);
      clipAxis(a, enterAt, leaveAt, hit);
    }
    const Float most = splat(static_cast<float>(maxSteps) * 2);
    first_ = toInt(clampTo(enterAt, splat(0.0F), most)) + 1;
    last_ = select(hit, toInt(clampTo(leaveAt, splat(-1.0F), most)), splat(-1));
    return any(lessEqual(first_, last_));
  }

  inline static double magnitude(double v) { return v < 0 ? -v : v; }

  inline void clipAxis(int a, Float& enterAt, Float& leaveAt, Mask& hit) {
    const Float low = splat(-0.5F) - origin_[a];
    const Float high = extent_.last[a] + splat(0.5F) - origin_[a];
    const double step = plan_.step[a];
    if (step < 1e-7 && step > -1e-7) {
      hit = both(hit, both(lessEqual(low, splat(0.0F)), lessEqual(splat(0.0F), high)));
      return;
    }
    const Float inverse = splat(static_cast<float>(1 / step));
    const Float t0 = low * inverse;
    const Float t1 = high * inverse;
    enterAt = greatest(enterAt, least(t0, t1));
    leaveAt = least(leaveAt, greatest(t0, t1));
  }

  [[nodiscard]] inline Point at(int k) const {
    const Float n = splat(static_cast<float>(k));
    return {origin_[0] + exactProduct(step_[0], n), origin_[1] + exactProduct(step_[1], n),
            origin_[2] + exactProduct(step_[2], n)};
  }

  inline void march(Ray& ray) {
    const int end = greatestLane(last_);
    int k = leastLane(select(lessEqual(first_, last_), first_, splat(end)));
    bool havePrevious = false;
    while (k <= end) {
      if (plan_.distance) {
        const int jump = emptySteps(k, ray);
        if (jump > 0) {
          k += jump;
          havePrevious = false;
          continue;
        }
      }
      if (!havePrevious) previous_ = entryAt(extent_.cellAt(at(k - 1)));
      const int stop = k + stepsBetweenLooks < end + 1 ? k + stepsBetweenLooks : end + 1;
      for (; k < stop; ++k) advance(k, ray);
      havePrevious = true;
      if (!any(running(k, ray))) return;
    }
  }

  /// Lanes that are not past the image and not opaque yet.
  [[nodiscard]] inline Mask running(int k, const Ray& ray) const {
    return both(lessEqual(splat(k), last_), less(ray.opacity, splat(opaqueEnough)));
  }

  /// How many steps from k on can show nothing in any lane; 0 if the next one may. The segment before step k belongs to
  /// k, so the look is at step k - 1 and a jump of n leaves the segment that ends at k + n to be drawn.
  inline int emptySteps(int k, const Ray& ray) const {
    const Mask live = running(k, ray);
    const Point p = at(k - 1);
    const Cell cell = extent_.cellAt(p);
    const Int bx = least(cell.x >> 3, brickMost_[0]);
    const Int by = least(cell.y >> 3, brickMost_[1]);
    const Int bz = least(cell.z >> 3, brickMost_[2]);
    const Int distance = gatherBytes(plan_.distance, (bz * plan_.bricks[1] + by) * plan_.bricks[0] + bx) & 0xff;
    // A lane that enters later is free until then.
    const Int waiting = first_ - k;
    const Mask entered = less(waiting, splat(1));
    if (any(both(both(live, entered), equal(distance, splat(0))))) return 0;
    Float free = splat(1e6F);
    freeAlong(0, p.x, bx, distance, free);
    freeAlong(1, p.y, by, distance, free);
    freeAlong(2, p.z, bz, distance, free);
    const Int steps = select(entered, toInt(free), waiting);
    return leastLane(select(live, steps, splat(1 << 20)));
  }

  /// Steps until a lane leaves the cube of empty bricks around its own.
  inline void freeAlong(int a, Float p, Int brick, Int distance, Float& free) const {
    const double step = plan_.step[a];
    if (step < 1e-7 && step > -1e-7) return;
    const Int face = step > 0 ? (brick + distance) * brickEdge : (brick - distance + 1) * brickEdge;
    // Half a voxel outside the image belongs to its outermost bricks.
    free = least(free, greatest((toFloat(face) - p) * splat(static_cast<float>(1 / step)), splat(0.0F)));
  }

  /// Continuous entry of the tables; NaN where there is no value.
  [[nodiscard]] inline Float entryAt(const Cell& cell) {
    const Float stored = voxels_.trilinear(cell, false);
    const Float entry = stored * splat(plan_.entryPerStored) + splat(plan_.entryOffset);
    const Float clamped = clampTo(entry, splat(0.0F), splat(static_cast<float>(plan_.lastEntry)));
    if constexpr (V::isFloat) return select(notEqual(entry, entry), entry, clamped);
    return clamped;
  }

  inline void advance(int k, Ray& ray) {
    const Mask live = both(running(k, ray), lessEqual(first_, splat(k)));
    const Cell cell = extent_.cellAt(at(k));
    const Float back = entryAt(cell);
    samples_ += static_cast<std::uint64_t>(countOf(live));
    // A ray begins with the value at its entry.
    const Float front = select(less(first_, splat(k)), previous_, back);
    previous_ = back;
    const Float depth = opticalDepth(front, back);
    const Mask seen = both(live, less(splat(0.0F), depth));
    if (!any(seen)) return;

    const Float alpha = splat(1.0F) - exp2Negative(greatest(-depth, splat(-126.0F)));
    const Float weight = select(seen, (splat(1.0F) - ray.opacity) * alpha, splat(0.0F));
    const Int segment = segmentOf(select(seen, front, splat(0.0F)), select(seen, back, splat(0.0F)));
    Float bright = splat(1.0F);
    Float gloss = splat(0.0F);
    if (any(less(splat(shadingMatters), weight))) shade(surfaceCell(k, segment), bright, gloss);
    const Float lit = weight * bright;
    const Float glow = weight * gloss;
    ray.red = ray.red + lit * toFloat(segment & 0xff) + glow;
    ray.green = ray.green + lit * toFloat((segment >> 8) & 0xff) + glow;
    ray.blue = ray.blue + lit * toFloat((segment >> 16) & 0xff) + glow;
    ray.opacity = ray.opacity + weight;
  }

  /// Mean extinction (base 2, of one step) along the straight line of values from one sample to the next.
  [[nodiscard]] inline Float opticalDepth(Float front, Float back) const {
    Mask valid = lessEqual(splat(0.0F), back);
    if constexpr (V::isFloat) {
      valid = both(valid, lessEqual(splat(0.0F), front));
      front = greatest(front, splat(0.0F));
      back = greatest(back, splat(0.0F));
    }
    const Int a = toInt(front + splat(0.5F));
    const Int b = toInt(back + splat(0.5F));
    const Int low = least(a, b);
    const Int high = greatest(a, b);
    const Float flat = gatherEntries(plan_.extinction, low);
    const Float sum = gatherEntries(plan_.extinctionBefore, high) - gatherEntries(plan_.extinctionBefore, low);
    const Float depth = select(equal(low, high), flat, sum / toFloat(greatest(high - low, splat(1))));
    return select(valid, depth, splat(0.0F));
  }

  /// Colour and centre of a segment: what a surface looks like does not depend on where the samples happen to fall, so
  /// that there are no rings.
  [[nodiscard]] inline Int segmentOf(Float front, Float back) const {
    const Float scale = splat(static_cast<float>(segmentLevels - 1) / static_cast<float>(plan_.lastEntry));
    const Int row = toInt(front * scale + splat(0.5F));
    const Int column = toInt(back * scale + splat(0.5F));
    return gatherEntries(plan_.segments, row * segmentLevels + column);
  }

  /// Where between samples k - 1 and k the segment's opacity has its centre: the gradient there is the surface's.
  [[nodiscard]] inline Cell surfaceCell(int k, Int segment) const {
    const Float share = toFloat(shiftRightUnsigned(segment, 24)) * splat(1.0F / 255);
    const Float n = splat(static_cast<float>(k - 1)) + share;
    return extent_.cellAt({origin_[0] + exactProduct(step_[0], n), origin_[1] + exactProduct(step_[1], n),
                           origin_[2] + exactProduct(step_[2], n)});
  }

  /// Light on a surface across the gradient, from the cell's surroundings.
  inline void shade(const Cell& cell, Float& bright, Float& gloss) const {
    const Point g = gradient(cell);
    const float* m = plan_.metric;
    const Float toLight = g.x * plan_.light[0] + g.y * plan_.light[1] + g.z * plan_.light[2];
    const Float toViewer = g.x * plan_.viewer[0] + g.y * plan_.viewer[1] + g.z * plan_.viewer[2];
    // Either side of a surface may be the bright one: its normal is the one that faces the viewer.
    const Float along = greatest(select(less(toViewer, splat(0.0F)), -toLight, toLight), splat(0.0F));
    const Float squared = g.x * (g.x * m[0] + (g.y * m[3] + g.z * m[4]) * 2.0F) +
                          g.y * (g.y * m[1] + g.z * m[5] * 2.0F) + g.z * g.z * m[2];
    // Where the values hardly change there is no surface: the light fades to an even one.
    const Float surface = squared / (squared + splat(plan_.flatGradient));
    const Float size = squareRoot(greatest(squared, splat(1e-20F)));
    const Float cosine = least(along / size, splat(1.0F));
    const Float c2 = cosine * cosine;
    const Float c4 = c2 * c2;
    const Float c8 = c4 * c4;
    bright = mix(splat(0.8F), splat(ambient) + cosine * splat(diffuse), surface);
    gloss = c8 * c8 * surface * splat(255 * specular);
    if constexpr (V::isFloat) {
      const Mask bad = notEqual(bright, bright);
      bright = select(bad, splat(0.8F), bright);
      gloss = select(bad, splat(0.0F), gloss);
    }
  }

  /// Difference over two voxels of the interpolated values, in entries per voxel.
  [[nodiscard]] inline Point gradient(const Cell& cell) const {
    const Float scale = splat(plan_.entryPerStored * 0.5F);
    const Mask inner = both(both(innerAlong(0, cell.x), innerAlong(1, cell.y)), innerAlong(2, cell.z));
    Point g = any(butNot(lessEqual(splat(0.0F), splat(0.0F)), inner)) ? gradientAtEdge(cell) : gradientInside(cell);
    g.x = g.x * scale;
    g.y = g.y * scale;
    g.z = g.z * scale;
    return g;
  }

  [[nodiscard]] inline Mask innerAlong(int a, Int corner) const {
    return both(less(splat(0), corner), less(corner, splat(static_cast<std::int32_t>(plan_.grid.dims[a] - 2))));
  }

  /// Six more samples, each clamped to the image.
  [[nodiscard]] inline Point gradientAtEdge(const Cell& cell) const {
    const Point p{toFloat(cell.x) + cell.fx, toFloat(cell.y) + cell.fy, toFloat(cell.z) + cell.fz};
    const Float one = splat(1.0F);
    const auto value = [&](Float x, Float y, Float z) { return voxels_.trilinear(extent_.cellAt({x, y, z}), false); };
    return {value(p.x + one, p.y, p.z) - value(p.x - one, p.y, p.z),
            value(p.x, p.y + one, p.z) - value(p.x, p.y - one, p.z),
            value(p.x, p.y, p.z + one) - value(p.x, p.y, p.z - one)};
  }

  /// The same six samples share most of their voxels: 32 instead of 48.
  [[nodiscard]] inline Point gradientInside(const Cell& cell) const {
    const std::int64_t dx = sizeofVoxel();
    const std::int64_t dy = voxels_.nextY();
    const std::int64_t dz = voxels_.nextZ();
    const auto at = voxels_.offset(cell.x, cell.y, cell.z);
    Float gx[4];  // rows (y, z), (y+1, z), (y, z+1), (y+1, z+1)
    Float middle[4];
    for (int row = 0; row < 4; ++row) {
      const std::int64_t move = ((row & 1) != 0 ? dy : 0) + ((row & 2) != 0 ? dz : 0);
      Float v[4];
      voxels_.pair(V::moved(at, move - dx), v[0], v[1]);
      voxels_.pair(V::moved(at, move + dx), v[2], v[3]);
      gx[row] = mix(v[2] - v[0], v[3] - v[1], cell.fx);
      middle[row] = mix(v[1], v[2], cell.fx);
    }
    const auto rowAt = [&](std::int64_t move) {
      Float a;
      Float b;
      voxels_.pair(V::moved(at, move), a, b);
      return mix(a, b, cell.fx);
    };
    const Float yNear = mix(middle[1] - rowAt(-dy), rowAt(2 * dy) - middle[0], cell.fy);
    const Float yFar = mix(middle[3] - rowAt(dz - dy), rowAt(dz + 2 * dy) - middle[2], cell.fy);
    const Float zLeft = mix(middle[2] - rowAt(-dz), rowAt(2 * dz) - middle[0], cell.fz);
    const Float zRight = mix(middle[3] - rowAt(dy - dz), rowAt(dy + 2 * dz) - middle[1], cell.fz);
    return {mix(mix(gx[0], gx[1], cell.fy), mix(gx[2], gx[3], cell.fy), cell.fz), mix(yNear, yFar, cell.fz),
            mix(zLeft, zRight, cell.fy)};
  }

  [[nodiscard]] inline std::int64_t sizeofVoxel() const { return plan_.grid.stride[0]; }

  inline void write(const Ray& ray, int x, int y, const Tile& tile) const {
    const Float half = splat(0.5F);
    const Float most = splat(255.0F);
    const Float zero = splat(0.0F);
    const Int red = toInt(clampTo(ray.red, zero, most) + half);
    const Int green = toInt(clampTo(ray.green, zero, most) + half);
    const Int blue = toInt(clampTo(ray.blue, zero, most) + half);
    alignas(64) std::uint32_t pixels[lanes];
    store(pixels, red | shiftLeft(green, 8) | shiftLeft(blue, 16) | splat(static_cast<std::int32_t>(0xff000000U)));
    const int columns = tile.x1 - x < packetWidth ? tile.x1 - x : packetWidth;
    for (int row = 0; row < packetHeight && y + row < tile.y1; ++row) {
      const auto pixel =
          static_cast<std::size_t>(y + row) * static_cast<std::size_t>(plan_.width) + static_cast<std::size_t>(x);
      __builtin_memcpy(plan_.rgba + pixel * 4, pixels + row * packetWidth, static_cast<std::size_t>(columns) * 4);
    }
  }

  const RayPlan& plan_;
  const V& voxels_;
  const Extent extent_;
  Float step_[3];
  Int brickMost_[3];
  Float origin_[3];
  Int first_;
  Int last_;
  Float previous_;
  std::uint64_t samples_ = 0;
};

/// The types that a ray plan may hold; the renderer converts others.
template <class Visitor>
inline void visitRayVoxels(const Grid& grid, Visitor&& visitor) {
  const auto sized = [&](auto zero) {
    using T = decltype(zero);
    if (grid.big) return visitor(Voxels<T, true>(grid));
    visitor(Voxels<T, false>(grid));
  };
  switch (grid.stored) {
    case Stored::int8: return sized(std::int8_t{});
    case Stored::int16: return sized(std::int16_t{});
    case Stored::uint16: return sized(std::uint16_t{});
    case Stored::float32: return sized(float{});
    default: break;
  }
  sized(std::uint8_t{});
}

template <class V>
inline std::uint64_t drawRaysIn(const RayPlan& plan, const V& voxels, const Tile& tile) {
  RayCaster<V> caster(plan, voxels);
  std::uint64_t taken = 0;
  for (int y = tile.y0; y < tile.y1; y += packetHeight) {
    for (int x = tile.x0; x < tile.x1; x += packetWidth) taken += caster.draw(x, y, tile);
  }
  return taken;
}

inline std::uint64_t drawRays(const RayPlan& plan, const Tile& tile) {
  std::uint64_t taken = 0;
  visitRayVoxels(plan.grid, [&](const auto& voxels) { taken = drawRaysIn(plan, voxels, tile); });
  return taken;
}

}  // namespace nora::kernel::NORA_ISA
