// A packet of rays: as many neighbouring pixels as there are lanes, in a small square. Depths along rays are counted in
// steps from the packet's base, which all layers share.
#pragma once

#include "render/kernel/sampling.hpp"

namespace nora::kernel::NORA_ISA {

constexpr int packetWidth = lanes >= 8 ? 4 : (lanes == 4 ? 2 : 1);
constexpr int packetHeight = lanes / packetWidth;

/// Rays that would take more are not drawn: the renderer chooses its steps so that none does.
constexpr double maxSteps = 1 << 19;
constexpr float opaqueEnough = 0.99F;

/// What the lanes of one packet have gathered so far.
struct Ray {
  Float red, green, blue;  // 0..255, times opacity
  Float opacity;
};

/// What one step of one layer adds to a ray.
struct Contribution {
  Float at;                // depth
  Float alpha;             // 0: nothing
  Float red, green, blue;  // times alpha
};

inline Float light(Int colour, int channel) {
  return toFloat(shiftRightUnsigned(colour, channel * 8) & 0xff);
}

inline Float none() {
  return splat(0.0F);
}

inline double magnitude(double v) {
  return v < 0 ? -v : v;
}

/// Adds what lies behind everything gathered so far.
inline void addBehind(Ray& ray, const Contribution& c) {
  const Float clear = splat(1.0F) - ray.opacity;
  ray.red = ray.red + clear * c.red;
  ray.green = ray.green + clear * c.green;
  ray.blue = ray.blue + clear * c.blue;
  ray.opacity = ray.opacity + clear * c.alpha;
}

/// The part of the rays that may be drawn: in front of the nearest slice and not cut away.
struct Packet {
  int x = 0;
  int y = 0;
  double base = 0;  // a whole number of steps from the picture plane: all packets share one set of sample planes
  Float column, row;
  Float enterAt, leaveAt;
  Float sliceAt;  // depth of the nearest slice; 3e38: none
  Mask onSlice;
  Int slice;  // its colour
};

/// Where a plane lies on each ray. `steep`: false if the rays run along it; then `depth` is its distance.
inline Float planeAt(const RayCut& plane, const Packet& packet, bool& steep) {
  constexpr double leastSlope = 1e-6;
  const double corner = plane.at + plane.right * (packet.x + 0.5) + plane.down * (packet.y + 0.5);
  steep = magnitude(plane.perStep) > leastSlope;
  const double unit = steep ? -1 / plane.perStep : 1;
  return splat(static_cast<float>((corner + plane.perStep * packet.base) * unit)) +
         splat(static_cast<float>(plane.right * unit)) * packet.column +
         splat(static_cast<float>(plane.down * unit)) * packet.row;
}

inline void cutAway(const RayPlan& plan, Packet& packet) {
  for (int c = 0; c < plan.cutCount; ++c) {
    bool steep = false;
    const Float depth = planeAt(plan.cuts[c], packet, steep);
    if (!steep) {
      packet.leaveAt = select(lessEqual(depth, none()), packet.leaveAt, splat(-1.0F));
    } else if (plan.cuts[c].perStep > 0) {
      packet.leaveAt = least(packet.leaveAt, depth);
    } else {
      packet.enterAt = greatest(packet.enterAt, depth);
    }
  }
}

/// Which lanes meet the slice inside the background.
inline Mask onBackground(const RaySlice& slice, const Packet& packet) {
  Mask inside = lessEqual(none(), none());
  for (int a = 0; a < 3; ++a) {
    const double corner = slice.origin[a] + slice.right[a] * (packet.x + 0.5) + slice.down[a] * (packet.y + 0.5);
    const Float p = splat(static_cast<float>(corner)) + splat(static_cast<float>(slice.right[a])) * packet.column +
                    splat(static_cast<float>(slice.down[a])) * packet.row;
    const Float high = splat(static_cast<float>(slice.dims[a]) - 0.5F);
    inside = both(inside, both(lessEqual(splat(-0.5F), p), lessEqual(p, high)));
  }
  return inside;
}

/// The colours of a packet in a picture; lanes beyond the tile get those of its last column or row.
inline Int pixelsOf(const SlicePlan& picture, const Packet& packet, const Tile& tile) {
  Int out{};
  for (int i = 0; i < lanes; ++i) {
    const int column = packet.x + i % packetWidth;
    const int row = packet.y + i / packetWidth;
    const int x = column < tile.x1 ? column : tile.x1 - 1;
    const int y = row < tile.y1 ? row : tile.y1 - 1;
    std::int32_t colour;
    const auto pixel = static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width);
    __builtin_memcpy(&colour, picture.rgba + (pixel + static_cast<std::size_t>(x)) * 4, sizeof colour);
    setLane(out, i, colour);
  }
  return out;
}

/// The nearest slice of each ray ends it. After the cuts, which it must not touch: a slice in the plane of a cut shows.
inline void findSlices(const RayPlan& plan, const Tile& tile, Packet& packet) {
  constexpr float spare = 0.02F;
  const Float enterAt = packet.enterAt - splat(spare);
  const Float leaveAt = packet.leaveAt + splat(spare);
  Float nearest = splat(3e38F);
  for (int s = 0; s < plan.sliceCount; ++s) {
    bool steep = false;
    const Float depth = planeAt(plan.slices[s].plane, packet, steep);
    if (!steep) continue;
    Mask seen = both(onBackground(plan.slices[s], packet), less(depth, nearest));
    seen = both(seen, both(lessEqual(enterAt, depth), lessEqual(depth, leaveAt)));
    if (!any(seen)) continue;
    nearest = select(seen, depth, nearest);
    packet.slice = select(seen, pixelsOf(plan.slices[s].picture, packet, tile), packet.slice);
    packet.onSlice = either(packet.onSlice, seen);
  }
  packet.sliceAt = nearest;
  packet.leaveAt = least(packet.leaveAt, nearest);
}

/// Places a packet. `base` is set.
inline void begin(const RayPlan& plan, const Tile& tile, Packet& packet) {
  const Int number = laneNumbers();
  packet.column = toFloat(number & (packetWidth - 1));
  packet.row = toFloat(number / packetWidth);
  packet.enterAt = splat(-3e38F);
  packet.leaveAt = splat(3e38F);
  packet.sliceAt = splat(3e38F);
  packet.onSlice = less(none(), none());
  packet.slice = splat(0);
  if (plan.cutCount > 0) cutAway(plan, packet);
  if (plan.sliceCount > 0) findSlices(plan, tile, packet);
}

inline void write(const RayPlan& plan, const Ray& ray, const Packet& packet, const Tile& tile) {
  const Float half = splat(0.5F);
  const Float most = splat(255.0F);
  const Int red = toInt(clampTo(ray.red, none(), most) + half);
  const Int green = toInt(clampTo(ray.green, none(), most) + half);
  const Int blue = toInt(clampTo(ray.blue, none(), most) + half);
  Int alpha = splat(255);
  if (plan.alpha == RayAlpha::opacity) alpha = toInt(clampTo(ray.opacity * most, none(), most) + half);
  alignas(64) std::uint32_t pixels[lanes];
  store(pixels, red | shiftLeft(green, 8) | shiftLeft(blue, 16) | shiftLeft(alpha, 24));
  const int columns = tile.x1 - packet.x < packetWidth ? tile.x1 - packet.x : packetWidth;
  for (int row = 0; row < packetHeight && packet.y + row < tile.y1; ++row) {
    const auto pixel = static_cast<std::size_t>(packet.y + row) * static_cast<std::size_t>(plan.width) +
                       static_cast<std::size_t>(packet.x);
    storePixels(plan.rgba + pixel * 4, pixels + row * packetWidth, columns);
  }
}

}  // namespace nora::kernel::NORA_ISA
