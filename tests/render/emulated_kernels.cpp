// The source that runs on a GPU, for the processor: what the GPU's kernels do differently is tested without one.
// GCC 12 does not see that a piece of one pixel never has a second.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#include "tests/render/emulated_device.hpp"

#define NORA_LANES 1
#define NORA_ISA emulated
#define NORA_PIXEL_THREADS
#include "render/kernel/kernels.hpp"

namespace nora::kernel::emulated {

std::uint64_t drawSlicePixel(const SlicePlan& plan, int x, int y) {
  return drawSlices(plan, {x, y, x + 1, y + 1});
}

RayCounts drawRayPixel(const RayPlan& plan, RayUse use, int x, int y) {
  const Tile tile{x, y, x + 1, y + 1};
  switch (use) {
    case RayUse::mediumAlone: return drawRaysOverSlices<RayUse::mediumAlone>(plan, tile);
    case RayUse::projections: return drawRaysOverSlices<RayUse::projections>(plan, tile);
    case RayUse::everything: break;
  }
  return drawRaysOverSlices<RayUse::everything>(plan, tile);
}

}  // namespace nora::kernel::emulated
