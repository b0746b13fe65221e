#include "image/streamline_measure.hpp"

#include "image/surface.hpp"
#include "image/tractogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

namespace nora {
namespace {

constexpr float largest = std::numeric_limits<float>::max();

float distance(const float* from, const float* to) {
  const float x = to[0] - from[0], y = to[1] - from[1], z = to[2] - from[2];
  return std::sqrt(x * x + y * y + z * z);
}

double sum(const float* steps, std::size_t count) {
  std::array<double, 4> parts{};  // sums that do not wait for each other
  std::size_t i = 0;
  for (; i + parts.size() <= count; i += parts.size()) {
    for (std::size_t k = 0; k < parts.size(); ++k) parts[k] += steps[i + k];
  }
  for (; i < count; ++i) parts[0] += steps[i];
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

}  // namespace

StreamlineMeasure::StreamlineMeasure(std::span<const std::uint64_t> offsets) : offsets_(offsets) {
  least_.fill(largest);
  most_.fill(-largest);
}

void StreamlineMeasure::add(std::span<const float> points) {
  for (std::size_t begin = 0, count = points.size() / 3; begin < count; begin += blockPoints) {
    addBlock(points.data() + 3 * begin, std::min(blockPoints, count - begin));
  }
}

void StreamlineMeasure::bound(const float* at, std::size_t count) {
  const std::size_t numbers = 3 * count;
  if (allFinite({at, numbers})) {
    Lanes least = least_, most = most_;  // copies: no point can be one of them
    const auto widen = [&](std::size_t first, std::size_t many) {
      for (std::size_t k = 0; k < many; ++k) {
        least[k] = std::min(least[k], at[first + k]);
        most[k] = std::max(most[k], at[first + k]);
      }
    };
    std::size_t i = 0;
    for (; i + lanes <= numbers; i += lanes) widen(i, lanes);
    widen(i, numbers - i);
    least_ = least;
    most_ = most;
    return;
  }
  if (count == 1) {
    ++oddPoints_;
    return;
  }
  for (std::size_t p = 0; p < count; ++p) bound(at + 3 * p, 1);
}

void StreamlineMeasure::addBlock(const float* at, std::size_t count) {
  bound(at, count);
  std::array<float, blockPoints> steps;  // to each point from the one before
  steps[0] = distance(last_.data(), at);
  for (std::size_t p = 1; p < count; ++p) steps[p] = distance(at + 3 * (p - 1), at + 3 * p);
  std::copy_n(at + 3 * (count - 1), 3, last_.begin());
  for (std::size_t p = 0; p < count && streamline_ + 1 < offsets_.size();) {
    closeStreamlines();
    if (streamline_ + 1 >= offsets_.size()) break;
    const std::size_t part = std::min<std::size_t>(count - p, offsets_[streamline_ + 1] - seen_);
    const std::size_t first = seen_ == offsets_[streamline_] ? 1 : 0;  // no step leads to the first point
    length_ += sum(&steps[p] + first, part - first);
    seen_ += part;
    p += part;
  }
}

/// Ends those whose last point was seen.
void StreamlineMeasure::closeStreamlines() {
  for (; streamline_ + 1 < offsets_.size() && offsets_[streamline_ + 1] <= seen_; ++streamline_, length_ = 0) {
    const std::uint64_t points = offsets_[streamline_ + 1] - offsets_[streamline_];
    empty_ += points == 0 ? 1 : 0;
    single_ += points == 1 ? 1 : 0;
    if (!std::isfinite(length_)) continue;
    total_ += length_;
    ++measured_;
    shortest_ = std::min(shortest_, length_);
    longest_ = std::max(longest_, length_);
  }
}

void StreamlineMeasure::finish(TractogramInfo& info) {
  closeStreamlines();
  for (std::size_t k = 0; least_[0] <= most_[0] && k < 3; ++k) {
    info.boundsLow[k] = std::min({least_[k], least_[k + 3], least_[k + 6], least_[k + 9]});
    info.boundsHigh[k] = std::max({most_[k], most_[k + 3], most_[k + 6], most_[k + 9]});
  }
  info.lengthMinMm = std::isfinite(shortest_) ? shortest_ : 0;
  info.lengthMaxMm = longest_;
  info.lengthMeanMm = measured_ > 0 ? total_ / static_cast<double>(measured_) : 0;
  if (oddPoints_ > 0) {
    info.warnings.push_back(std::to_string(oddPoints_) + " of " + std::to_string(info.points) +
                            " points are not finite numbers");
  }
  const auto tell = [&](std::size_t count, const char* points) {
    const char* subject = count == 1 ? " streamline has " : " streamlines have ";
    if (count > 0) info.warnings.push_back(std::to_string(count) + subject + points);
  };
  tell(empty_, "no points");
  tell(single_, "one point only");
}

}  // namespace nora
