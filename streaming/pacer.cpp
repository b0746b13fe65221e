#include "streaming/pacer.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

using Level = Pacer::Level;

// From fine to coarse; by how it looks, which is the order of their work, too.
constexpr std::array<Level, 14> rayLevels{{{1, 1},
                                           {1, 1.5},
                                           {1, 2},
                                           {3 / 4.0, 1.5},
                                           {3 / 4.0, 2},
                                           {1 / 2.0, 1},
                                           {1 / 2.0, 1.5},
                                           {1 / 2.0, 2},
                                           {3 / 8.0, 2},
                                           {1 / 3.0, 2},
                                           {1 / 3.0, 3},
                                           {1 / 3.0, 4},
                                           {1 / 4.0, 4},
                                           {1 / 6.0, 4}}};
constexpr std::array<Level, 6> sliceLevels{
    {{1, 1}, {3 / 4.0, 1}, {1 / 2.0, 1}, {3 / 8.0, 1}, {1 / 4.0, 1}, {1 / 6.0, 1}}};
constexpr Level firstRayLevel{1 / 2.0, 2};  // before anything is measured

// Measured on a CT of 512^3, from 1280x720 to a third of it, steps of 1 to 4 voxels: bone, flesh and fog are met within
// a fifth by the exponents 0.55, 0.81 and 0.69.
constexpr double stepPower = 0.75;
constexpr double usualExponent = 0.75;
constexpr double leastExponent = 0.4;
constexpr double mostExponent = 1;
constexpr double tellingRatio = 1.5;  // works that differ less do not tell the exponent

constexpr double finerMargin = 0.8;    // of the budget, for a finer level
constexpr double refusedMargin = 0.8;  // of the load at which a level was tried in vain

constexpr double slowStillUs = 400e3;  // nobody shall wait longer for a better picture
constexpr double leastPassUs = 100e3;
constexpr double mostPassFactor = 4;  // a picture on the way takes so many times the time of the one before,
constexpr double leastPassFactor = 2;
constexpr double mostPassOfStill = 1 / 2.0;  // and no more than that of the still

double workOf(const Level& level, std::int64_t pixels) {
  return level.scale * level.scale * std::pow(level.stepScale, -stepPower) * static_cast<double>(pixels);
}

double pixelsOf(const Level& level, std::int64_t pixels) {
  return level.scale * level.scale * static_cast<double>(pixels);
}

double usOf(Pacer::Time time) {
  return static_cast<double>(time.count());
}

std::vector<Level> allowedLevels(const Pacer::Options& options) {
  std::vector<Level> out;
  const auto add = [&](const auto& levels) {
    for (const Level& level : levels) {
      if (out.empty() || level.scale >= options.smallestScale) out.push_back(level);
    }
  };
  if (options.rays) {
    add(rayLevels);
  } else {
    add(sliceLevels);
  }
  return out;
}

}  // namespace

void Pacer::Recent::add(double value) {
  std::rotate(values_.begin(), values_.end() - 1, values_.end());
  values_[0] = value;
  count_ = std::min(count_ + 1, values_.size());
}

void Pacer::Recent::restart(double value) {
  count_ = 0;
  add(value);
}

double Pacer::Recent::middle() const {
  if (count_ < values_.size()) return count_ == 0 ? 0 : values_[0];
  auto sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[1];
}

double Pacer::Recent::least() const {
  return count_ == 0 ? 0 : *std::min_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(count_));
}

Pacer::Pacer(const Options& options) : options_(options), levels_(allowedLevels(options)), exponent_(usualExponent) {
  const auto first = std::find(levels_.begin(), levels_.end(), options.rays ? firstRayLevel : Level{});
  level_ = static_cast<std::size_t>(std::min(first, levels_.end() - 1) - levels_.begin());
  refusals_.resize(levels_.size());
}

double Pacer::Recent::most() const {
  return count_ == 0 ? 0 : *std::max_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(count_));
}

double Pacer::expectedUs(Level level, std::int64_t pixels) const {
  return expectedUs(level, pixels, drawUs_.middle());
}

double Pacer::expectedUs(Level level, std::int64_t pixels, double drawUs) const {
  return prepareUs_.least() + drawUs * std::pow(workOf(level, pixels), exponent_) +
         encodeUs_.middle() * pixelsOf(level, pixels);
}

/// Coarser until the pictures are no larger than that.
void Pacer::makeFit(double largestScale) {
  while (level_ + 1 < levels_.size() && levels_[level_].scale > largestScale) {
    ++level_;
    enteredAt_.reset();
  }
}

Pacer::Level Pacer::next(std::int64_t pixels, int share, double largestScale) {
  makeFit(largestScale);
  if (drawUs_.empty()) return levels_[level_];
  const double budget = usOf(options_.budget) / std::max(share, 1);
  const bool sameBudget = share == share_;
  share_ = share;
  const auto load = [&](std::size_t level) { return expectedUs(levels_[level], pixels) / budget; };
  if (load(level_) > 1) {
    if (enteredAt_ && sameBudget) refusals_[level_] = {*enteredAt_, refusals_[level_].forgetting / 2};
    enteredAt_.reset();
    while (level_ + 1 < levels_.size() && load(level_) > 1) ++level_;
    return levels_[level_];
  }
  const auto holds = [&](std::size_t level) {
    if (levels_[level].scale > std::max(levels_[level_].scale, finerMargin * largestScale) && largestScale < 1)
      return false;
    const bool alwaysHeld = expectedUs(levels_[level], pixels, drawUs_.most()) <= finerMargin * budget;
    return alwaysHeld && load(level) <= refusals_[level].load * refusedMargin;
  };
  const std::size_t before = level_;
  while (level_ > 0 && holds(level_ - 1)) --level_;
  if (level_ != before) enteredAt_ = load(level_);
  return levels_[level_];
}

void Pacer::drawn(Level level, std::int64_t pixels, Time prepare, Time draw) {
  const double work = workOf(level, pixels);
  if (work <= 0) return;
  movingWork_ = work;
  prepareUs_.add(usOf(prepare));
  drawUs_.add(usOf(draw) / std::pow(work, exponent_));
  for (Refusal& refusal : refusals_) refusal.load *= 1 + refusal.forgetting;
}

void Pacer::encoded(Level level, std::int64_t pixels, Time encode) {
  if (pixels > 0) encodeUs_.add(usOf(encode) / pixelsOf(level, pixels));
}

void Pacer::interrupted(Level level, std::int64_t pixels, Time elapsed) {
  constexpr double longerAtLeast = 2;  // nobody knows how long it would have taken
  const double work = workOf(level, pixels);
  if (work <= 0) return;
  movingWork_ = work;
  drawUs_.restart(std::max(drawUs_.middle(), longerAtLeast * usOf(elapsed) / std::pow(work, exponent_)));
}

void Pacer::settled(std::int64_t pixels, Time prepare, Time draw) {
  std::fill(refusals_.begin(), refusals_.end(), Refusal{});
  const double work = workOf({}, pixels);
  const double us = usOf(draw);
  if (work <= 0 || us <= 0) return;
  if (drawUs_.empty()) {
    prepareUs_.add(usOf(prepare));
    drawUs_.add(us / std::pow(work, exponent_));
    return;
  }
  const double movingUs = drawUs_.middle() * std::pow(movingWork_, exponent_);
  if (movingUs > 0 && work > tellingRatio * movingWork_) {
    const double exponent = std::log(us / movingUs) / std::log(work / movingWork_);
    exponent_ = std::clamp(exponent, leastExponent, mostExponent);
    drawUs_.restart(movingUs / std::pow(movingWork_, exponent_));
  }
  const double expected = drawUs_.middle() * std::pow(work, exponent_);
  stillRatio_ = expected > 0 ? us / expected : 1;
}

Pacer::Time Pacer::expectedStill(std::int64_t pixels) const {
  const double draw = drawUs_.middle() * std::pow(workOf({}, pixels), exponent_) * stillRatio_;
  return Time(static_cast<std::int64_t>(prepareUs_.least() + draw));
}

std::optional<Pacer::Level> Pacer::refinement(Level shown, std::int64_t pixels) const {
  if (shown == Level{} || drawUs_.empty()) return std::nullopt;
  const Time still = expectedStill(pixels);
  if (usOf(still) <= slowStillUs) return std::nullopt;
  const double shownUs = expectedUs(shown, pixels);
  const double most = std::min(std::max(leastPassUs, mostPassFactor * shownUs), mostPassOfStill * usOf(still));
  const auto finest = std::find_if(levels_.begin(), levels_.end(),
                                   [&](const Level& level) { return expectedUs(level, pixels) <= most; });
  const bool isFiner = finest != levels_.end() && expectedUs(*finest, pixels) >= leastPassFactor * shownUs;
  return isFiner ? std::optional(*finest) : std::nullopt;
}

}  // namespace nora
