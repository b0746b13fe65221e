// The renderer on the CPU: has the kernels of the best instruction set draw a plan tile by tile.
#include "render/cpu/kernel_sets.hpp"
#include "render/plan/ray_planner.hpp"
#include "render/plan/shown_layers.hpp"
#include "render/plan/slice_planner.hpp"
#include "render/renderer.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include <tbb/parallel_for.h>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int sliceTileRows = 16;
constexpr int rayTileEdge = 32;

class CpuRenderer final : public Renderer {
 public:
  explicit CpuRenderer(const kernel::Kernels& kernels) : kernels_(kernels) {}

  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override;
  std::string name() const override { return std::string("cpu (") + kernels_.name + ")"; }

 private:
  std::uint64_t drawSlices(const kernel::SlicePlan& plan) const;
  kernel::RayCounts drawRays(const kernel::RayPlan& plan) const;

  const kernel::Kernels& kernels_;
  SlicePlanner slicePlanner_;
  RayPlanner rayPlanner_;
};

std::uint64_t CpuRenderer::drawSlices(const kernel::SlicePlan& plan) const {
  std::atomic<std::uint64_t> samples{0};
  const int tiles = (plan.height + sliceTileRows - 1) / sliceTileRows;
  tbb::parallel_for(0, tiles, [&](int t) {
    const int y0 = t * sliceTileRows;
    const kernel::Tile tile{0, y0, plan.width, std::min(y0 + sliceTileRows, plan.height)};
    samples.fetch_add(kernels_.drawSlices(plan, tile), std::memory_order_relaxed);
  });
  return samples;
}

kernel::RayCounts CpuRenderer::drawRays(const kernel::RayPlan& plan) const {
  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::uint64_t> skipped{0};
  const int columns = (plan.width + rayTileEdge - 1) / rayTileEdge;
  const int rows = (plan.height + rayTileEdge - 1) / rayTileEdge;
  tbb::parallel_for(0, columns * rows, [&](int t) {
    const int x0 = t % columns * rayTileEdge;
    const int y0 = t / columns * rayTileEdge;
    const kernel::Tile tile{x0, y0, std::min(x0 + rayTileEdge, plan.width), std::min(y0 + rayTileEdge, plan.height)};
    const kernel::RayCounts counts = kernels_.drawRays(plan, tile);
    samples.fetch_add(counts.samples, std::memory_order_relaxed);
    skipped.fetch_add(counts.skipped, std::memory_order_relaxed);
  });
  return {samples, skipped};
}

Result<RenderStatistics> CpuRenderer::render(const RenderRequest& request, Frame& frame) {
  if (!request.scene || !request.volumes) return fail(ErrorCode::internal, "a request without a scene or volumes");
  if (!(request.stepScale > 0)) return fail(ErrorCode::invalidInput, "the ray step must be positive", request.view);
  const View* view = findView(*request.scene, request.view);
  if (!view) return fail(ErrorCode::notFound, "the scene has no such view", request.view);
  const auto geometry = viewGeometry(*request.scene, *view, backgroundOf(*request.scene, *request.volumes),
                                     request.width, request.height);
  if (!geometry) return tl::make_unexpected(geometry.error());

  const auto started = Clock::now();
  frame.resize(request.width, request.height);
  frame.geometry = *geometry;
  const bool isVolume = view->kind == ViewKind::volume;
  std::optional<kernel::RayPlan> rays;
  kernel::SlicePlan slices{frame.width, frame.height, nullptr, 0, frame.rgba.data()};  // no layers: a black picture
  if (isVolume) {
    rays = rayPlanner_.plan(request, *view, *geometry, kernels_, frame);
  } else {
    slices = slicePlanner_.plan(request, *view, *geometry, frame);
  }
  const auto planned = Clock::now();
  RenderStatistics statistics;
  if (rays) {
    const kernel::RayCounts counts = drawRays(*rays);
    statistics.samples = counts.samples;
    statistics.skipped = counts.skipped;
  } else {
    statistics.samples = drawSlices(slices);
  }
  statistics.prepare = std::chrono::duration_cast<std::chrono::microseconds>(planned - started);
  statistics.draw = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - planned);
  return statistics;
}

}  // namespace

Result<std::unique_ptr<Renderer>> makeCpuRenderer(const std::string& instructionSet) {
  const kernel::Kernels* kernels = kernel::findKernels(instructionSet);
  if (!kernels) {
    return fail(ErrorCode::unsupported, "this processor or program has no such instruction set", instructionSet);
  }
  return std::make_unique<CpuRenderer>(*kernels);
}

}  // namespace nora
