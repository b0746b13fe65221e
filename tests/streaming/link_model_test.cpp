#include "streaming/link_model.hpp"

#include <random>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;
using Clock = LinkModel::Clock;

/// A way with a bandwidth (bytes a microsecond) and a round trip; one frame after the other, with some jitter.
struct Way {
  double bandwidth = 1;
  std::chrono::microseconds roundTrip{0};
  std::chrono::microseconds jitter{0};

  LinkModel link{};
  Clock::time_point now{Clock::time_point{} + 1h};
  Clock::time_point freeAt{now};
  std::uint32_t frame = 0;
  std::mt19937 random{1};

  /// Sends `count` frames, `apart` from each other, each acknowledged when it has arrived and been held a while.
  void send(int count, std::size_t bytes, Clock::duration apart, Clock::duration held = 7ms) {
    link.pinged(roundTrip + jitter / 2, now);
    std::vector<std::pair<std::uint32_t, Clock::time_point>> arrivals;
    for (int i = 0; i < count; ++i, now += apart) {
      while (!arrivals.empty() && arrivals.front().second + held <= now) deliver(arrivals, held);
      if (arrivals.size() >= 2) {  // no more are in flight
        now = arrivals.front().second + held;
        deliver(arrivals, held);
      }
      link.sent(++frame, bytes, now);
      const auto wire = std::chrono::microseconds(static_cast<std::int64_t>(static_cast<double>(bytes) / bandwidth));
      freeAt = std::max(freeAt, now) + wire;
      const auto late =
          jitter.count() == 0 ? 0us : std::chrono::microseconds(random() % static_cast<unsigned>(jitter.count()));
      arrivals.emplace_back(frame, freeAt + roundTrip + late);
    }
    while (!arrivals.empty()) deliver(arrivals, held);
  }
  void deliver(std::vector<std::pair<std::uint32_t, Clock::time_point>>& arrivals, Clock::duration held) {
    const auto [number, at] = arrivals.front();
    arrivals.erase(arrivals.begin());
    link.acknowledged(number, at + held, held);
  }
};

TEST(LinkModel, KnowsNothingBeforeItHasSeenSomething) {
  const LinkModel link;
  EXPECT_FALSE(link.bandwidth());
  EXPECT_EQ(link.roundTrip(), 0us);
}

TEST(LinkModel, LearnsThatTheNetworkIsAnother) {
  Way way{12.5, 1000us, 0us};
  way.send(30, 40'000, 30ms);
  way.roundTrip = 150'000us;
  way.now += 5s;
  way.send(20, 40'000, 30ms);
  EXPECT_EQ(way.link.roundTrip(), 150ms);
  ASSERT_TRUE(way.link.bandwidth());
  EXPECT_NEAR(*way.link.bandwidth(), 12.5, 4) << "the way is longer, not narrower";
}

TEST(LinkModel, FindsTheBandwidthOfAFullWay) {
  for (const double bandwidth : {0.25, 1.25, 12.5}) {  // 2, 10, 100 Mbit/s
    for (const auto roundTrip : {1000us, 40'000us, 150'000us}) {
      Way way{bandwidth, roundTrip, 2000us};
      way.send(40, 40'000, 5ms);
      ASSERT_TRUE(way.link.bandwidth());
      EXPECT_NEAR(*way.link.bandwidth() / bandwidth, 1, 0.25)
          << bandwidth << " bytes/us, " << roundTrip.count() << " us";
      EXPECT_NEAR(static_cast<double>(way.link.roundTrip().count()), static_cast<double>(roundTrip.count()),
                  static_cast<double>(roundTrip.count()) / 5 + 6000);
    }
  }
}

TEST(LinkModel, AFastWayIsNotTakenForASlowOneBecauseTheClientIsBusy) {
  Way way{1000, 200us, 8000us};
  way.send(40, 30'000, 40ms);
  EXPECT_GT(*way.link.bandwidth(), 3) << "24 Mbit/s";
}

TEST(LinkModel, NoticesThatTheWayGotSlowerAndQuickerAgain) {
  Way way{12.5, 20'000us, 1000us};
  way.send(40, 40'000, 5ms);
  way.bandwidth = 0.5;
  way.send(12, 40'000, 5ms);
  EXPECT_NEAR(*way.link.bandwidth(), 0.5, 0.15);
  way.bandwidth = 12.5;
  way.send(20, 10'000, 40ms);
  EXPECT_GT(*way.link.bandwidth(), 2);
}

TEST(LinkModel, WithoutPingsTheSmallestFrameTellsTheRoundTrip) {
  LinkModel link;
  Clock::time_point now{};
  for (std::uint32_t i = 1; i < 10; ++i, now += 1s) {
    const std::size_t bytes = i == 3 ? 500 : 100'000;
    link.sent(i, bytes, now);
    link.acknowledged(i, now + 20ms + std::chrono::microseconds(bytes), 0ms);  // 1 byte a microsecond
  }
  EXPECT_EQ(link.roundTrip(), 20'500us);
  EXPECT_NEAR(*link.bandwidth(), 1, 0.02);
}

TEST(LinkModel, WhatNobodySentTellsNothing) {
  LinkModel link;
  link.acknowledged(5, Clock::now(), 0ms);
  link.sent(6, 1 << 20, Clock::now());
  link.forget(6);
  link.acknowledged(6, Clock::now() + 1s, 0ms);
  EXPECT_FALSE(link.bandwidth());
  for (std::uint32_t i = 0; i < 100'000; ++i) link.sent(i, 1000, Clock::now());  // never acknowledged
  link.acknowledged(99'999, Clock::now() + 1s, 1h);                              // held longer than it was on its way
  EXPECT_GE(link.roundTrip(), 0us);
}

}  // namespace
}  // namespace nora
