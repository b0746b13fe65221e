// Fragments of surfaces and streamlines between what volumes show: added to rays in the order of depth.
#pragma once

#include "render/kernel/ray_packet.hpp"

namespace nora::kernel::NORA_ISA {

class PacketFragments {
 public:
  inline void begin(const RayPlan& plan, const Packet& packet, const Tile& tile) {
    plan_ = &plan;
    base_ = packet.base;
    next_ = splat(nothing);
    for (int i = 0; i < lanes; ++i) {
      const int x = packet.x + i % packetWidth;
      const int y = packet.y + i / packetWidth;
      at_[i] = end_[i] = 0;
      if (x >= tile.x1 || y >= tile.y1) continue;
      const auto pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(plan.width) + static_cast<std::size_t>(x);
      at_[i] = plan.geometry.first[pixel];
      end_[i] = at_[i] + plan.geometry.counts[pixel];
      look(i);
    }
  }

  /// Rays end at what is opaque.
  inline void endRays(Packet& packet) const {
    for (int i = 0; i < lanes; ++i) {
      if (at_[i] == end_[i]) continue;
      const Fragment& last = plan_->geometry.fragments[end_[i] - 1];
      const float depth = depthOf(last);
      if (last.rgba >> 24 == 255 && depth < lane(packet.leaveAt, i)) setLane(packet.leaveAt, i, depth);
    }
  }

  /// Adds to each ray what lies before `limit`.
  inline void addUntil(Float limit, Ray& ray) {
    while (any(less(next_, limit))) {
      Contribution c{next_, none(), none(), none(), none()};
      for (int i = 0; i < lanes; ++i) {
        if (!(lane(next_, i) < lane(limit, i))) continue;
        const std::uint32_t rgba = plan_->geometry.fragments[at_[i]].rgba;
        const float alpha = static_cast<float>(rgba >> 24) * (1.0F / 255);
        setLane(c.alpha, i, alpha);
        setLane(c.red, i, alpha * static_cast<float>(rgba & 0xff));
        setLane(c.green, i, alpha * static_cast<float>(rgba >> 8 & 0xff));
        setLane(c.blue, i, alpha * static_cast<float>(rgba >> 16 & 0xff));
        ++at_[i];
        look(i);
      }
      addBehind(ray, c);
    }
  }

 private:
  static constexpr float nothing = 3e38F;

  [[nodiscard]] inline float depthOf(const Fragment& fragment) const {
    return static_cast<float>(static_cast<double>(fragment.depth) * plan_->geometry.stepsPerMm - base_);
  }
  inline void look(int i) {
    setLane(next_, i, at_[i] < end_[i] ? depthOf(plan_->geometry.fragments[at_[i]]) : nothing);
  }

  const RayPlan* plan_ = nullptr;
  double base_ = 0;
  Float next_;
  std::uint32_t at_[lanes];
  std::uint32_t end_[lanes];
};

}  // namespace nora::kernel::NORA_ISA
