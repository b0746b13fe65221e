// Copies a plan with everything that it points to into a device's memory, and points it there.
#pragma once

#include "render/device/device.hpp"
#include "render/device/device_voxels.hpp"

#include <vector>

namespace nora {

/// Images go through DeviceVoxels and stay. All tables of a picture go through one staging buffer in one copy: a
/// megabyte at most for a volume of 512^3, and nothing is allocated once the buffers have grown. One thread at a time.
class PlanUpload {
 public:
  PlanUpload(Device& device, DeviceVoxels& voxels);

  /// Queues the copies and rewrites the plan (SlicePlan or RayPlan) for the device. It is valid until the next call.
  template <class Plan>
  [[nodiscard]] Result<void> run(Plan& plan);

  /// On the device: what drawing took (0 after run()), and the picture, width * height * 4 bytes.
  [[nodiscard]] kernel::RayCounts* counts() const { return reinterpret_cast<kernel::RayCounts*>(tables_.data()); }
  [[nodiscard]] const std::byte* picture() const { return pictures_.data(); }

 private:
  struct Measure;
  struct Place;

  Device& device_;
  DeviceVoxels& voxels_;
  DeviceMemory staging_, tables_, pictures_;
  std::vector<VoxelSource> wanted_;
};

extern template Result<void> PlanUpload::run(kernel::SlicePlan& plan);
extern template Result<void> PlanUpload::run(kernel::RayPlan& plan);

}  // namespace nora
