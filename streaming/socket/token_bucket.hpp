// TokenBucket: lets so much a second through, and a burst at once.
#pragma once

#include <algorithm>
#include <chrono>

namespace nora {

/// Not for several threads. Full at first.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(double perSecond, double burst, Clock::time_point now)
      : perSecond_(perSecond), burst_(burst), left_(burst), at_(now) {}

  /// False if there is not as much left; then nothing is taken.
  [[nodiscard]] bool take(double amount, Clock::time_point now) {
    const double passed = std::chrono::duration<double>(now - at_).count();
    left_ = std::min(burst_, left_ + std::max(0.0, passed) * perSecond_);
    at_ = std::max(at_, now);
    if (amount > left_) return false;
    left_ -= amount;
    return true;
  }

 private:
  double perSecond_, burst_, left_;
  Clock::time_point at_;
};

}  // namespace nora
