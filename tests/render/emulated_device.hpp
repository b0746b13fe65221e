// A device that is the processor itself, but behaves as a GPU does: its memory can be touched only by what is queued on
// it, what is queued runs when it is waited for, and things go wrong when a test says so.
#pragma once

#include "render/device/device.hpp"

#include <array>
#include <functional>
#include <map>
#include <span>
#include <vector>

namespace nora {

enum class Operation { allocate, allocateStaging, copyTo, copyFrom, draw, wait };

/// What a test sees and decides; outlives the device.
struct EmulatedMachine {
  // Decided by the test
  std::size_t memory = std::size_t{1} << 30;  // bytes
  bool pixelThreads = false;         // the GPU's source, a pixel at a time, instead of the CPU's reference kernel
  std::map<Operation, int> failing;  // which call of an operation fails, from 1; 0 or none: no one
  std::vector<std::span<const std::byte>> hidden;  // of the processor's memory: no kernel may read it; whole pages

  // Seen
  std::map<Operation, int> calls;
  std::map<std::byte*, std::size_t> allocations;  // memory -> bytes asked for
  std::map<std::byte*, std::size_t> staging;
  std::size_t copiedBytes = 0;  // to the device
  int foreignPointers = 0;      // in plans that were drawn: to memory that is not the device's
  bool lost = false;

  [[nodiscard]] std::size_t usedBytes() const;
  void readDevice(std::byte* to, const std::byte* from, std::size_t bytes);
};

[[nodiscard]] std::unique_ptr<Device> makeEmulatedDevice(EmulatedMachine& machine);

/// The GPU's kernels compiled for the processor (tests/render/emulated_kernels.cpp): one pixel.
namespace kernel::emulated {
[[nodiscard]] std::uint64_t drawSlicePixel(const SlicePlan& plan, int x, int y);
[[nodiscard]] RayCounts drawRayPixel(const RayPlan& plan, RayUse use, int x, int y);
}  // namespace kernel::emulated

}  // namespace nora
