// A renderer on a device with another behind it that draws whatever the first cannot.
#pragma once

#include "render/device/device_renderer.hpp"

namespace nora {

/// Whatever goes wrong on the device, the same call gives the right picture from the other renderer, and the log says
/// why (once for each reason). A device that is lost is given up. Errors: the other renderer's.
class FallbackRenderer final : public Renderer {
 public:
  FallbackRenderer(std::unique_ptr<DeviceRenderer> first, std::unique_ptr<Renderer> other)
      : first_(std::move(first)), other_(std::move(other)) {}

  Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) override;
  /// Of what drew the last picture.
  std::string name() const override { return otherDrew_ ? other_->name() : first_->name(); }

 private:
  std::unique_ptr<DeviceRenderer> first_;  // null once it is lost
  std::unique_ptr<Renderer> other_;
  bool otherDrew_ = false;
  std::string lastReason_;
};

}  // namespace nora
