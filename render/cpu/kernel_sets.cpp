#include "render/cpu/kernel_sets.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nora::kernel {

#if defined(__x86_64__)
namespace {

/// Clang's __builtin_cpu_supports does not know it.
bool convertsHalfFloats() {
  unsigned int a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace
#endif

const Kernels* findKernels(std::string_view name) {
#if defined(__x86_64__)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
                    convertsHalfFloats();
  if (avx512 && (name.empty() || name == kernelsAvx512().name)) return &kernelsAvx512();
  if (avx2 && (name.empty() || name == kernelsAvx2().name)) return &kernelsAvx2();
  if (__builtin_cpu_supports("sse4.2") && (name.empty() || name == kernelsSse4().name)) return &kernelsSse4();
#endif
  if (name.empty() || name == kernelsScalar().name) return &kernelsScalar();
  return nullptr;
}

}  // namespace nora::kernel
