// Readiness: what still keeps the server from being of use, for load balancers that ask /readyz.
#pragma once

#include <atomic>
#include <string_view>

namespace nora {

/// Thread: any.
class Readiness {
 public:
  void scanHasBegun() { scanned_ = true; }
  void rendererWorks() { renders_ = true; }
  void isEnding() { ending_ = true; }

  /// Why not; empty: it is ready.
  [[nodiscard]] std::string_view reason() const {
    if (ending_) return "the server is ending";
    if (!renders_) return "the renderer has not drawn anything yet";
    if (!scanned_) return "the first scan has not begun";
    return {};
  }

 private:
  std::atomic<bool> scanned_{false}, renders_{false}, ending_{false};
};

}  // namespace nora
