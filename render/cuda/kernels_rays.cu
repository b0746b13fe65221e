// Volume views of one medium, and projections.
#include "render/cuda/launch.hpp"
#include "render/cuda/ray_launch.cuh"

namespace nora::kernel::cuda {

cudaError_t launchMediumAlone(const RayPlan& plan, RayCounts* counts, cudaStream_t stream) {
  return launch<RayUse::mediumAlone>(plan, counts, stream);
}

cudaError_t launchProjections(const RayPlan& plan, RayCounts* counts, cudaStream_t stream) {
  return launch<RayUse::projections>(plan, counts, stream);
}

}  // namespace nora::kernel::cuda
