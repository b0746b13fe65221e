#include "streaming/socket/patient_window.hpp"

#include <algorithm>
#include <utility>

namespace nora {
namespace {

constexpr std::chrono::seconds span{5};
constexpr std::size_t answersUsed = 3;
constexpr std::size_t oneStep = std::size_t{16} << 10;  // more a round trip

}  // namespace

void PatientWindow::sent(unsigned ping, std::size_t bytes, Clock::time_point now) {
  parts_.push_back({ping, bytes, now});
  under_ += bytes;
  if (under_ >= window_) wasFull_ = true;
}

void PatientWindow::answered(unsigned ping, Clock::time_point now) {
  std::size_t through = 0;
  Clock::time_point sentAt{};
  while (!parts_.empty() && parts_.front().ping <= ping) {
    through += parts_.front().bytes;
    sentAt = parts_.front().at;
    parts_.pop_front();
  }
  if (through == 0) return;
  under_ -= through;
  const auto took = now - sentAt;
  learnShortest(took, now);
  lastTook_.push_back(took);
  if (lastTook_.size() > answersUsed) lastTook_.pop_front();
  // The least of the last answers, so that one lost packet does not count.
  const auto leastTook = std::ranges::min(lastTook_);
  const auto wanted = std::min(shortest_, shortestBefore_) + mostDelay;
  if (leastTook > wanted) {
    seeking_ = false;
    if (sentAt < lastCut_) return;  // it left before the last cut could help
    window_ =
        std::max(least, static_cast<std::size_t>(static_cast<double>(window_) * wanted.count() / leastTook.count()));
    lastCut_ = now;
  } else if (std::exchange(wasFull_, false)) {
    window_ = std::min(most, window_ + (seeking_ ? through : std::max<std::size_t>(1, oneStep * through / window_)));
  }
}

void PatientWindow::learnShortest(Clock::duration took, Clock::time_point now) {
  if (now - spanBegan_ > span) {
    shortestBefore_ = std::exchange(shortest_, Clock::duration::max());
    spanBegan_ = now;
  }
  shortest_ = std::min(shortest_, took);
}

}  // namespace nora
