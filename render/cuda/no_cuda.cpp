// Stands for the CUDA device in programs that are built without it.
#include "render/cuda/cuda_device.hpp"

namespace nora {

Result<std::unique_ptr<Device>> openCudaDevice() {
  return fail(ErrorCode::unsupported,
              "this program was built without CUDA; use the backend cpu, or build where nvcc is");
}

}  // namespace nora
