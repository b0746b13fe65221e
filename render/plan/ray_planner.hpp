// Turns a volume view into what the ray kernels draw.
#pragma once

#include "render/plan/prepared_volume.hpp"
#include "render/plan/segment_table.hpp"
#include "render/renderer.hpp"

#include <optional>

namespace nora {

/// Keeps its memory, bricks and tables from picture to picture. One thread at a time.
class RayPlanner {
 public:
  /// Empty if there is nothing to show. Tables stay valid until the next call and while the request's volumes live.
  [[nodiscard]] std::optional<kernel::RayPlan> plan(const RenderRequest& request, const View& view,
                                                    const ViewGeometry& geometry, const kernel::Kernels& kernels,
                                                    Frame& frame);

 private:
  void planShading(const Volume& volume, const ViewGeometry& geometry, double spacing);

  PreparedVolumes prepared_;
  TransferFunction transfer_;
  SegmentTable segments_;
  kernel::RayPlan rays_;
};

}  // namespace nora
