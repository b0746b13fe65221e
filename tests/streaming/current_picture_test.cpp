#include "streaming/current_picture.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

struct CurrentPictureTest : testing::Test {
  CurrentPicture current{100ms};
  const Clock::time_point start{Clock::time_point{} + 1h};
  const char own = 0, other = 0;
  const WaitingViews one{{"3d"}, true}, none{{}, true}, blocked{{"3d"}, false};

  std::stop_token begin(PictureKind kind, bool coarsest = false, bool yields = true) {
    return current.begin({&own, kind, "3d", coarsest, yields, start});
  }
};

TEST_F(CurrentPictureTest, WhatHasSettledMakesWayForAnyNewerView) {
  for (const auto kind : {PictureKind::still, PictureKind::refinement}) {
    auto stop = begin(kind);
    current.makeWay(&own, none, start);
    current.makeWay(&other, blocked, start);  // could not be drawn anyway
    EXPECT_FALSE(stop.stop_requested());
    current.makeWay(&other, one, start);
    EXPECT_TRUE(stop.stop_requested());
    stop = begin(kind);
    current.makeWay(&own, blocked, start);  // it holds one of the two places itself
    EXPECT_TRUE(stop.stop_requested());
  }
}

TEST_F(CurrentPictureTest, AnOverdueStillMakesWayForItsOwnSessionOnly) {
  const auto stop = begin(PictureKind::still, false, false);
  current.makeWay(&other, one, start + 1h);
  EXPECT_FALSE(stop.stop_requested());
  current.makeWay(&own, one, start);
  EXPECT_TRUE(stop.stop_requested());
}

TEST_F(CurrentPictureTest, AMovingPictureIsFinishedWhileItIsInTime) {
  const auto stop = begin(PictureKind::moving);
  current.makeWay(&own, one, start + 100ms);
  current.makeWay(&own, {{"axial"}, true}, start + 1h);
  current.makeWay(&other, one, start + 1h);
  EXPECT_FALSE(stop.stop_requested());
  current.makeWay(&own, one, start + 101ms);
  EXPECT_TRUE(stop.stop_requested());
}

TEST_F(CurrentPictureTest, TheCoarsestPictureIsAlwaysFinished) {
  const auto stop = begin(PictureKind::moving, true);
  current.makeWay(&own, one, start + 1h);
  EXPECT_FALSE(stop.stop_requested());
}

TEST_F(CurrentPictureTest, NothingIsDrawnForWhoIsGoneOrAfterTheEnd) {
  auto stop = begin(PictureKind::moving);
  current.forget(&other);
  EXPECT_FALSE(stop.stop_requested());
  current.forget(&own);
  EXPECT_TRUE(stop.stop_requested());
  current.end();
  current.makeWay(&own, one, start);
  current.close();
  EXPECT_TRUE(begin(PictureKind::moving).stop_requested());
}

}  // namespace
}  // namespace nora
