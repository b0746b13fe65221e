#include "render/device/fallback_renderer.hpp"

#include "base/log.hpp"

namespace nora {

Result<RenderStatistics> FallbackRenderer::render(const RenderRequest& request, Frame& frame) {
  std::string reason;
  if (first_) {
    auto drawn = first_->render(request, frame);
    if (!drawn && drawn.error().code == ErrorCode::cancelled) return drawn;
    otherDrew_ = !drawn;
    if (drawn) return drawn;
    reason = describe(drawn.error());
  }
  auto drawn = other_->render(request, frame);
  if (!first_ || !drawn) return drawn;  // a request that nobody can draw is no fault of the device
  const bool gone = first_->lost();
  if (reason != lastReason_) {
    log::warning(first_->name() + ": " + reason + "; " + other_->name() + " draws " +
                 (gone ? "from now on" : "such pictures"));
  }
  lastReason_ = reason;
  if (gone) first_.reset();
  return drawn;
}

}  // namespace nora
