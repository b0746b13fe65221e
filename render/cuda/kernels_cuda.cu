// The kernels built for the GPU: one thread draws one pixel with the one-lane source that is the CPU's reference.
// This keeps the single source fit for both; the renderer that launches them comes with the CUDA backend (docs/GPU.md).
#include "render/kernel/plan.hpp"

#define NORA_LANES 1
#define NORA_ISA cuda
// Every function of the kernel headers is marked inline; for nvcc that means: for the host and for the device.
#define inline inline __host__ __device__
#include "render/kernel/kernels.hpp"
#undef inline

namespace nora::kernel::cuda {

/// Grid: one thread a pixel. Pointers in `plan` are device pointers. Source of the maths: render/kernel/slice.hpp.
__global__ void drawSlicePixels(SlicePlan plan) {
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x < plan.width && y < plan.height) drawSlices(plan, Tile{x, y, x + 1, y + 1});
}

/// As above, for volume views: render/kernel/raycast.hpp.
__global__ void drawRayPixels(RayPlan plan) {
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x < plan.width && y < plan.height) drawRays(plan, Tile{x, y, x + 1, y + 1});
}

}  // namespace nora::kernel::cuda
