// The kernels with four lanes. Compiled with that instruction set's flags; called only where the processor has it.
#define NORA_LANES 4
#define NORA_ISA sse4
#include "render/cpu/kernel_sets.hpp"
#include "render/kernel/kernels.hpp"

namespace nora::kernel {

const Kernels& kernelsSse4() {
  static constexpr Kernels kernels = sse4::makeKernels("sse4");
  return kernels;
}

}  // namespace nora::kernel
