// Volume views by parallel rays: a packet of rays marches in step through every image, and what the images show is put
// together front to back. Blocks of bricks that cannot be seen are jumped over; the picture is the same with and
// without.
#pragma once

#include "render/kernel/ray_fragments.hpp"
#include "render/kernel/ray_medium.hpp"
#include "render/kernel/ray_projection.hpp"
#include "render/kernel/ray_surface.hpp"

namespace nora::kernel::NORA_ISA {

/// Steps between two looks at the bricks: half a brick.
constexpr int stepsBetweenLooks = 4;

/// The types that a ray plan may hold; the renderer converts others.
template <class Visitor>
inline void visitRayVoxels(const Grid& grid, Visitor&& visitor) {
  const auto sized = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (alwaysBig) {
      visitor(Voxels<T, true>(grid));
    } else {
      if (grid.big) return visitor(Voxels<T, true>(grid));
      visitor(Voxels<T, false>(grid));
    }
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

/// Calls `visitor(tracer)` with what draws the layer.
template <class Visitor>
inline void visitTracer(RayVolume& volume, RayCounts& counts, Visitor&& visitor) {
  const RayLayer& layer = *volume.layer;
  if (layer.kind == RayKind::labels) {
    visitVoxels(layer.grid, [&](const auto& voxels) {
      LabelTracer tracer(volume, voxels, counts);
      visitor(tracer);
    });
    return;
  }
  visitRayVoxels(layer.grid, [&](const auto& voxels) {
    if (layer.kind == RayKind::surface) {
      SurfaceTracer tracer(volume, voxels, counts);
      visitor(tracer);
    } else {
      MediumTracer tracer(volume, voxels, counts);
      visitor(tracer);
    }
  });
}

/// A medium alone, from front to back: the short way. `between`: what lies in it; may be null.
template <class V>
inline void marchMedium(MediumTracer<V> tracer, RayVolume& volume, PacketFragments* between, Ray& ray,
                        RayCounts& counts) {
  const int end = volume.lastOfAll();
  int k = volume.firstOfAll();
  bool havePrevious = false;
  while (k <= end) {
    if (volume.layer->distance) {
      const int jump = volume.emptySteps(k, ray.opacity, counts);
      if (jump > 0) {
        k += jump;
        havePrevious = false;
        continue;
      }
    }
    if (!havePrevious) tracer.begin(k);
    const int stop = k + stepsBetweenLooks < end + 1 ? k + stepsBetweenLooks : end + 1;
    for (; k < stop; ++k) {
      const Float start = splat(static_cast<float>(k - 1));
      if (between) between->addUntil(start, ray);
      Contribution c;
      if (!tracer.step(k, ray.opacity, c)) continue;
      if (between) between->addUntil(select(less(none(), c.alpha), c.at, start), ray);
      addBehind(ray, c);
    }
    havePrevious = true;
    if (!any(volume.running(k, ray.opacity))) return;
  }
}
inline void marchMedium(RayVolume& volume, PacketFragments* between, Ray& ray, RayCounts& counts) {
  visitRayVoxels(volume.layer->grid, [&](const auto& voxels) {
    marchMedium(MediumTracer(volume, voxels, counts), volume, between, ray, counts);
  });
}

/// Several layers, each with its own image, in the order of depth.
class CrossingVolumes {
 public:
  inline CrossingVolumes(RayVolume* volumes, int count, PacketFragments* between, RayCounts& counts)
      : volumes_(volumes), count_(count), between_(between), counts_(counts) {}

  inline void march(Ray& ray) {
    int k = 1 << 30;
    int end = -1;
    for (int v = 0; v < count_; ++v) {
      if (!any(lessEqual(volumes_[v].first, volumes_[v].last))) continue;
      const int first = volumes_[v].firstOfAll();
      const int last = volumes_[v].lastOfAll();
      k = first < k ? first : k;
      end = last > end ? last : end;
    }
    while (k <= end && any(less(ray.opacity, splat(opaqueEnough)))) {
      int jump = 1 << 20;
      for (int v = 0; v < count_; ++v) {
        empty_[v] = emptyOf(volumes_[v], k, ray.opacity);
        jump = empty_[v] < jump ? empty_[v] : jump;
      }
      if (jump > 0) {
        for (int v = 0; v < count_; ++v) volumes_[v].havePrevious = false;
        k += jump;
        continue;
      }
      const int stop = k + stepsBetweenLooks < end + 1 ? k + stepsBetweenLooks : end + 1;
      for (int v = 0; v < count_; ++v) trace(v, k, stop, ray.opacity);
      for (int s = 0; s < stop - k; ++s) {
        if (between_) between_->addUntil(splat(static_cast<float>(k + s - 1)), ray);
        compose(s, ray);
      }
      k = stop;
    }
  }

 private:
  [[nodiscard]] inline int emptyOf(RayVolume& volume, int k, Float opacity) {
    constexpr int forEver = 1 << 20;
    if (!any(volume.running(k, opacity))) return forEver;
    if (volume.layer->distance) return volume.emptySteps(k, opacity, counts_);
    const int first = volume.firstOfAll();
    return first > k ? first - k : 0;
  }

  inline void trace(int v, int k, int stop, Float opacity) {
    RayVolume& volume = volumes_[v];
    for (int s = 0; s < stop - k; ++s) there_[v][s] = false;
    if (empty_[v] >= stop - k) {
      volume.havePrevious = false;
      return;
    }
    visitTracer(volume, counts_, [&](auto& tracer) {
      if (!volume.havePrevious) tracer.begin(k);
      for (int s = 0; s < stop - k; ++s) there_[v][s] = tracer.step(k + s, opacity, parts_[v][s]);
    });
    volume.havePrevious = true;
  }

  /// Adds what the layers show in one step, the nearest first; at the same depth the first layer.
  inline void compose(int s, Ray& ray) const {
    const auto add = [&](const Contribution& part) {
      if (between_) between_->addUntil(select(less(none(), part.alpha), part.at, splat(-3e38F)), ray);
      addBehind(ray, part);
    };
    int parts[mostRayLayers];
    int number = 0;
    for (int v = 0; v < count_; ++v) {
      if (there_[v][s]) parts[number++] = v;
    }
    if (number == 1) add(parts_[parts[0]][s]);
    if (number < 2) return;
    Float done = splat(-3e38F);
    Int doneLayer = splat(-1);
    for (int round = 0; round < number; ++round) {
      Contribution next{splat(3e38F), none(), none(), none(), none()};
      Int nextLayer = splat(mostRayLayers);
      for (int i = 0; i < number; ++i) choose(parts_[parts[i]][s], parts[i], done, doneLayer, next, nextLayer);
      add(next);
      done = next.at;
      doneLayer = nextLayer;
    }
  }

  /// Takes `part` if it comes after what is done and before `next`.
  inline static void choose(const Contribution& part, int layer, Float done, Int doneLayer, Contribution& next,
                            Int& nextLayer) {
    const Mask same = both(lessEqual(part.at, done), lessEqual(done, part.at));
    const Mask after = either(less(done, part.at), both(same, less(doneLayer, splat(layer))));
    const Mask seen = less(none(), part.alpha);
    const Mask nearer = both(both(seen, after), less(part.at, next.at));
    next.at = select(nearer, part.at, next.at);
    next.alpha = select(nearer, part.alpha, next.alpha);
    next.red = select(nearer, part.red, next.red);
    next.green = select(nearer, part.green, next.green);
    next.blue = select(nearer, part.blue, next.blue);
    nextLayer = select(nearer, splat(layer), nextLayer);
  }

  RayVolume* volumes_;
  int count_;
  PacketFragments* between_;
  RayCounts& counts_;
  int empty_[mostRayLayers];
  bool there_[mostRayLayers][stepsBetweenLooks];
  Contribution parts_[mostRayLayers][stepsBetweenLooks];
};

inline Float sliceLight(const Packet& packet, int channel) {
  return select(packet.onSlice, light(packet.slice, channel), none());
}

/// Draws the layers of one packet after another, each over those before it.
template <RayUse use>
inline void project(const RayPlan& plan, RayVolume* volumes, const bool* hit, const Packet& packet, Ray& ray,
                    RayCounts& counts) {
  ray = {sliceLight(packet, 0), sliceLight(packet, 1), sliceLight(packet, 2), none()};
  for (int l = 0; l < plan.layerCount; ++l) {
    RayVolume& volume = volumes[l];
    if (!hit[l]) continue;
    if (use == RayUse::projections || volume.layer->kind == RayKind::projection) {
      visitRayVoxels(volume.layer->grid, [&](const auto& voxels) {
        Projector projector(plan.mode, volume, voxels, counts);
        drawOver(ray, volume.layer->look, projector.value(), packet.onSlice);
      });
      continue;
    }
    if constexpr (use == RayUse::everything) {
      Ray own{};
      CrossingVolumes(&volume, 1, nullptr, counts).march(own);
      addBehind(own, {none(), splat(1.0F), ray.red, ray.green, ray.blue});
      ray = own;
    }
  }
}

inline bool isProjection(RayMode mode) {
  return mode == RayMode::maximum || mode == RayMode::minimum || mode == RayMode::mean;
}

/// Places the packet and lets it meet the images; returns how many it meets, and the last of them in `only`.
inline int enterAll(const RayPlan& plan, const Tile& tile, RayVolume* volumes, bool* hit, Packet& packet,
                    PacketFragments* fragments, int& only) {
  double base = 0;
  bool found = false;
  for (int l = 0; l < plan.layerCount; ++l) {
    double own = 0;
    hit[l] = volumes[l].baseOf(packet.x, packet.y, own);
    if (hit[l] && (!found || own < base)) base = own;
    found = found || hit[l];
  }
  packet.base = base;
  begin(plan, tile, packet);
  if (fragments) {
    fragments->begin(plan, packet, tile);
    if (!isProjection(plan.mode)) fragments->endRays(packet);
  }
  int entered = 0;
  for (int l = 0; l < plan.layerCount; ++l) {
    hit[l] = hit[l] && volumes[l].enter(packet);
    if (!hit[l]) volumes[l].last = splat(-1);
    if (!hit[l]) volumes[l].first = splat(0);
    entered += hit[l] ? 1 : 0;
    only = hit[l] ? l : only;
  }
  return entered;
}

/// Every layer, mode and slice that `use` covers.
template <RayUse use>
inline void drawPacket(const RayPlan& plan, const Tile& tile, RayVolume* volumes, Packet& packet, RayCounts& counts) {
  bool hit[mostRayLayers];
  int only = 0;
  PacketFragments fragments;
  PacketFragments* between = use == RayUse::everything && plan.geometry.first != nullptr ? &fragments : nullptr;
  const int entered = enterAll(plan, tile, volumes, hit, packet, between, only);
  Ray ray{};
  if (use == RayUse::projections || (use == RayUse::everything && isProjection(plan.mode))) {
    project<use>(plan, volumes, hit, packet, ray, counts);
    // A projection has no depth: all geometry that no slice hides lies over it.
    if (between) {
      Ray over{};
      between->addUntil(packet.sliceAt, over);
      addBehind(over, {none(), splat(1.0F), ray.red, ray.green, ray.blue});
      ray = over;
    }
  } else {
    if constexpr (use == RayUse::mediumAlone) {
      if (entered > 0) marchMedium(volumes[0], nullptr, ray, counts);
    } else if (entered == 1 && volumes[only].layer->kind == RayKind::medium) {
      marchMedium(volumes[only], between, ray, counts);
    } else if (entered > 0) {
      CrossingVolumes(volumes, plan.layerCount, between, counts).march(ray);
    }
    if (between) between->addUntil(packet.sliceAt, ray);
    if (plan.alpha == RayAlpha::opaque)
      addBehind(ray, {none(), splat(1.0F), sliceLight(packet, 0), sliceLight(packet, 1), sliceLight(packet, 2)});
  }
  write(plan, ray, packet, tile);
}

/// All but the slices' own pictures, which must be there.
template <RayUse use>
inline RayCounts drawRaysOverSlices(const RayPlan& plan, const Tile& tile) {
  RayCounts counts;
  RayVolume volumes[use == RayUse::mediumAlone ? 1 : mostRayLayers];
  for (int l = 0; l < plan.layerCount; ++l) volumes[l].show(plan.layers[l]);
  Packet packet;
  for (packet.y = tile.y0; packet.y < tile.y1; packet.y += packetHeight) {
    for (packet.x = tile.x0; packet.x < tile.x1; packet.x += packetWidth) {
      drawPacket<use>(plan, tile, volumes, packet, counts);
    }
  }
  return counts;
}

inline RayCounts drawRays(const RayPlan& plan, const Tile& tile) {
  std::uint64_t samples = 0;
  for (int s = 0; s < plan.sliceCount; ++s) {
    const SlicePlan& picture = plan.slices[s].picture;
    if (picture.layerCount > 0) samples += drawSlices(picture, tile);
  }
  RayCounts counts = drawRaysOverSlices<RayUse::everything>(plan, tile);
  counts.samples += samples;
  return counts;
}

}  // namespace nora::kernel::NORA_ISA
