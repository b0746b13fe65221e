#include "streaming/pacer.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using std::chrono::microseconds;
constexpr std::int64_t pixels = 1280 * 720;

microseconds timeOf(Pacer::Level level, double fullUs) {
  return microseconds(static_cast<std::int64_t>(fullUs / (level.divisor * level.divisor * level.stepScale)));
}

TEST(Pacer, MeetsTheBudgetWithinAFewFrames) {
  for (const double fullUs : {5e3, 50e3, 400e3, 3e6}) {
    Pacer pacer(microseconds(60'000));
    Pacer::Level level;
    for (int i = 0; i < 4; ++i) {
      level = pacer.next(pixels);
      pacer.rendered(level, pixels, timeOf(level, fullUs));
    }
    EXPECT_LE(timeOf(pacer.next(pixels), fullUs), microseconds(60'000)) << fullUs;
  }
}

TEST(Pacer, UsesTheBudgetThatThereIs) {
  Pacer fast(microseconds(60'000));
  for (int i = 0; i < 3; ++i) fast.rendered(fast.next(pixels), pixels, timeOf(fast.next(pixels), 20e3));
  EXPECT_EQ(fast.next(pixels), (Pacer::Level{1, 1}));
}

TEST(Pacer, StaysPutWhenTimesJitter) {
  Pacer pacer(microseconds(60'000));
  for (int i = 0; i < 4; ++i) pacer.rendered(pacer.next(pixels), pixels, timeOf(pacer.next(pixels), 300e3));
  const auto settled = pacer.next(pixels);
  for (int i = 0; i < 20; ++i) {
    const auto level = pacer.next(pixels);
    EXPECT_EQ(level, settled);
    pacer.rendered(level, pixels, timeOf(level, i % 2 == 0 ? 306e3 : 294e3));
  }
}

TEST(Pacer, ASlowerSceneGetsCoarserAndASmallerViewportFiner) {
  Pacer pacer(microseconds(60'000));
  for (int i = 0; i < 4; ++i) pacer.rendered(pacer.next(pixels), pixels, timeOf(pacer.next(pixels), 100e3));
  const auto before = pacer.next(pixels);
  for (int i = 0; i < 6; ++i) pacer.rendered(pacer.next(pixels), pixels, timeOf(pacer.next(pixels), 2e6));
  const auto slow = pacer.next(pixels);
  EXPECT_GT(slow.divisor * slow.stepScale, before.divisor * before.stepScale);
  EXPECT_LT(pacer.next(pixels / 64).divisor, slow.divisor);
}

}  // namespace
}  // namespace nora
