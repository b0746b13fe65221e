// Sessions while something moves and after it: what is given up for what, and which pictures come.
#include "session_fixture.hpp"

namespace nora {
namespace {

using namespace std::chrono_literals;
using test::json;

class MovingSession : public test::SessionTest {};

TEST_F(MovingSession, AStillIsGivenUpForNewerInput) {
  auto viewer = connect();
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(receiveFrames(viewer, 1));
  renderer->hold(true);
  ASSERT_TRUE(renderer->waitForCalls(2));  // the still
  edit(viewer, "/crosshairMm", {7, 7, 7});
  ASSERT_TRUE(renderer->waitForCalls(3)) << "it was not given up";
  EXPECT_EQ(renderer->calls()[2].crosshairMm, (Vec3{7, 7, 7}));
  renderer->hold(false);
  ASSERT_TRUE(receiveFrames(viewer, 4));
  const auto frames = viewer.output->frames();
  EXPECT_EQ(frames[1].header.quality, FrameQuality::moving);
  EXPECT_EQ(frames[2].header.quality, FrameQuality::sharp);
  EXPECT_EQ(frames[3].header.quality, FrameQuality::lossless);
  EXPECT_EQ(frames[3].picture.empty(), false);
  for (const auto& text : viewer.output->texts()) EXPECT_NE(text["type"], "error") << text;
}

TEST_F(MovingSession, AStillMakesWayForWhatMovesInAnotherSession) {
  auto first = connect();
  sendViewports(first, {"axial"});
  ASSERT_TRUE(receiveFrames(first, 1));
  renderer->hold(true);
  ASSERT_TRUE(renderer->waitForCalls(2));
  auto second = connect();
  sendViewports(second, {"coronal"});
  ASSERT_TRUE(renderer->waitForCalls(3));
  EXPECT_EQ(renderer->calls()[2].view, "coronal");
  renderer->hold(false);
  ASSERT_TRUE(receiveFrames(first, 3));
  EXPECT_EQ(first.output->frames()[2].header.quality, FrameQuality::lossless);
}

TEST_F(MovingSession, AMovingPictureIsFinishedUnlessItTakesMuchTooLong) {
  startEngine({.frameBudget = 20ms});
  auto viewer = connect();
  renderer->hold(true);
  sendViewports(viewer, {"3d"});
  ASSERT_TRUE(renderer->waitForCalls(1));
  edit(viewer, "/views/0/zoom", 2);  // not what is drawn
  edit(viewer, "/views/3/azimuthDeg", 10);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(renderer->calls().size(), 1U) << "input as it comes all the time";
  edit(viewer, "/views/3/azimuthDeg", 20);
  ASSERT_TRUE(renderer->waitForCalls(2));
  const auto calls = renderer->calls();
  EXPECT_LT(calls[1].width * calls[1].height / calls[1].stepScale,
            calls[0].width * calls[0].height / calls[0].stepScale);
  renderer->hold(false);
  ASSERT_TRUE(receiveFrames(viewer, 1));
  EXPECT_EQ(viewer.output->frames()[0].header.input, viewer.input);
}

TEST_F(MovingSession, AViewerThatLeavesIsNotDrawnFor) {
  auto leaving = connect();
  auto staying = connect();
  renderer->hold(true);
  sendViewports(leaving, {"axial"});
  ASSERT_TRUE(renderer->waitForCalls(1));
  sendViewports(staying, {"coronal"});
  engine->disconnect(leaving.link);
  EXPECT_TRUE(renderer->waitForCalls(2));
}

TEST_F(MovingSession, ASmallerPictureShowsWhatItsViewShows) {
  auto viewer = connect();
  send(viewer, {{"type", "viewports"}, {"views", {{"3d", {{"width", 65}, {"height", 49}}}}}});
  ASSERT_TRUE(receiveFrames(viewer, 2));
  const auto call = renderer->calls().front();
  EXPECT_LT(call.width, 65);
  EXPECT_EQ(call.viewWidth, 65);
  EXPECT_EQ(call.viewHeight, 49);
  const auto frames = viewer.output->frames();
  EXPECT_EQ(frames[0].header.width, call.width);
  EXPECT_EQ(frames[0].header.viewportWidth, 65);
  EXPECT_NEAR(frames[0].header.geometry.rightMm[0] * 65, 2.0 * call.width, 1e-9) << "edge to edge";
  EXPECT_EQ(frames[1].header.quality, FrameQuality::sharp);
  EXPECT_EQ(frames[1].header.width, 65);
}

}  // namespace
}  // namespace nora
