// Starts the kernels. The pointers in a plan, and `counts`, are the GPU's. Each thread draws one pixel and adds what it
// took to `counts`. The work is queued on `stream`; what goes wrong in it shows when the stream is waited for.
#pragma once

#include "render/kernel/plan.hpp"

#include <cuda_runtime_api.h>

namespace nora::kernel::cuda {

[[nodiscard]] cudaError_t launchSlices(const SlicePlan& plan, RayCounts* counts, cudaStream_t stream);

/// The pictures of the plan's slices must have been drawn before.
[[nodiscard]] cudaError_t launchMediumAlone(const RayPlan& plan, RayCounts* counts, cudaStream_t stream);
[[nodiscard]] cudaError_t launchProjections(const RayPlan& plan, RayCounts* counts, cudaStream_t stream);
[[nodiscard]] cudaError_t launchEverything(const RayPlan& plan, RayCounts* counts, cudaStream_t stream);

}  // namespace nora::kernel::cuda
