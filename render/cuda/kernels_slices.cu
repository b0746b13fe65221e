// Slices on the GPU. Source of the maths: render/kernel/slice.hpp.
#include "render/cuda/launch.hpp"
#include "render/cuda/pixel_kernels.cuh"

namespace nora::kernel::cuda {
namespace {

// A warp draws 32 pixels of a row: along the voxels' rows in most pictures.
constexpr unsigned blockWidth = 32;
constexpr unsigned blockHeight = 4;

__global__ void __launch_bounds__(blockWidth* blockHeight)
    drawSlicePixels(const __grid_constant__ SlicePlan plan, RayCounts* counts) {
  const Pixel pixel;
  RayCounts own;
  if (pixel.x < plan.width && pixel.y < plan.height) own.samples = drawSlices(plan, pixel.tile());
  addCounts(own, counts);
}

}  // namespace

cudaError_t launchSlices(const SlicePlan& plan, RayCounts* counts, cudaStream_t stream) {
  const dim3 block(blockWidth, blockHeight);
  drawSlicePixels<<<gridFor(plan.width, plan.height, block), block, 0, stream>>>(plan, counts);
  return cudaGetLastError();
}

}  // namespace nora::kernel::cuda
