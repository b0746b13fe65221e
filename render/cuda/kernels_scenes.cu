// Volume views of any layers on the GPU. Source of the maths: render/kernel/raycast.hpp.
#include "render/cuda/launch.hpp"
#include "render/cuda/pixel_kernels.cuh"

namespace nora::kernel::cuda {
namespace {

// Rays of a square stay near each other in the volume.
constexpr unsigned blockEdge = 8;

template <RayUse use>
__global__ void __launch_bounds__(blockEdge* blockEdge)
    drawRayPixels(const __grid_constant__ RayPlan plan, RayCounts* counts) {
  const Pixel pixel;
  RayCounts own;
  if (pixel.x < plan.width && pixel.y < plan.height) own = drawRaysOverSlices<use>(plan, pixel.tile());
  addCounts(own, counts);
}

template <RayUse use>
cudaError_t launch(const RayPlan& plan, RayCounts* counts, cudaStream_t stream) {
  const dim3 block(blockEdge, blockEdge);
  drawRayPixels<use><<<gridFor(plan.width, plan.height, block), block, 0, stream>>>(plan, counts);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launchEverything(const RayPlan& plan, RayCounts* counts, cudaStream_t stream) {
  return launch<RayUse::everything>(plan, counts, stream);
}

}  // namespace nora::kernel::cuda
