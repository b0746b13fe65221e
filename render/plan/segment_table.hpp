// A transfer function integrated over ray segments, as the ray caster looks it up.
#pragma once

#include "render/kernel/plan.hpp"
#include "render/scene/transfer_function.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace nora {

/// Tables for one transfer function and one step length; see kernel::RayPlan.
class SegmentTable {
 public:
  SegmentTable();

  /// Does nothing if both are as before; else takes about a millisecond a core.
  void fill(const TransferFunction& transfer, double stepMm);

  [[nodiscard]] const float* extinction() const { return extinction_.data(); }
  [[nodiscard]] const float* extinctionBefore() const { return sums_[0].data(); }
  [[nodiscard]] const std::uint32_t* segments() const { return segments_.data(); }

 private:
  static constexpr std::size_t entries_ = TransferFunction::entries;
  /// Of extinction, and of red, green, blue times extinction.
  using Sums = std::array<std::array<float, entries_>, 4>;

  void sumUp(const TransferFunction& transfer);
  [[nodiscard]] std::uint32_t segment(const TransferFunction& transfer, int front, int back) const;

  std::array<float, entries_> extinction_{};
  Sums sums_{};
  std::vector<std::uint32_t> segments_;
  TransferFunction transfer_;
  double stepMm_ = 0;
};

}  // namespace nora
