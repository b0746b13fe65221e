#include "render/plan/picture_planner.hpp"

#include "render/plan/shown_layers.hpp"

namespace nora {
namespace {

/// In pixels of the picture, whose edges are those of the view, whatever the rounding of its sides.
Result<ViewGeometry> geometryOf(const RenderRequest& request, const View& view) {
  const int across = request.viewWidth > 0 ? request.viewWidth : request.width;
  const int along = request.viewHeight > 0 ? request.viewHeight : request.height;
  auto out =
      viewGeometry(*request.scene, view, boundsOf(*request.scene, *request.volumes, request.shapes), across, along);
  if (!out) return out;
  if (request.width < 1 || request.height < 1 || request.width > across || request.height > along) {
    return fail(ErrorCode::invalidInput, "a picture has at least one pixel and at most those of its view", view.name);
  }
  out->rightMm = out->rightMm * (static_cast<double>(across) / request.width);
  out->downMm = out->downMm * (static_cast<double>(along) / request.height);
  return out;
}

}  // namespace

Result<PicturePlan> PicturePlanner::plan(const RenderRequest& request, const kernel::Kernels& kernels, Frame& frame) {
  if (!request.scene || !request.volumes) return fail(ErrorCode::internal, "a request without a scene or volumes");
  if (!(request.stepScale > 0)) return fail(ErrorCode::invalidInput, "the ray step must be positive", request.view);
  const View* view = findView(*request.scene, request.view);
  if (!view) return fail(ErrorCode::notFound, "the scene has no such view", request.view);
  if (request.stop.stop_requested()) return stoppedPicture(request.view);
  const auto geometry = geometryOf(request, *view);
  if (!geometry) return tl::make_unexpected(geometry.error());
  const auto fragments = drawGeometry(request, *view, *geometry);
  if (!fragments) return tl::make_unexpected(fragments.error());
  if (request.stop.stop_requested()) return stoppedPicture(request.view);

  frame.resize(request.width, request.height);
  frame.geometry = *geometry;
  PicturePlan out;
  out.slices = {frame.width, frame.height, nullptr, 0, frame.rgba.data()};
  overSlice_ = view->kind == ViewKind::slice && fragments->first;
  if (view->kind == ViewKind::volume) {
    kernel::RayPlan rays = rayPlanner_.plan(request, *view, *geometry, kernels, frame);
    const double stepsPerMm = rays.geometry.stepsPerMm;
    rays.geometry = *fragments;
    rays.geometry.stepsPerMm = stepsPerMm;
    if (rays.layerCount > 0 || rays.sliceCount > 0 || rays.geometry.first) out.rays = rays;
  } else {
    out.slices = slicePlanner_.plan(request, *view, *geometry, frame);
  }
  return out;
}

Result<kernel::RayGeometry> PicturePlanner::drawGeometry(const RenderRequest& request, const View& view,
                                                         const ViewGeometry& geometry) {
  using Clock = std::chrono::steady_clock;
  const auto started = Clock::now();
  const auto plan = geometryPlanner_.plan(request, view, geometry);
  if (!plan) return tl::make_unexpected(plan.error());
  kernel::RayGeometry none;
  geometryTime_ = {};
  if (!*plan) return none;
  auto drawn = geometryDrawer_.draw(**plan, !request.preview && request.stepScale <= 1, request.stop);
  geometryTime_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
  return drawn;
}

void PicturePlanner::finish(Frame& frame) {
  if (overSlice_) geometryDrawer_.blend(frame.rgba.data());
}

}  // namespace nora
