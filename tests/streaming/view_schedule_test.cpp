#include "streaming/view_schedule.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace nora {
namespace {

using Kind = ViewSchedule::Kind;
using namespace std::chrono_literals;

class Schedule : public testing::Test {
 protected:
  Schedule() {
    for (const auto& [name, plane] :
         {std::pair{"axial", Plane::axial}, {"coronal", Plane::coronal}, {"sagittal", Plane::sagittal}}) {
      View view;
      view.name = name;
      view.plane = plane;
      scene.views.push_back(view);
    }
    View camera;
    camera.name = "3d";
    camera.kind = ViewKind::volume;
    scene.views.push_back(camera);
    setViewports({"axial", "coronal", "sagittal", "3d"});
  }
  void setViewports(const std::vector<std::string>& names, const std::string& focus = "") {
    std::map<std::string, ViewportSize> views;
    for (const auto& name : names) views[name] = {640, 480};
    schedule.setViewports(views, focus);
    changed();
  }
  void changed(std::uint64_t revision = 0) { schedule.update(scene, revision, ++input, now); }
  /// Views drawn until nothing is left, each acknowledged at once.
  std::vector<std::string> drain(Kind kind) {
    std::vector<std::string> out;
    while (const auto pick = schedule.pick(kind, now)) {
      out.push_back(pick->view);
      schedule.sent(pick->frame);
      schedule.acknowledged(pick->frame);
    }
    return out;
  }

  Scene scene;
  ViewSchedule schedule{ViewSchedule::Options{}};
  Clock::time_point now{Clock::time_point{} + 1h};
  std::uint64_t input = 0;
};

using testing::Test;

TEST_F(Schedule, SlicesComeBeforeTheVolume) {
  const auto order = drain(Kind::moving);
  ASSERT_EQ(order.size(), 4U);
  EXPECT_EQ(order.back(), "3d");
  EXPECT_TRUE(drain(Kind::moving).empty());
}

TEST_F(Schedule, OnlyViewsThatLookDifferentAreDrawn) {
  drain(Kind::moving);
  scene.crosshairMm = {5, 0, 0};
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"sagittal"});
  scene.crosshairMm = {5, 6, 7};
  changed();
  EXPECT_EQ(drain(Kind::moving).size(), 2U);  // coronal and axial
  scene.views[3].azimuthDeg = 10;
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"3d"});
  scene.views[0].zoom = 2;
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
  changed(1);  // a layer or its image
  EXPECT_EQ(drain(Kind::moving).size(), 4U);
  scene.convention = Convention::neurological;
  changed(1);
  EXPECT_EQ(drain(Kind::moving).size(), 4U);
  changed(1);
  EXPECT_TRUE(drain(Kind::moving).empty());
}

TEST_F(Schedule, AnEditOfALayerRedrawsTheViewsThatShowIt) {
  const std::vector<std::string> slices{"axial", "coronal", "sagittal"}, volume{"3d"}, none;
  scene.layers.resize(2);
  scene.layers[0].id = "a";
  scene.layers[1].id = "b";
  changed();
  drain(Kind::moving);
  const auto drawn = [&](auto edit) {
    edit();
    changed();
    auto out = drain(Kind::moving);
    std::sort(out.begin(), out.end());
    return out;
  };
  Layer& layer = scene.layers[1];
  EXPECT_EQ(drawn([&] { layer.transfer.points = {{0, 0, {}}, {1, 1, {}}}; }), volume);
  EXPECT_EQ(drawn([&] { layer.inVolume = true; }), volume);
  EXPECT_EQ(drawn([&] { layer.isoValue = 5; }), none) << "no surface is shown";
  EXPECT_EQ(drawn([&] { layer.outlinePixels = 2; }), slices);
  EXPECT_EQ(drawn([&] { layer.vectors = VectorLook::sticks; }), slices);
  EXPECT_EQ(drawn([&] { layer.gamma = 2; }).size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(drawn([&] { scene.views[i].slabMm = 10; }), std::vector<std::string>{scene.views[i].name});
  }
  View& camera = scene.views[3];
  EXPECT_EQ(drawn([&] { camera.mode = VolumeMode::maximum; }), volume);
  EXPECT_EQ(drawn([&] { layer.transfer.preset = "ct-bone"; }), none) << "a maximum has the window";
  EXPECT_EQ(drawn([&] { camera.mode = VolumeMode::isosurface; }), volume);
  EXPECT_EQ(drawn([&] { layer.isoValue = 6; }), volume);
  EXPECT_EQ(drawn([&] { layer.visible = false; }).size(), 4U);
  EXPECT_EQ(drawn([&] { layer.gamma = 1; }), none) << "it is hidden";
  EXPECT_EQ(drawn([&] { scene.layers[0].modulatedBy = "b"; }), slices);
  EXPECT_EQ(drawn([&] { layer.gamma = 3; }), slices) << "it darkens another";
  EXPECT_EQ(drawn([&] { std::swap(scene.layers[0], scene.layers[1]); }).size(), 4U);
}

TEST_F(Schedule, SlicesIn3DFollowTheCrosshairAndTheLooksOfSlices) {
  scene.layers.resize(1);
  scene.views[3].slices = {Plane::axial};
  setViewports({"3d"});
  drain(Kind::moving);
  scene.crosshairMm = {1, 2, 0};
  changed();
  EXPECT_TRUE(drain(Kind::moving).empty());
  scene.crosshairMm[2] = 3;
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"3d"});
  scene.layers[0].outlinePixels = 1;
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"3d"});
}

TEST_F(Schedule, AnObliqueSliceFollowsTheCrosshairAlongItsNormal) {
  scene.views[0].plane = Plane::oblique;
  scene.views[0].right = {1, 1, 0};
  scene.views[0].down = {0, 0, -1};
  setViewports({"axial"});
  drain(Kind::moving);
  scene.crosshairMm = {4, 4, 9};  // within the plane
  changed();
  EXPECT_TRUE(drain(Kind::moving).empty());
  scene.crosshairMm = {4, 3, 9};
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
}

TEST_F(Schedule, AtMostTwoInFlight) {
  const auto first = schedule.pick(Kind::moving, now);
  const auto second = schedule.pick(Kind::moving, now);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(schedule.pick(Kind::moving, now));
  schedule.acknowledged(first->frame);  // not sent yet: a lie
  EXPECT_FALSE(schedule.pick(Kind::moving, now));
  schedule.sent(first->frame);
  schedule.acknowledged(first->frame + 77);
  schedule.acknowledged(std::uint64_t{1} << 40);
  EXPECT_FALSE(schedule.pick(Kind::moving, now));
  schedule.acknowledged(first->frame);
  EXPECT_TRUE(schedule.pick(Kind::moving, now));
  EXPECT_FALSE(schedule.pick(Kind::moving, now));
  schedule.dropped(*second);
  EXPECT_TRUE(schedule.pick(Kind::moving, now));
}

TEST_F(Schedule, TheStillComesAfterAPauseAndOnceMoreLosslessly) {
  EXPECT_FALSE(schedule.settledDueAt());  // nothing drawn that could be repeated sharper
  drain(Kind::moving);
  EXPECT_EQ(schedule.settledDueAt(), now + 50ms);
  now += 49ms;
  EXPECT_TRUE(drain(Kind::settled).empty());
  now += 1ms;
  const auto pick = schedule.pick(Kind::settled, now);
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->kind, PictureKind::still);
  EXPECT_EQ(pick->level, (Pacer::Level{1, 1}));
  EXPECT_EQ(pick->width, 640);
  EXPECT_EQ(pick->coding.settings.quality, 95);
  EXPECT_TRUE(pick->coding.settings.fullChroma);
  schedule.sent(pick->frame);
  schedule.acknowledged(pick->frame);
  EXPECT_EQ(drain(Kind::settled).size(), 3U);
  EXPECT_EQ(schedule.settledDueAt(), now + 100ms);
  now += 100ms;
  const auto exact = schedule.pick(Kind::settled, now);
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->kind, PictureKind::exact);
  EXPECT_TRUE(isLossless(exact->coding.codec));
  EXPECT_NE(exact->still, 0U);
  schedule.sent(exact->frame);
  schedule.acknowledged(exact->frame);
  EXPECT_EQ(drain(Kind::settled).size(), 3U);
  EXPECT_FALSE(schedule.settledDueAt());
  now += 1h;
  EXPECT_TRUE(drain(Kind::settled).empty());
}

TEST_F(Schedule, ALosslessPictureOfWhatIsNoLongerWantedIsTakenBack) {
  setViewports({"axial"});
  drain(Kind::moving);
  now += 200ms;
  auto still = schedule.pick(Kind::settled, now);
  schedule.sent(still->frame);
  schedule.acknowledged(still->frame);
  const auto exact = schedule.pick(Kind::settled, now);
  ASSERT_EQ(exact->kind, PictureKind::exact);
  schedule.sent(exact->frame);
  EXPECT_TRUE(schedule.outdated().empty());
  scene.crosshairMm[2] += 1;
  changed();
  const auto outdated = schedule.outdated();
  ASSERT_EQ(outdated.size(), 1U);
  EXPECT_EQ(outdated[0].frame, exact->frame);
  schedule.dropped(outdated[0]);
  EXPECT_EQ(schedule.inFlight(), 0U);
}

TEST_F(Schedule, WhatIsAskedForAheadComesOnlyWhenNothingElseIsUnderWay) {
  setViewports({"axial", "coronal"});
  const auto lookAt = [&](double z) {
    Scene next = scene;
    next.crosshairMm[2] = z;
    return lookOf(next, next.views[0], 0, {640, 480});
  };
  drain(Kind::moving);
  const auto ahead = schedule.pickAhead(7, "axial", lookAt(3));
  ASSERT_TRUE(ahead);
  EXPECT_EQ(ahead->kind, PictureKind::ahead);
  EXPECT_FALSE(schedule.pickAhead(8, "axial", lookAt(3))) << "on its way";
  EXPECT_FALSE(schedule.pickAhead(8, "sagittal", lookAt(4))) << "not shown";
  schedule.sent(ahead->frame);
  schedule.acknowledged(ahead->frame);
  scene.crosshairMm[2] = 3;
  changed();
  EXPECT_TRUE(schedule.have("axial", 7));
  EXPECT_TRUE(drain(Kind::moving).empty()) << "it is on the page";
  now += 100ms;
  EXPECT_EQ(drain(Kind::settled), std::vector<std::string>{"coronal"}) << "who steps on soon needs no still";
  now += 1s;
  EXPECT_EQ(drain(Kind::settled).front(), "axial") << "but only nearly as it shall be";
  scene.crosshairMm[2] = 4;
  changed();
  EXPECT_FALSE(schedule.have("axial", 7)) << "another place";
  EXPECT_FALSE(schedule.have("axial", 99)) << "never sent";
  EXPECT_FALSE(schedule.have("coronal", 7)) << "another view";
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
}

TEST_F(Schedule, AsManyGoAheadAsFitIntoARoundTrip) {
  setViewports({"axial"});
  drain(Kind::moving);
  int id = 0;
  const auto next = [&] {
    Scene other = scene;
    other.crosshairMm[2] = ++id;
    return schedule.pickAhead(static_cast<std::uint32_t>(id), "axial", lookOf(other, other.views[0], 0, {640, 480}));
  };
  const auto fill = [&] {
    std::vector<ViewPick> out;
    while (const auto pick = next()) {
      out.push_back(*pick);
      schedule.sent(pick->frame, 20'000, now);
    }
    return out;
  };
  for (int i = 0; i < 4; ++i) schedule.pinged(100ms, now);
  auto flights = fill();
  EXPECT_EQ(flights.size(), 2U) << "nothing is known of the way";
  for (int i = 0; i < 10; ++i) {  // 20 kB each 20 ms: five in a round trip
    now += i == 0 ? 120ms : 20ms;
    schedule.acknowledged(flights.front().frame, now);
    flights.erase(flights.begin());
    if (flights.empty()) flights = fill();
  }
  for (const auto& flight : flights) schedule.acknowledged(flight.frame, now += 20ms);
  const auto most = fill().size();
  EXPECT_GE(most, 4U);
  EXPECT_LE(most, 8U);
  scene.crosshairMm[2] = 50;
  changed();
  EXPECT_TRUE(schedule.pick(Kind::moving, now)) << "who waits is not held up";
  EXPECT_TRUE(schedule.waiting().canStart);
}

TEST_F(Schedule, AVideoBeginsAnewWhereAPictureOfItWasLost) {
  CodecChoice choice;
  choice.usable.insert(Codec::h264);
  choice.moving = Codec::h264;
  schedule.restart(choice);
  setViewports({"axial"});
  const auto next = [&] {
    scene.crosshairMm[2] += 1;
    changed();
    const auto pick = schedule.pick(Kind::moving, now).value();
    EXPECT_EQ(pick.coding.codec, Codec::h264);
    return pick;
  };
  const auto deliver = [&](const ViewPick& pick) {
    schedule.sent(pick.frame);
    schedule.acknowledged(pick.frame);
    return pick.coding.settings.key;
  };
  EXPECT_TRUE(deliver(next()));
  EXPECT_FALSE(deliver(next()));
  schedule.dropped(next());
  EXPECT_TRUE(deliver(next()));
  EXPECT_FALSE(deliver(next()));
  schedule.wantKey("axial");
  EXPECT_TRUE(schedule.waiting().views.contains("axial"));
  EXPECT_TRUE(deliver(schedule.pick(Kind::moving, now).value()));
}

TEST_F(Schedule, ItsDeadlineIsThatOfWhatHasWaitedLongest) {
  EXPECT_TRUE(schedule.movingDeadline());
  drain(Kind::moving);
  EXPECT_FALSE(schedule.movingDeadline());
  scene.views[3].azimuthDeg += 1;
  changed();
  const auto volume = schedule.movingDeadline();
  ASSERT_TRUE(volume);
  EXPECT_GT(*volume, now);
  now += 5ms;
  scene.views[0].zoom = 2;
  changed();
  EXPECT_LT(*schedule.movingDeadline(), *volume) << "slices are quick";
}

TEST_F(Schedule, InputPutsTheStillOff) {
  drain(Kind::moving);
  for (int i = 0; i < 10; ++i) {
    now += 100ms;
    scene.crosshairMm[2] += 1;
    changed();
    drain(Kind::moving);
    EXPECT_TRUE(drain(Kind::settled).empty());
  }
}

TEST_F(Schedule, AMovingVolumeIsCoarse) {
  setViewports({"3d"});
  const auto pick = schedule.pick(Kind::moving, now);
  ASSERT_TRUE(pick);
  EXPECT_LT(pick->width, 640);
  EXPECT_GT(pick->level.stepScale, 1);
  schedule.sent(pick->frame);
  schedule.acknowledged(pick->frame);
  schedule.rendered(*pick, 0us, 500us);  // much faster than the budget
  scene.views[3].azimuthDeg = 1;
  changed();
  EXPECT_EQ(schedule.pick(Kind::moving, now)->width, 640);
}

/// Draws what is wanted now, in `fullUs` for a full picture and less for coarser ones.
struct Drawing {
  ViewSchedule& schedule;
  double fullUs;
  void operator()(const ViewPick& pick) const {
    const double part = pick.level.scale * pick.level.scale / pick.level.stepScale;
    schedule.rendered(pick, 0us, std::chrono::microseconds(static_cast<std::int64_t>(fullUs * part)));
    schedule.sent(pick.frame);
    schedule.acknowledged(pick.frame);
  }
};

TEST_F(Schedule, ASlowVolumeGetsBetterInSteps) {
  setViewports({"3d"});
  const Drawing draw{schedule, 5e6};
  for (int i = 0; i < 5; ++i) {
    scene.views[3].azimuthDeg = i;
    changed();
    draw(*schedule.pick(Kind::moving, now));
  }
  now += 50ms;
  std::vector<int> widths;
  while (const auto pick = schedule.pick(Kind::settled, now)) {
    widths.push_back(pick->width);
    draw(*pick);
    if (pick->kind == PictureKind::still) break;
  }
  ASSERT_GE(widths.size(), 2U);
  EXPECT_TRUE(std::is_sorted(widths.begin(), widths.end()));
  EXPECT_EQ(widths.back(), 640);
  EXPECT_EQ(schedule.settledDueAt(), now + 100ms) << "losslessly";
}

TEST_F(Schedule, WhatWasGivenUpIsDrawnAgain) {
  setViewports({"axial"});
  const auto moving = schedule.pick(Kind::moving, now);
  schedule.interrupted(*moving, 100ms);
  EXPECT_EQ(schedule.inFlight(), 0U);
  EXPECT_TRUE(schedule.waiting().views.contains("axial"));
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
  EXPECT_TRUE(schedule.waiting().views.empty());
  now += 150ms;
  const auto still = schedule.pick(Kind::settled, now);
  ASSERT_TRUE(still);
  schedule.interrupted(*still, 10ms);
  EXPECT_TRUE(schedule.waiting().views.empty()) << "the page has a picture of that";
  EXPECT_EQ(drain(Kind::settled), (std::vector<std::string>{"axial", "axial"}));
  EXPECT_TRUE(drain(Kind::settled).empty());
}

TEST_F(Schedule, WhatCannotBeDrawnIsNotTriedForEver) {
  setViewports({"3d"});
  Drawing{schedule, 5e6}(*schedule.pick(Kind::moving, now));
  now += 150ms;
  int tries = 0;
  while (const auto pick = schedule.pick(Kind::settled, now)) {
    schedule.failed(*pick);
    ASSERT_LT(++tries, 3);
  }
  EXPECT_FALSE(schedule.settledDueAt());
}

TEST_F(Schedule, AViewOfAnotherKindIsLearntAnew) {
  setViewports({"3d"});
  Drawing{schedule, 5e6}(*schedule.pick(Kind::moving, now));
  scene.views[3].kind = ViewKind::slice;
  changed();
  const auto pick = schedule.pick(Kind::moving, now);
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->level, (Pacer::Level{1, 1}));
}

TEST_F(Schedule, TheViewUnderTheHandComesFirstButStarvesNobody) {
  setViewports({"axial", "coronal", "sagittal", "3d"}, "3d");
  std::map<std::string, int> drawn;
  for (int i = 0; i < 200; ++i) {
    now += 16ms;
    changed(static_cast<std::uint64_t>(i) + 1);  // windowing: every view changes with every input
    const auto pick = schedule.pick(Kind::moving, now);
    ASSERT_TRUE(pick);
    if (i == 0) {
      EXPECT_EQ(pick->view, "3d");
    }
    ++drawn[pick->view];
    schedule.sent(pick->frame);
    schedule.acknowledged(pick->frame);
  }
  EXPECT_GE(drawn["3d"], 80);
  for (const char* view : {"axial", "coronal", "sagittal"}) EXPECT_GE(drawn[view], 20) << view;
}

TEST_F(Schedule, ViewsThatAreNotNamedAreNotDrawn) {
  setViewports({"axial", "unknown"});
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
  setViewports({});
  EXPECT_TRUE(drain(Kind::moving).empty());
  EXPECT_FALSE(schedule.settledDueAt());
  setViewports({"axial"});
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});  // it was gone: the page has no picture of it
}

TEST_F(Schedule, AnotherSizeIsAnotherPicture) {
  drain(Kind::moving);
  schedule.setViewports({{"axial", {641, 480}}, {"coronal", {640, 480}}}, "");
  changed();
  EXPECT_EQ(drain(Kind::moving), std::vector<std::string>{"axial"});
}

}  // namespace
}  // namespace nora
