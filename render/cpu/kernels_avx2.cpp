// The kernels with eight lanes. Compiled with that instruction set's flags; called only where the processor has it.
#define NORA_LANES 8
#define NORA_ISA avx2
#include "render/cpu/kernel_sets.hpp"
#include "render/kernel/kernels.hpp"

namespace nora::kernel {

const Kernels& kernelsAvx2() {
  static constexpr Kernels kernels = avx2::makeKernels("avx2");
  return kernels;
}

}  // namespace nora::kernel
