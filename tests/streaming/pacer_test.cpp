#include "streaming/pacer.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace nora {
namespace {

using std::chrono::microseconds;
using Level = Pacer::Level;
using namespace std::chrono_literals;
constexpr std::int64_t pixels = 1280 * 720;

/// A view whose pictures take what a formula says.
struct View {
  double fullUs = 0;      // of the still
  double scalePower = 2;  // of the picture's sides
  double stepPower = 0.75;
  double prepareUs = 300;
  double encodeUs = 1500;  // at full size

  double drawUs(Level level) const {
    return fullUs * std::pow(level.scale, scalePower) * std::pow(level.stepScale, -stepPower);
  }
  double us(Level level) const { return prepareUs + drawUs(level) + encodeUs * level.scale * level.scale; }
};

microseconds time(double us) {
  return microseconds(static_cast<std::int64_t>(us));
}

Level move(Pacer& pacer, const View& view, double noise = 1, int share = 1) {
  const Level level = pacer.next(pixels, share);
  pacer.drawn(level, pixels, time(view.prepareUs), time(view.drawUs(level) * noise));
  pacer.encoded(level, pixels, time(view.encodeUs * level.scale * level.scale));
  return level;
}

Level moveOften(Pacer& pacer, const View& view, int times) {
  Level level;
  for (int i = 0; i < times; ++i) level = move(pacer, view);
  return level;
}

void settle(Pacer& pacer, const View& view) {
  pacer.settled(pixels, time(view.prepareUs), time(view.drawUs({})));
}

bool isFiner(Level a, Level b) {
  return a.scale > b.scale || (a.scale == b.scale && a.stepScale < b.stepScale);
}

/// Views as they were measured, and worse ones: hardly anything is saved by smaller pictures, all by longer steps.
const std::vector<View> views = [] {
  std::vector<View> out;
  for (const double fullUs : {5e3, 25e3, 43e3, 100e3, 426e3}) {
    out.push_back({fullUs, 1.0, 0.4});
    out.push_back({fullUs, 1.6, 0.75});
    out.push_back({fullUs, 2.0, 1.0});
    out.push_back({fullUs, 1.2, 1.5});
  }
  return out;
}();

TEST(Pacer, MeetsTheBudgetWithinFourPictures) {
  for (const View& view : views) {
    Pacer pacer({});
    moveOften(pacer, view, 4);
    const Level level = pacer.next(pixels);
    EXPECT_TRUE(view.us(level) <= 33e3 || pacer.isCoarsest(level)) << view.fullUs << " " << view.scalePower;
  }
}

TEST(Pacer, UsesTheTimeThatThereIs) {
  for (const View& view : views) {
    Pacer pacer({});
    for (int drag = 0; drag < 3; ++drag) {
      moveOften(pacer, view, 12);
      settle(pacer, view);
    }
    const Level level = moveOften(pacer, view, 12);
    if (level == Level{}) continue;
    EXPECT_GT(view.us(level), 33e3 * 0.4) << view.fullUs << " " << view.scalePower << " " << view.stepPower;
  }
  Pacer fast({});
  EXPECT_EQ(moveOften(fast, {10e3}, 4), (Level{1, 1}));
}

TEST(Pacer, TimesThatStayTheSameEndAtOneLevel) {
  for (const View& view : views) {
    Pacer pacer({});
    const Level level = moveOften(pacer, view, 30);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(move(pacer, view), level) << view.fullUs << " " << view.scalePower;
  }
}

TEST(Pacer, JitterNeverSwingsBetweenLevels) {
  for (const View& view : views) {
    Pacer pacer({});
    std::uint32_t random = 1;
    int changes = 0;
    Level last = moveOften(pacer, view, 30);
    for (int i = 0; i < 300; ++i) {
      random = random * 1664525U + 1013904223U;
      const double noise = 0.75 + 0.5 * (random >> 8) / double(1 << 24);
      const Level level = move(pacer, view, noise);
      changes += level != last;
      last = level;
    }
    EXPECT_LE(changes, 6) << view.fullUs << " " << view.scalePower << " " << view.stepPower;
  }
}

TEST(Pacer, OneLatePictureChangesNothing) {
  const View view{100e3};
  Pacer pacer({});
  const Level level = moveOften(pacer, view, 20);
  EXPECT_EQ(move(pacer, view, 8), level);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(move(pacer, view), level);
}

TEST(Pacer, ASlowerSceneGetsCoarserAndAQuickerOneFinerAgain) {
  Pacer pacer({});
  const Level before = moveOften(pacer, {100e3}, 20);
  const Level slow = moveOften(pacer, {1e6}, 5);
  EXPECT_TRUE(isFiner(before, slow));
  EXPECT_EQ(moveOften(pacer, {100e3}, 25), before);
  EXPECT_EQ(moveOften(pacer, {8e3}, 6), (Level{1, 1}));
}

TEST(Pacer, ALevelTriedInVainIsTriedAgainAfterTheStill) {
  const View steep{200e3, 1.2, 1.5};  // far from what is expected
  Pacer pacer({});
  moveOften(pacer, steep, 30);
  settle(pacer, {1e3});  // the scene became quick
  EXPECT_EQ(moveOften(pacer, {1e3}, 6), (Level{1, 1}));
}

TEST(Pacer, TwoViewersThatMoveShareTheTime) {
  const View view{100e3};
  Pacer pacer({});
  const Level alone = moveOften(pacer, view, 20);
  Level shared;
  for (int i = 0; i < 10; ++i) shared = move(pacer, view, 1, 2);
  EXPECT_LE(view.us(shared), 33e3 / 2);
  EXPECT_EQ(moveOften(pacer, view, 30), alone);
}

TEST(Pacer, NoPictureIsSmallerThanAllowed) {
  for (const double smallest : {1 / 6.0, 1 / 3.0, 0.5, 0.7, 1.0}) {
    for (const bool rays : {true, false}) {
      Pacer pacer({.smallestScale = smallest, .rays = rays});
      for (int i = 0; i < 10; ++i) EXPECT_GE(move(pacer, {1e9}).scale, smallest);
    }
  }
}

TEST(Pacer, SlicesStartAtFullSizeAndKeepTheirSteps) {
  Pacer pacer({.rays = false});
  const View usual{1400, 2, 0};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(move(pacer, usual), (Level{1, 1}));
  const View slow{100e3, 2, 0};
  const Level level = moveOften(pacer, slow, 6);
  EXPECT_LT(level.scale, 1);
  EXPECT_EQ(level.stepScale, 1);
  EXPECT_LE(slow.us(level), 33e3);
}

TEST(Pacer, APictureThatWasGivenUpMakesTheNextCoarserAtOnce) {
  Pacer pacer({});
  const Level before = moveOften(pacer, {20e3}, 10);
  pacer.interrupted(before, pixels, 100ms);
  EXPECT_TRUE(isFiner(before, pacer.next(pixels)));
}

TEST(Pacer, TheStillIsExpectedAsItWas) {
  for (const View& view : views) {
    Pacer pacer({});
    EXPECT_EQ(pacer.expectedStill(pixels), 0us);
    for (int drag = 0; drag < 2; ++drag) {
      moveOften(pacer, view, 10);
      settle(pacer, view);
    }
    EXPECT_NEAR(static_cast<double>(pacer.expectedStill(pixels).count()), view.fullUs + view.prepareUs,
                0.05 * view.fullUs);
  }
}

TEST(Pacer, ASlowStillIsReachedInSteps) {
  const auto passes = [](const View& view, Level& shown) {
    Pacer pacer({});
    moveOften(pacer, view, 20);
    settle(pacer, view);
    shown = moveOften(pacer, view, 20);
    std::vector<Level> out;
    while (const auto finer = pacer.refinement(out.empty() ? shown : out.back(), pixels)) {
      out.push_back(*finer);
      if (out.size() > 20) break;
    }
    return out;
  };
  Level shown;
  EXPECT_TRUE(passes({10e3}, shown).empty()) << "what is shown is full";
  EXPECT_TRUE(passes({80e3, 1.6}, shown).empty());
  EXPECT_TRUE(passes({250e3, 1.6}, shown).empty()) << "the still itself comes soon enough";
  for (const double fullUs : {450e3, 2e6, 8e6}) {
    const View view{fullUs, 1.6};
    const auto steps = passes(view, shown);
    ASSERT_FALSE(steps.empty());
    double spent = 0;
    Level last = shown;
    for (const Level& level : steps) {
      EXPECT_TRUE(isFiner(level, last));
      EXPECT_NE(level, (Level{1, 1})) << "that is the still";
      EXPECT_LE(view.us(level), std::max(100e3, 4 * view.us(last)) * 1.2);
      spent += view.us(level);
      last = level;
    }
    EXPECT_LT(spent, 0.8 * fullUs);
  }
}

TEST(Pacer, PicturesAreNoLargerThanTheWayToTheClientCarries) {
  Pacer pacer({33ms, 1 / 6.0, false});
  EXPECT_EQ(pacer.next(pixels, 1, 1), (Level{1, 1}));
  EXPECT_LE(pacer.next(pixels, 1, 0.6).scale, 0.6);
  for (int i = 0; i < 10; ++i) {
    const Level level = pacer.next(pixels, 1, 0.6);
    EXPECT_GE(level.scale, 0.5);
    pacer.drawn(level, pixels, 0us, 1ms);
    EXPECT_LE(pacer.next(pixels, 1, 0.6).scale, 0.6);
  }
  EXPECT_EQ(pacer.next(pixels, 1, 0.01).scale, 1 / 6.0) << "there is a smallest";
  EXPECT_EQ(pacer.next(pixels, 1, 1), (Level{1, 1})) << "and back";
}

}  // namespace
}  // namespace nora
