// Runs the geometry kernels over a plan: what of surfaces and streamlines each pixel shows, sorted by depth.
#pragma once

#include "base/error.hpp"
#include "render/kernel/geometry_kernels.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace nora {

/// On the processor, whatever draws the volumes: they get the finished fragments. Keeps its memory from picture to
/// picture. One thread at a time; uses all cores inside.
class GeometryDrawer {
 public:
  /// `fine`: edges are smoothed by four samples a pixel, where the picture is not too large for that. The result is
  /// valid until the next call, and not complete if `stop` was requested. Errors: limitExceeded (a picture too large to
  /// be drawn with geometry).
  [[nodiscard]] Result<kernel::RayGeometry> draw(const kernel::GeometryPlan& plan, bool fine, std::stop_token stop);

  /// Only what is nearest in each pixel, whether it lets light through or not: depth and number (kernel::Visibility),
  /// width * height of them.
  [[nodiscard]] const std::uint64_t* numbers(const kernel::GeometryPlan& plan);

  /// Blends what was drawn over a picture of the same size.
  void blend(std::uint8_t* rgba) const;

 private:
  void drawNearest();
  [[nodiscard]] bool list();
  void listAll(bool fill);
  [[nodiscard]] bool isListed(float opacity) const { return opacity < 1 && !flat_; }

  kernel::GeometryPlan plan_;
  std::vector<std::uint64_t> nearest_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint64_t> entries_;
  std::stop_token stop_;
  bool flat_ = false;  // of what lets light through only the nearest is shown
};

}  // namespace nora
