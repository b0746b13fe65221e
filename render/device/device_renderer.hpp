// Draws on a device what the CPU renderer draws, from the same plans.
#pragma once

#include "render/device/device.hpp"
#include "render/device/device_voxels.hpp"
#include "render/device/plan_upload.hpp"
#include "render/plan/picture_planner.hpp"
#include "render/renderer.hpp"

#include <memory>

namespace nora {

/// Each picture is finished when render() returns; Errors are those of the planner and of the device. Statistics:
/// `prepare` is planning and the copies to the device; `draw` is the rest until the picture is back.
class DeviceRenderer final : public Renderer {
 public:
  struct Options {
    std::size_t imageBytes = 0;              // of the device's memory for images; 0: most of what is free now
    std::chrono::milliseconds pause{10000};  // after the device had less than that: DeviceVoxels::hold
  };

  /// `hostKernels` looks for the ranges of bricks. Errors: those of the device.
  [[nodiscard]] static Result<std::unique_ptr<DeviceRenderer>> create(std::unique_ptr<Device> device,
                                                                      const kernel::Kernels& hostKernels,
                                                                      const Options& options);

  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override;
  std::string name() const override { return device_->name(); }

  /// True once the device will draw nothing more.
  [[nodiscard]] bool lost() const { return device_->lost(); }
  /// The last picture, where the device holds it, for encoders there: width * height * 4 bytes, until the next call.
  [[nodiscard]] const std::byte* devicePicture() const { return upload_.picture(); }
  [[nodiscard]] const DeviceVoxels& images() const { return voxels_; }

 private:
  DeviceRenderer(std::unique_ptr<Device> device, const kernel::Kernels& hostKernels, const Options& options);

  [[nodiscard]] Result<void> queue(PicturePlan& plan);
  [[nodiscard]] Result<void> queueBack(std::size_t pictureBytes);

  std::unique_ptr<Device> device_;  // outlives what lies in its memory
  const kernel::Kernels& hostKernels_;
  PicturePlanner planner_;
  DeviceVoxels voxels_;
  PlanUpload upload_;
  DeviceMemory back_;
};

}  // namespace nora
