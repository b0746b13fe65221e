#include "streaming/link_model.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nora {
namespace {

constexpr std::size_t samplesKept = 32;
constexpr std::size_t pingsKept = 16;
constexpr std::chrono::seconds pingsLast{3};  // then the way may be another
constexpr std::size_t sentKept = 64;          // a client that never acknowledges has two in flight
constexpr double tellingBytes = 4096;         // of less the bandwidth cannot be seen
constexpr double leastUs = 500;               // what clocks and threads make of nothing
constexpr std::size_t enoughQueued = 3;
constexpr std::size_t ratesUsed = 9;
constexpr std::chrono::seconds lately{3};
constexpr std::size_t ratesOfOld = 3;  // used where nothing newer is known

double usBetween(LinkModel::Clock::time_point from, LinkModel::Clock::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

/// The value below which that part of the values lies.
double quantile(std::vector<double> values, double part) {
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

}  // namespace

void LinkModel::sent(std::uint32_t frame, std::size_t bytes, Clock::time_point now) {
  if (sent_.size() >= sentKept) sent_.erase(sent_.begin());
  sent_[frame] = {bytes, now};
}

void LinkModel::forget(std::uint32_t frame) {
  sent_.erase(frame);
}

void LinkModel::acknowledged(std::uint32_t frame, Clock::time_point now, Clock::duration held) {
  const auto at = sent_.find(frame);
  if (at == sent_.end()) return;
  const Sent was = at->second;
  sent_.erase(at);
  const auto arrival = std::max(was.at, now - std::max(held, Clock::duration::zero()));
  const double pingUs = pings_.empty() ? 0 : static_cast<double>(roundTrip().count());
  Sample sample{now, static_cast<double>(was.bytes), usBetween(was.at, arrival), pingUs, false};
  const auto free = lastArrival_ ? *lastArrival_ - roundTrip() : was.at;  // when the frame before had left
  if (lastArrival_ && was.at < free && arrival > *lastArrival_) {
    sample.us = usBetween(*lastArrival_, arrival);
    sample.queued = true;
  }
  lastArrival_ = lastArrival_ ? std::max(*lastArrival_, arrival) : arrival;
  samples_.push_back(sample);
  if (samples_.size() > samplesKept) samples_.pop_front();
}

void LinkModel::pinged(Time roundTrip, Clock::time_point now) {
  pings_.push_back({now, std::max(roundTrip, Time::zero())});
  while (pings_.size() > pingsKept || now - pings_.front().at > pingsLast) pings_.pop_front();
}

LinkModel::Time LinkModel::roundTrip() const {
  if (!pings_.empty()) return std::ranges::min_element(pings_, {}, &Ping::roundTrip)->roundTrip;
  double least = 0;
  for (const Sample& sample : samples_) {
    if (!sample.queued && (least == 0 || sample.us < least)) least = sample.us;
  }
  return Time(static_cast<std::int64_t>(least));
}

std::optional<double> LinkModel::bandwidth() const {
  const double roundTripUs = static_cast<double>(roundTrip().count());
  std::vector<double> queued, all;
  for (auto sample = samples_.rbegin(); sample != samples_.rend() && all.size() < ratesUsed; ++sample) {
    if (sample->bytes < tellingBytes) continue;
    if (all.size() >= ratesOfOld && samples_.back().at - sample->at > lately) break;
    const double us = sample->queued ? sample->us : sample->us - (sample->pingUs > 0 ? sample->pingUs : roundTripUs);
    const double rate = sample->bytes / std::max(us, leastUs);
    all.push_back(rate);
    if (sample->queued && samples_.back().at - sample->at < lately) queued.push_back(rate);
  }
  if (queued.size() >= enoughQueued) return quantile(queued, 0.5);
  if (all.size() < 2) return std::nullopt;
  return quantile(all, 0.75);  // what else the client does makes them seem slower, never quicker
}

}  // namespace nora
