// Volume views on the GPU, for one use of the rays; each is compiled where it is launched. Source of the maths:
// render/kernel/raycast.hpp.
#pragma once

#include "render/cuda/pixel_kernels.cuh"

#include <cuda_runtime_api.h>

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
}  // namespace nora::kernel::cuda
