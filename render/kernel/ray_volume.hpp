// One layer as a packet of rays meets it: where each lane enters and leaves its image, and which steps can show
// nothing.
#pragma once

#include "render/kernel/ray_packet.hpp"

namespace nora::kernel::NORA_ISA {

constexpr double leastStep = 1e-7;  // voxels; rays that move less along an axis run across it

struct RayVolume {
  const RayLayer* layer = nullptr;
  Extent extent;
  Float step[3];
  Float inverse[3];  // of the step; not used along axes that it runs across
  Int brickMost[3];
  Float origin[3];         // voxel position at the packet's base
  Float enterAt, leaveAt;  // depths
  Int first, last;         // steps: the ends of the first and last segment; last < first: a lane misses the image
  // Where the marching stands
  bool havePrevious = false;
  Float previous;  // at the end of the last segment
  Int previousLabel;

  /// Once for any number of packets.
  inline void show(const RayLayer& shown) {
    layer = &shown;
    extent = Extent(shown.grid);
    for (int a = 0; a < 3; ++a) {
      step[a] = splat(static_cast<float>(shown.step[a]));
      inverse[a] = splat(magnitude(shown.step[a]) < leastStep ? 0.0F : static_cast<float>(1 / shown.step[a]));
      brickMost[a] = splat(shown.bricks[a] - 1);
    }
  }

  /// A whole step before the image, counted from the picture plane; false if no ray can meet it.
  [[nodiscard]] inline bool baseOf(int x, int y, double& base) const {
    double toCentre = 0;
    double stepSquared = 0;
    double reach = 0;
    for (int a = 0; a < 3; ++a) {
      const auto n = static_cast<double>(layer->grid.dims[a]);
      toCentre += ((n - 1) / 2 - cornerAt(a, x, y)) * layer->step[a];
      stepSquared += layer->step[a] * layer->step[a];
      reach += n + magnitude(layer->right[a]) * packetWidth + magnitude(layer->down[a]) * packetHeight;
    }
    const double middle = toCentre / stepSquared;
    const double before = reach / __builtin_sqrt(stepSquared) + 2;
    constexpr double farthest = 1e9;
    if (!(middle > -farthest && middle < farthest && before < maxSteps)) return false;
    base = static_cast<double>(static_cast<std::int64_t>(middle - before));
    return true;
  }

  /// False if no lane meets the image.
  inline bool enter(const Packet& packet) {
    enterAt = greatest(packet.enterAt, none());
    leaveAt = packet.leaveAt;
    havePrevious = false;
    Mask hit = lessEqual(none(), none());
    for (int a = 0; a < 3; ++a) {
      const double corner = cornerAt(a, packet.x, packet.y) + packet.base * layer->step[a];
      origin[a] = splat(static_cast<float>(corner)) +
                  exactProduct(splat(static_cast<float>(layer->right[a])), packet.column) +
                  exactProduct(splat(static_cast<float>(layer->down[a])), packet.row);
      clipAxis(a, hit);
    }
    hit = both(hit, less(enterAt, leaveAt));
    const Float most = splat(static_cast<float>(maxSteps) * 2);
    const Float leave = clampTo(leaveAt, splat(-1.0F), most);
    const Int whole = toInt(leave);
    first = toInt(clampTo(enterAt, none(), most)) + 1;
    last = select(hit, select(less(toFloat(whole), leave), whole + 1, whole), splat(-1));
    return any(lessEqual(first, last));
  }

  [[nodiscard]] inline Point at(Float n) const {
    return {origin[0] + exactProduct(step[0], n), origin[1] + exactProduct(step[1], n),
            origin[2] + exactProduct(step[2], n)};
  }
  [[nodiscard]] inline Cell cellAt(Float n) const { return extent.cellAt(at(n)); }

  /// Depths between which the segment that ends at step k lies.
  [[nodiscard]] inline Float segmentFrom(int k) const { return greatest(splat(static_cast<float>(k - 1)), enterAt); }
  [[nodiscard]] inline Float segmentTo(int k) const { return least(splat(static_cast<float>(k)), leaveAt); }

  [[nodiscard]] inline int firstOfAll() const {
    return leastLane(select(lessEqual(first, last), first, splat(1 << 30)));
  }
  [[nodiscard]] inline int lastOfAll() const { return greatestLane(last); }

  /// Lanes that are not past the image and not opaque yet.
  [[nodiscard]] inline Mask running(int k, Float opacity) const {
    return both(lessEqual(splat(k), last), less(opacity, splat(opaqueEnough)));
  }
  [[nodiscard]] inline Mask live(int k, Float opacity) const {
    return both(running(k, opacity), lessEqual(first, splat(k)));
  }

  /// How many steps from k on can show nothing in any lane; 0 if the next one may. The segment before step k belongs to
  /// k, so the look is at step k - 1 and a jump of n leaves the segment that ends at k + n to be drawn.
  [[nodiscard]] inline int emptySteps(int k, Float opacity, RayCounts& counts) const {
    const Mask active = running(k, opacity);
    const Point p = at(splat(static_cast<float>(k - 1)));
    const Cell cell = extent.cellAt(p);
    const Int bx = least(cell.x >> 3, brickMost[0]);
    const Int by = least(cell.y >> 3, brickMost[1]);
    const Int bz = least(cell.z >> 3, brickMost[2]);
    const Int brick = (bz * layer->bricks[1] + by) * layer->bricks[0] + bx;
    const Int distance = gatherEntries(layer->distance, brick);
    // A lane that enters later is free until then.
    const Int waiting = first - k;
    const Mask entered = both(active, less(waiting, splat(1)));
    if (any(both(entered, equal(distance, splat(0))))) return 0;
    // A ray may begin inside a surface, where nothing else shows it.
    if (layer->kind != RayKind::medium && any(both(active, equal(waiting, splat(0))))) return 0;
    Float free = splat(1e6F);
    freeAlong(0, p.x, bx - distance, bx + distance, brickEdge, free);
    freeAlong(1, p.y, by - distance, by + distance, brickEdge, free);
    freeAlong(2, p.z, bz - distance, bz + distance, brickEdge, free);
    const Int steps = select(less(waiting, splat(1)), toInt(free), waiting);
    const int jump = leastLane(select(active, steps, splat(1 << 20)));
    counts.skipped +=
        static_cast<std::uint64_t>(jump < 1 << 20 ? jump : 0) * static_cast<std::uint64_t>(countOf(entered));
    return jump;
  }

  /// Steps until a lane leaves the blocks between `low` and `high` (both exclusive, and its own) of `edge` voxels.
  inline void freeAlong(int a, Float p, Int low, Int high, int edge, Float& free) const {
    const double along = layer->step[a];
    if (magnitude(along) < leastStep) return;
    const Int face = along > 0 ? high * edge : (low + 1) * edge;
    // Half a voxel outside the image belongs to its outermost bricks.
    free = least(free, greatest((toFloat(face) - p) * inverse[a], none()));
  }

 private:
  [[nodiscard]] inline double cornerAt(int a, int x, int y) const {
    return layer->origin[a] + layer->right[a] * (x + 0.5) + layer->down[a] * (y + 0.5);
  }

  inline void clipAxis(int a, Mask& hit) {
    const Float low = splat(-0.5F) - origin[a];
    const Float high = extent.last[a] + splat(0.5F) - origin[a];
    if (magnitude(layer->step[a]) < leastStep) {
      hit = both(hit, both(lessEqual(low, none()), lessEqual(none(), high)));
      return;
    }
    const Float t0 = low * inverse[a];
    const Float t1 = high * inverse[a];
    enterAt = greatest(enterAt, least(t0, t1));
    leaveAt = least(leaveAt, greatest(t0, t1));
  }
};

}  // namespace nora::kernel::NORA_ISA
