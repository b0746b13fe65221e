// A machine beside the processor that draws: its memory, and the kernels that it runs. The CUDA one is in render/cuda;
// everything above it (what is copied when, what has room, what happens when it fails) does not know CUDA, so that it
// is tested without a GPU.
#pragma once

#include "base/error.hpp"
#include "render/kernel/plan.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace nora {

/// One thread at a time. What is queued runs in the order of the calls.
///
/// Errors: limitExceeded if there is no memory: try with less. unavailable for everything else: the device is lost and
/// stays so; calls after that fail or do nothing, and never crash.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// "cuda (NVIDIA H100 80GB HBM3)"
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool lost() const = 0;
  /// Bytes that nobody uses now.
  [[nodiscard]] virtual Result<std::size_t> freeMemory() = 0;

  /// The device's memory, aligned to 256 bytes; the processor must not touch it.
  [[nodiscard]] virtual Result<std::byte*> allocate(std::size_t bytes) = 0;
  virtual void release(std::byte* memory) = 0;
  /// The processor's memory, from and to which the device copies quickly.
  [[nodiscard]] virtual Result<std::byte*> allocateStaging(std::size_t bytes) = 0;
  virtual void releaseStaging(std::byte* memory) = 0;

  /// Queues a copy to the device. `from` must stay as it is until wait().
  [[nodiscard]] virtual Result<void> copyTo(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  /// Queues a copy from the device. `to` holds it after wait().
  [[nodiscard]] virtual Result<void> copyFrom(std::byte* to, const std::byte* from, std::size_t bytes) = 0;

  /// Queue the drawing of a plan whose pointers are the device's. What it takes is added to `counts`, which the device
  /// holds, too.
  [[nodiscard]] virtual Result<void> drawSlices(const kernel::SlicePlan& plan, kernel::RayCounts* counts) = 0;
  /// The pictures of the plan's slices are drawn by calls of drawSlices before. `use`: no more is asked of the kernel.
  [[nodiscard]] virtual Result<void> drawRays(const kernel::RayPlan& plan, kernel::RayUse use,
                                              kernel::RayCounts* counts) = 0;

  /// Until all that was queued is done; says whether it went well.
  [[nodiscard]] virtual Result<void> wait() = 0;
};

/// Memory of a device that grows when more is asked for, and is given back in the end.
class DeviceMemory {
 public:
  enum class Kind { device, staging };

  DeviceMemory(Device& device, Kind kind) : device_(&device), kind_(kind) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() { clear(); }

  /// Makes room for `bytes`, and some more; what was there is lost if it has to grow. Not while anything is queued.
  [[nodiscard]] Result<void> reserve(std::size_t bytes);
  void clear();
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Device* device_;
  Kind kind_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nora
