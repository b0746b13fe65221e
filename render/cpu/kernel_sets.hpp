// The kernels of every instruction set, and the choice between them.
#pragma once

#include "render/kernel/plan.hpp"

#include <string_view>

namespace nora::kernel {

[[nodiscard]] const Kernels& kernelsScalar();  // any processor; the reference
#if defined(__x86_64__)
[[nodiscard]] const Kernels& kernelsSse4();
[[nodiscard]] const Kernels& kernelsAvx2();
[[nodiscard]] const Kernels& kernelsAvx512();
#endif

/// The named set, or the widest for ""; nullptr if the name is unknown or this processor lacks it.
[[nodiscard]] const Kernels* findKernels(std::string_view name);

}  // namespace nora::kernel
