// The kernels' source for a GPU thread that draws one pixel. Included by each kernels_*.cu: three files, so that they
// are compiled side by side.
#pragma once

#include "render/kernel/plan.hpp"

#define NORA_LANES 1
#define NORA_ISA cuda
#define NORA_PIXEL_THREADS
// Every function of the kernel headers is marked inline; for nvcc that means: for the host and for the device.
#define inline inline __host__ __device__
#include "render/kernel/kernels.hpp"
#undef inline

namespace nora::kernel::cuda {

/// Adds what the threads of a warp counted; all 32 must call it. Every second value is one atomic a warp, not a thread.
__device__ inline void addCounts(RayCounts own, RayCounts* sum) {
  constexpr unsigned everyThread = 0xffffffffU;
  for (int other = 16; other > 0; other /= 2) {
    own.samples += __shfl_down_sync(everyThread, own.samples, other);
    own.skipped += __shfl_down_sync(everyThread, own.skipped, other);
  }
  const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
  if (thread % 32 != 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(&sum->samples), static_cast<unsigned long long>(own.samples));
  atomicAdd(reinterpret_cast<unsigned long long*>(&sum->skipped), static_cast<unsigned long long>(own.skipped));
}

struct Pixel {
  int x;
  int y;
  __device__ inline Pixel()
      : x(static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x)),
        y(static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y)) {}
  __device__ inline Tile tile() const { return {x, y, x + 1, y + 1}; }
};

/// Blocks of `block` threads that cover a picture.
inline dim3 gridFor(int width, int height, dim3 block) {
  return {(static_cast<unsigned>(width) + block.x - 1) / block.x,
          (static_cast<unsigned>(height) + block.y - 1) / block.y, 1};
}

}  // namespace nora::kernel::cuda
