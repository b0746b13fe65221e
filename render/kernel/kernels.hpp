// All kernels of one instruction set. Included once by each render/cpu/kernels_*.cpp, which defines NORA_LANES and
// NORA_ISA first. No standard headers with inline code are used below here: their functions would be compiled with wide
// instructions and could be picked by the linker for the whole program.
#pragma once

#include "render/kernel/brick_ranges.hpp"
#include "render/kernel/raycast.hpp"
#include "render/kernel/slice.hpp"

namespace nora::kernel::NORA_ISA {

constexpr Kernels makeKernels(const char* name) {
  return {name, &drawSlices, &drawRays, &brickRanges};
}

}  // namespace nora::kernel::NORA_ISA
