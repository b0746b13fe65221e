// The kernels with one lane. Compiled with that instruction set's flags; called only where the processor has it.
#define NORA_LANES 1
#define NORA_ISA scalar
#include "render/cpu/kernel_sets.hpp"
#include "render/kernel/kernels.hpp"

namespace nora::kernel {

const Kernels& kernelsScalar() {
  static constexpr Kernels kernels = scalar::makeKernels("scalar");
  return kernels;
}

}  // namespace nora::kernel
