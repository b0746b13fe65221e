// Volume views of any layers.
#include "render/cuda/launch.hpp"
#include "render/cuda/ray_launch.cuh"

namespace nora::kernel::cuda {

cudaError_t launchEverything(const RayPlan& plan, RayCounts* counts, cudaStream_t stream) {
  return launch<RayUse::everything>(plan, counts, stream);
}

}  // namespace nora::kernel::cuda
