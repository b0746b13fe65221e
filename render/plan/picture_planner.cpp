#include "render/plan/picture_planner.hpp"

#include "render/plan/shown_layers.hpp"

namespace nora {

Result<PicturePlan> PicturePlanner::plan(const RenderRequest& request, const kernel::Kernels& kernels, Frame& frame) {
  if (!request.scene || !request.volumes) return fail(ErrorCode::internal, "a request without a scene or volumes");
  if (!(request.stepScale > 0)) return fail(ErrorCode::invalidInput, "the ray step must be positive", request.view);
  const View* view = findView(*request.scene, request.view);
  if (!view) return fail(ErrorCode::notFound, "the scene has no such view", request.view);
  const auto geometry = viewGeometry(*request.scene, *view, backgroundOf(*request.scene, *request.volumes),
                                     request.width, request.height);
  if (!geometry) return tl::make_unexpected(geometry.error());

  frame.resize(request.width, request.height);
  frame.geometry = *geometry;
  PicturePlan out;
  out.slices = {frame.width, frame.height, nullptr, 0, frame.rgba.data()};
  if (view->kind == ViewKind::volume) {
    out.rays = rayPlanner_.plan(request, *view, *geometry, kernels, frame);
  } else {
    out.slices = slicePlanner_.plan(request, *view, *geometry, frame);
  }
  return out;
}

}  // namespace nora
