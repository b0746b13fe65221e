// The first NVIDIA GPU; CUDA_VISIBLE_DEVICES says which one that is.
#pragma once

#include "render/device/device.hpp"

namespace nora {

/// Errors: unsupported if the program was built without CUDA, or there is no driver or no GPU that it can use.
[[nodiscard]] Result<std::unique_ptr<Device>> openCudaDevice();

}  // namespace nora
