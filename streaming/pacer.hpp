// Pacer: how coarse a moving volume view is drawn, so that it stays within its render time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace nora {

/// Learns the cost of one view from its frames: time = cost * pixels / (divisor^2 * stepScale).
/// Thread: one at a time.
class Pacer {
 public:
  struct Level {
    int divisor = 1;       // resolution is the viewport's divided by this
    double stepScale = 1;  // ray step; see RenderRequest
    friend bool operator==(const Level&, const Level&) = default;
  };

  explicit Pacer(std::chrono::microseconds budget) : budgetUs_(static_cast<double>(budget.count())) {}

  /// The finest level that is expected to meet the budget. `pixels`: of the viewport.
  [[nodiscard]] Level next(std::int64_t pixels);

  /// A frame of that level took so long.
  void rendered(Level level, std::int64_t pixels, std::chrono::microseconds time);

 private:
  double budgetUs_;
  double costUs_ = 0;  // of one viewport pixel at full quality; 0: nothing measured yet
  std::size_t level_ = 0;
  bool started_ = false;
};

}  // namespace nora
