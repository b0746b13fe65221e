// The kernels with sixteen lanes. Compiled with that instruction set's flags; called only where the processor has it.
// GCC 12's own AVX-512 headers start from undefined values on purpose, and it then warns of them (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#define NORA_LANES 16
#define NORA_ISA avx512
#include "render/cpu/kernel_sets.hpp"
#include "render/kernel/kernels.hpp"

namespace nora::kernel {

const Kernels& kernelsAvx512() {
  static constexpr Kernels kernels = avx512::makeKernels("avx512");
  return kernels;
}

}  // namespace nora::kernel
