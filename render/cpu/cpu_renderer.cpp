// The renderer on the CPU: has the kernels of the best instruction set draw a plan tile by tile.
#include "render/cpu/kernel_sets.hpp"
#include "render/plan/picture_planner.hpp"
#include "render/renderer.hpp"

#include <algorithm>
#include <atomic>

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
  std::uint64_t drawSlices(const kernel::SlicePlan& plan, const std::stop_token& stop) const;
  kernel::RayCounts drawRays(const kernel::RayPlan& plan, const std::stop_token& stop) const;

  const kernel::Kernels& kernels_;
  PicturePlanner planner_;
};

std::uint64_t CpuRenderer::drawSlices(const kernel::SlicePlan& plan, const std::stop_token& stop) const {
  std::atomic<std::uint64_t> samples{0};
  const int tiles = (plan.height + sliceTileRows - 1) / sliceTileRows;
  tbb::parallel_for(0, tiles, [&](int t) {
    if (stop.stop_requested()) return;
    const int y0 = t * sliceTileRows;
    const kernel::Tile tile{0, y0, plan.width, std::min(y0 + sliceTileRows, plan.height)};
    samples.fetch_add(kernels_.drawSlices(plan, tile), std::memory_order_relaxed);
  });
  return samples;
}

kernel::RayCounts CpuRenderer::drawRays(const kernel::RayPlan& plan, const std::stop_token& stop) const {
  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::uint64_t> skipped{0};
  const int columns = (plan.width + rayTileEdge - 1) / rayTileEdge;
  const int rows = (plan.height + rayTileEdge - 1) / rayTileEdge;
  tbb::parallel_for(0, columns * rows, [&](int t) {
    if (stop.stop_requested()) return;
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
  const auto started = Clock::now();
  const auto plan = planner_.plan(request, kernels_, frame);
  if (!plan) return tl::make_unexpected(plan.error());
  const auto planned = Clock::now();
  RenderStatistics statistics;
  if (plan->rays) {
    const kernel::RayCounts counts = drawRays(*plan->rays, request.stop);
    statistics.samples = counts.samples;
    statistics.skipped = counts.skipped;
  } else {
    statistics.samples = drawSlices(plan->slices, request.stop);
  }
  if (request.stop.stop_requested()) return stoppedPicture(request.view);
  planner_.finish(frame);
  statistics.geometry = planner_.geometryTime();
  statistics.prepare = std::chrono::duration_cast<std::chrono::microseconds>(planned - started) - statistics.geometry;
  statistics.draw = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - planned) + statistics.geometry;
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
