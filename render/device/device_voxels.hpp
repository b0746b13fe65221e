// The images that a device holds: kept from picture to picture within a budget, the least recently shown make room.
#pragma once

#include "render/device/device.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace nora {

/// One frame of an image in the processor's memory.
struct VoxelSource {
  const std::byte* voxels = nullptr;
  std::size_t bytes = 0;
  std::uint64_t content = 0;  // kernel::Grid::content
  friend bool operator==(const VoxelSource&, const VoxelSource&) = default;
};

/// One thread at a time.
class DeviceVoxels {
 public:
  /// `budget`: bytes of the device's memory. `pause`: see hold().
  DeviceVoxels(Device& device, std::size_t budget, std::chrono::milliseconds pause)
      : device_(device), budget_(budget), pause_(pause) {}
  DeviceVoxels(const DeviceVoxels&) = delete;
  DeviceVoxels& operator=(const DeviceVoxels&) = delete;
  ~DeviceVoxels();

  /// After it, all that is wanted is held or being copied. None of it is evicted for the rest of it.
  /// Errors: limitExceeded, names what is needed and what there is: nothing was evicted if the budget cannot hold it.
  /// If the device has less memory than the budget (others use it), what it holds then is all that may be used for a
  /// pause, so that such pictures do not evict everybody's images each time. Those of the device.
  [[nodiscard]] Result<void> hold(std::span<const VoxelSource> wanted);

  /// Null if it is not held.
  [[nodiscard]] const std::byte* find(const VoxelSource& source) const;
  [[nodiscard]] std::size_t heldBytes() const { return held_; }
  /// Now.
  [[nodiscard]] std::size_t budget() const;

 private:
  struct Copy {
    VoxelSource source;
    std::byte* memory = nullptr;
    std::uint64_t lastUse = 0;
  };

  [[nodiscard]] Copy* entryOf(const VoxelSource& source);
  [[nodiscard]] Result<void> add(const VoxelSource& source);
  /// False if all that is held is in use.
  [[nodiscard]] bool evictOne();

  Device& device_;
  std::size_t budget_;
  std::chrono::milliseconds pause_;
  std::size_t limit_ = 0;  // until then:
  std::chrono::steady_clock::time_point limitedUntil_;
  std::size_t held_ = 0;
  std::uint64_t use_ = 0;
  std::vector<Copy> copies_;
};

}  // namespace nora
