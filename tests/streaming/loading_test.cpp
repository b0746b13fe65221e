// How a session loads images: a series piece by piece, progress, cancelling.
#include "session_fixture.hpp"
#include "streaming/loader_pool.hpp"

#include <latch>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::json;
using test::patience;
using test::SessionTest;

class LoadingTest : public SessionTest {
 protected:
  /// The next report of images that `wanted` holds of.
  template <class Wanted>
  json imagesWhere(Viewer& viewer, Wanted&& wanted) {
    for (;;) {
      const auto report = viewer.output->take("images");
      if (report.is_null() || wanted(report["layers"])) return report["layers"];
    }
  }
  json openSeries(Viewer& viewer) {
    openImage(viewer, "series.nii");
    viewer.output->take("scene");
    auto report = imagesWhere(viewer, [](const json& layers) { return layers["series"]["state"] == "ready"; });
    sendViewports(viewer, {"axial"});
    return report;
  }
};

TEST_F(LoadingTest, ASeriesShowsItsFirstTimePointAndThenHasAll) {
  auto viewer = connect();
  const auto first = openSeries(viewer);
  EXPECT_EQ(first["series"]["held"], json({0, 1}));
  EXPECT_EQ(first["series"]["info"]["timePoints"], test::seriesTimes);
  ASSERT_TRUE(receiveFrames(viewer, 1));
  EXPECT_EQ(renderer->calls().front().volumes, 1U);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  images.release();
  const auto all = imagesWhere(viewer, [](const json& layers) { return !layers["series"].contains("held"); });
  EXPECT_EQ(all["series"]["state"], "ready");
  edit(viewer, "/layers/0/time", 3);
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 3321);
  EXPECT_EQ(images.loads("series.nii@3"), 0) << "it was there already";
  EXPECT_EQ(images.loads("series.nii@0"), 1);
  EXPECT_EQ(images.loads("series.nii"), 1);
}

TEST_F(LoadingTest, ATimePointThatIsNotThereYetIsLoadedFirst) {
  auto viewer = connect();
  openSeries(viewer);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  edit(viewer, "/layers/0/time", 3);
  const auto moved = imagesWhere(viewer, [](const json& layers) { return layers["series"]["held"] == json({3, 1}); });
  EXPECT_EQ(moved["series"]["state"], "ready");
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 3321);
  images.release();
  imagesWhere(viewer, [](const json& layers) { return !layers["series"].contains("held"); });
  EXPECT_EQ(images.loads("series.nii"), 1) << "the whole was not started again";
}

TEST_F(LoadingTest, AValueOfATimePointThatIsNotThereIsNoNumber) {
  auto viewer = connect();
  openSeries(viewer);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  edit(viewer, "/layers/0/time", 4);  // cannot be loaded alone
  EXPECT_EQ(viewer.output->take("error")["layer"], "series");
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_TRUE(viewer.output->take("values")["layers"][0]["value"].is_null());
  edit(viewer, "/layers/0/visible", false);
  edit(viewer, "/layers/0/visible", true);
  EXPECT_EQ(images.loads("series.nii@4"), 1) << "it is not tried again and again";
  images.release();
  imagesWhere(viewer, [](const json& layers) { return !layers["series"].contains("held"); });
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 4321);
}

TEST_F(LoadingTest, ProgressOfALongLoadIsToldAFewTimesASecond) {
  auto viewer = connect();
  const auto start = std::chrono::steady_clock::now();
  openImage(viewer, "slow.nii");
  const auto first = viewer.output->take("progress");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(300));
  ASSERT_TRUE(first["layers"].contains("slow"));
  const auto second = viewer.output->take("progress");
  const auto third = viewer.output->take("progress");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(700));
  EXPECT_GT(third["layers"]["slow"], first["layers"]["slow"]);
  images.release();
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"][0]["id"], "slow");
}

TEST_F(LoadingTest, ProgressOfTheRestOfASeriesIsTold) {
  auto viewer = connect();
  openSeries(viewer);
  EXPECT_TRUE(viewer.output->take("progress")["layers"].contains("series"));
}

TEST_F(LoadingTest, AnOpenThatIsCancelledStops) {
  auto viewer = connect();
  openImage(viewer, "slow.nii");
  const auto loading = viewer.output->take("images")["layers"];
  EXPECT_EQ(loading["slow"]["input"], 1);
  ASSERT_TRUE(images.waitForLoad("slow.nii"));
  send(viewer, {{"type", "cancel"}, {"layer", "slow"}});
  EXPECT_TRUE(images.waitForCancelled("slow.nii"));
  EXPECT_TRUE(viewer.output->take("images")["layers"].empty());
  openImage(viewer, "a.nii");
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
}

TEST_F(LoadingTest, ACancelledSeriesKeepsWhatItHasAndLoadsTimePointsOneByOne) {
  auto viewer = connect();
  openSeries(viewer);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  send(viewer, {{"type", "cancel"}, {"layer", "series"}});
  EXPECT_TRUE(images.waitForCancelled("series.nii"));
  edit(viewer, "/layers/0/time", 2);
  imagesWhere(viewer, [](const json& layers) { return layers["series"]["held"] == json({2, 1}); });
  EXPECT_EQ(images.loads("series.nii"), 1);
}

TEST_F(LoadingTest, AStoppedTimePointSaysSoAndIsAskedForAgainByWhoComesBack) {
  auto viewer = connect();
  images.holdTime(3);
  openSeries(viewer);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  edit(viewer, "/layers/0/time", 3);
  const auto awaits = [&](const char* state) {
    return imagesWhere(viewer, [&](const json& layers) {
      return layers["series"].value("awaits", json()) == json({{"time", 3}, {"state", state}});
    });
  };
  awaits("loading");
  ASSERT_TRUE(images.waitForLoad("series.nii@3"));
  send(viewer, {{"type", "cancel"}, {"layer", "series"}});
  EXPECT_EQ(awaits("stopped")["series"]["rest"], "stopped");
  EXPECT_TRUE(images.waitForCancelled("series.nii@3"));
  edit(viewer, "/crosshairMm", {1, 0, 0});
  EXPECT_EQ(images.loads("series.nii@3"), 1) << "whoever stopped it does not want it by scrolling";
  edit(viewer, "/layers/0/time", 2);
  imagesWhere(viewer, [](const json& layers) { return layers["series"]["held"] == json({2, 1}); });
  images.holdTime(-1);
  edit(viewer, "/layers/0/time", 3);
  const auto back = imagesWhere(viewer, [](const json& layers) { return layers["series"]["held"] == json({3, 1}); });
  EXPECT_FALSE(back["series"].contains("awaits"));
}

TEST_F(LoadingTest, WhatWasStoppedIsLoadedWhenAskedFor) {
  auto viewer = connect();
  images.holdTime(3);
  openSeries(viewer);
  edit(viewer, "/layers/0/time", 3);
  ASSERT_TRUE(images.waitForLoad("series.nii@3"));
  send(viewer, {{"type", "cancel"}, {"layer", "series"}});
  EXPECT_TRUE(images.waitForCancelled("series.nii@3"));
  images.release();
  send(viewer, {{"type", "load"}, {"layer", "series"}});
  imagesWhere(viewer, [](const json& layers) { return !layers["series"].contains("held"); });
  send(viewer, {{"type", "load"}, {"layer", "series"}});   // all is there
  send(viewer, {{"type", "load"}, {"layer", "nothing"}});  // no mistake
  send(viewer, {{"type", "ping"}, {"token", 1}});
  EXPECT_EQ(viewer.output->take("pong")["token"], 1);
}

TEST_F(LoadingTest, ALayerThatWasCancelledIsLoadedWhenAskedFor) {
  auto viewer = connect();
  json scene = viewer.output->take("hello")["scene"];
  scene["layers"] = {{{"id", "one"}, {"source", {{"path", "slow.nii"}, {"series", ""}}}}};
  send(viewer, {{"type", "scene"}, {"scene", scene}});
  ASSERT_TRUE(images.waitForLoad("slow.nii"));
  send(viewer, {{"type", "cancel"}, {"layer", "one"}});
  imagesWhere(viewer, [](const json& layers) { return layers["one"]["state"] == "failed"; });
  images.release();
  send(viewer, {{"type", "load"}, {"layer", "one"}});
  EXPECT_FALSE(imagesWhere(viewer, [](const json& layers) { return layers["one"]["state"] == "ready"; }).is_null());
}

TEST_F(LoadingTest, TheOldTimePointIsDrawnUntilTheNewOneIsThere) {
  auto viewer = connect();
  images.holdTime(3);
  openSeries(viewer);
  ASSERT_TRUE(receiveFrames(viewer, 2));  // the second is the still
  const auto before = renderer->calls().size();
  edit(viewer, "/layers/0/time", 3);
  ASSERT_TRUE(renderer->waitForCalls(before + 1));
  EXPECT_EQ(renderer->calls().back().time, 0);
  const auto waiting = viewer.output->take("images");
  images.release();
  const auto there = [&] {
    for (;;) {
      auto report = viewer.output->take("images");
      if (report.is_null() || !report["layers"]["series"].contains("awaits")) return report;
    }
  }();
  ASSERT_TRUE(receiveFrames(viewer, 4));
  EXPECT_EQ(renderer->calls().back().time, 3);
  EXPECT_GE(viewer.output->frames().back().header.revision, there["revision"]);
  EXPECT_GT(there["revision"], waiting["revision"]);
}

TEST_F(LoadingTest, PicturesTellWhoseTheyAre) {
  auto viewer = connect();
  sendViewports(viewer, {"axial"});
  openImage(viewer, "a.nii");
  const auto first = viewer.output->take("scene")["revision"].get<std::uint64_t>();
  std::size_t count = 1;  // the picture of the empty scene may be left out
  ASSERT_TRUE(receiveFrames(viewer, count));
  while (viewer.output->frames().back().header.revision < first) ASSERT_TRUE(receiveFrames(viewer, ++count));
  const auto last = viewer.output->frames().back().header.revision;
  openImage(viewer, "b.nii");
  EXPECT_GT(viewer.output->take("scene")["revision"], last);
}

TEST_F(LoadingTest, ProgressIsClearedWhenALoadEnds) {
  auto viewer = connect();
  openSeries(viewer);
  EXPECT_TRUE(viewer.output->take("progress")["layers"].contains("series"));
  send(viewer, {{"type", "cancel"}, {"layer", "series"}});
  const auto nextEmpty = [&] {
    for (;;) {
      const auto progress = viewer.output->take("progress");
      if (progress.is_null() || progress["layers"].empty()) return progress;
    }
  };
  EXPECT_FALSE(nextEmpty().is_null()) << "after a cancel";
  openImage(viewer, "slow.nii");
  EXPECT_TRUE(viewer.output->take("progress")["layers"].contains("slow"));
  images.release();
  EXPECT_FALSE(nextEmpty().is_null()) << "after the end";
}

TEST_F(LoadingTest, ALayerOfASceneThatIsCancelledSaysSo) {
  auto viewer = connect();
  const auto hello = viewer.output->take("hello");
  json scene = hello["scene"];
  scene["layers"] = {{{"id", "one"}, {"source", {{"path", "slow.nii"}, {"series", ""}}}}};
  send(viewer, {{"type", "scene"}, {"scene", scene}});
  ASSERT_TRUE(images.waitForLoad("slow.nii"));
  send(viewer, {{"type", "cancel"}, {"layer", "one"}});
  EXPECT_TRUE(images.waitForCancelled("slow.nii"));
  const auto failed = imagesWhere(viewer, [](const json& layers) { return layers["one"]["state"] == "failed"; });
  EXPECT_NE(failed["one"]["error"].get<std::string>().find("cancelled"), std::string::npos);
}

TEST_F(LoadingTest, RemovingALayerStopsTheRestOfItsSeries) {
  auto viewer = connect();
  openSeries(viewer);
  ASSERT_TRUE(images.waitForLoad("series.nii"));
  send(viewer, {{"type", "edit"}, {"patch", json::array({{{"op", "remove"}, {"path", "/layers/0"}}})}});
  EXPECT_TRUE(images.waitForCancelled("series.nii"));
}

TEST_F(LoadingTest, ACancelOfNothingIsNoMistake) {
  auto viewer = connect();
  send(viewer, {{"type", "cancel"}, {"layer", "nothing"}});
  openImage(viewer, "a.nii");
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
}

TEST(LoaderPool, TheBackgroundLeavesAThreadForWhatIsWaitedFor) {
  std::latch done(3);
  std::latch urgent(1);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  LoaderPool pool(2);
  const auto background = [&] {
    most = std::max(most.load(), ++running);
    urgent.wait();
    --running;
    done.count_down();
  };
  const int owners[] = {1, 2, 3};
  pool.submit(&owners[0], {}, background, LoaderPool::Haste::background);
  pool.submit(&owners[1], {}, background, LoaderPool::Haste::background);
  pool.submit(&owners[2], {}, [&] {
    urgent.count_down();
    done.count_down();
  });
  done.wait();  // for ever if both threads were taken
  EXPECT_EQ(most, 1);
}

TEST_F(LoadingTest, AnImageWhoseFileIsChangedFailsAndIsLoadedAgainOnDemand) {
  auto viewer = connect();
  openImage(viewer, "infile.nii");
  imagesWhere(viewer, [](const json& layers) { return layers["infile"]["state"] == "ready"; });
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(receiveFrames(viewer, 1));
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 321);
  const timespec longAgo[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::futimens(images.file.get(), longAgo), 0);
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_TRUE(viewer.output->take("values")["layers"].empty()) << "nobody knows of which file they would be";
  EXPECT_EQ(viewer.output->take("error")["layer"], "infile");
  imagesWhere(viewer, [](const json& layers) { return layers["infile"]["state"] == "failed"; });
  send(viewer, {{"type", "load"}, {"layer", "infile"}});
  imagesWhere(viewer, [](const json& layers) { return layers["infile"]["state"] == "ready"; });
  send(viewer, {{"type", "probe"}, {"mm", {1, 2, 3}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 321);
}

TEST_F(LoadingTest, APictureOfAChangedFileIsNotSent) {
  auto viewer = connect();
  openImage(viewer, "infile.nii");
  imagesWhere(viewer, [](const json& layers) { return layers["infile"]["state"] == "ready"; });
  renderer->hold(true);
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(renderer->waitForCalls(1));
  ASSERT_EQ(::ftruncate(images.file.get(), 0), 0);
  renderer->hold(false);
  imagesWhere(viewer, [](const json& layers) { return layers["infile"]["state"] == "failed"; });
  ASSERT_TRUE(receiveFrames(viewer, 1));
  EXPECT_EQ(renderer->calls().front().volumes, 1U);
  EXPECT_EQ(renderer->calls().back().volumes, 0U);
  EXPECT_EQ(viewer.output->frames().front().header.frame, 2U) << "the first was left out";
}

}  // namespace
}  // namespace nora
