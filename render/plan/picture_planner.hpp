// Turns a request into what the kernels draw, whichever backend runs them.
#pragma once

#include "render/geometry/geometry_drawer.hpp"
#include "render/geometry/geometry_planner.hpp"
#include "render/plan/ray_planner.hpp"
#include "render/plan/slice_planner.hpp"
#include "render/renderer.hpp"

#include <optional>

namespace nora {

struct PicturePlan {
  std::optional<kernel::RayPlan> rays;
  kernel::SlicePlan slices;  // if there are no rays; without layers: a black picture
};

/// The Error of a request that was stopped.
[[nodiscard]] inline tl::unexpected<Error> stoppedPicture(const std::string& view) {
  return fail(ErrorCode::cancelled, "the picture was stopped for a newer one", view);
}

/// Surfaces and streamlines are drawn while planning: volume views get them as fragments, slices in finish().
/// Keeps its memory from picture to picture. One thread at a time.
class PicturePlanner {
 public:
  /// Sizes `frame` and sets its geometry; the plan draws into it, and is valid until the next call and while the
  /// request's volumes live. Errors: invalidInput or limitExceeded for a size or step that cannot be drawn; notFound
  /// for a view that the scene does not have; cancelled.
  [[nodiscard]] Result<PicturePlan> plan(const RenderRequest& request, const kernel::Kernels& kernels, Frame& frame);

  /// To be called when the plan was drawn.
  void finish(Frame& frame);

  /// What planning and drawing surfaces and streamlines took.
  [[nodiscard]] std::chrono::microseconds geometryTime() const { return geometryTime_; }

 private:
  [[nodiscard]] Result<kernel::RayGeometry> drawGeometry(const RenderRequest& request, const View& view,
                                                         const ViewGeometry& geometry);

  SlicePlanner slicePlanner_;
  RayPlanner rayPlanner_;
  GeometryPlanner geometryPlanner_;
  GeometryDrawer geometryDrawer_;
  bool overSlice_ = false;
  std::chrono::microseconds geometryTime_{};
};

}  // namespace nora
