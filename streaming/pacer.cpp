#include "streaming/pacer.hpp"

#include <array>

namespace nora {
namespace {

// From fine to coarse. Resolution goes last from 1 to 1/2: a coarse step shows less than a coarse picture.
constexpr std::array<Pacer::Level, 11> levels{
    {{1, 1}, {1, 1.5}, {1, 2}, {2, 1}, {2, 1.5}, {2, 2}, {3, 2}, {4, 2}, {4, 3}, {6, 3}, {8, 4}}};
constexpr std::size_t firstLevel = 5;  // before anything is measured
constexpr double finerMargin = 0.8;    // a finer level must stay well below the budget, so that levels do not flicker
constexpr double newestWeight = 0.5;   // of the newest measurement in the running mean

double relativeCost(const Pacer::Level& level) {
  return 1.0 / (level.divisor * level.divisor * level.stepScale);
}

}  // namespace

Pacer::Level Pacer::next(std::int64_t pixels) {
  if (!started_) {
    started_ = true;
    level_ = firstLevel;
  }
  if (costUs_ <= 0) return levels[level_];
  const double full = costUs_ * static_cast<double>(pixels);
  const auto fits = [&](std::size_t level, double margin) {
    return full * relativeCost(levels[level]) <= budgetUs_ * margin;
  };
  while (level_ + 1 < levels.size() && !fits(level_, 1)) ++level_;
  while (level_ > 0 && fits(level_ - 1, finerMargin)) --level_;
  return levels[level_];
}

void Pacer::rendered(Level level, std::int64_t pixels, std::chrono::microseconds time) {
  const double work = static_cast<double>(pixels) * relativeCost(level);
  if (work <= 0) return;
  const double cost = static_cast<double>(time.count()) / work;
  costUs_ = costUs_ <= 0 ? cost : costUs_ + newestWeight * (cost - costUs_);
}

}  // namespace nora
