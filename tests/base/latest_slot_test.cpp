#include "base/latest_slot.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(LatestSlot, NewestValueWins) {
  LatestSlot<int> slot;
  EXPECT_FALSE(slot.put(1));
  EXPECT_TRUE(slot.put(2));
  EXPECT_EQ(slot.tryTake(), 2);
  EXPECT_FALSE(slot.tryTake());
  EXPECT_FALSE(slot.put(3)) << "nothing was waiting any more";
}

TEST(LatestSlot, TakeWaitsForAValueFromAnotherThread) {
  LatestSlot<std::unique_ptr<int>> slot;
  std::jthread producer([&] { slot.put(std::make_unique<int>(5)); });
  const auto taken = slot.take({});
  ASSERT_TRUE(taken);
  EXPECT_EQ(**taken, 5);
}

TEST(LatestSlot, StopEndsTheWait) {
  LatestSlot<int> slot;
  std::optional<int> taken = 1;
  std::jthread consumer([&](const std::stop_token& stop) { taken = slot.take(stop); });
  consumer.request_stop();
  consumer.join();
  EXPECT_FALSE(taken);
}

}  // namespace
}  // namespace nora
