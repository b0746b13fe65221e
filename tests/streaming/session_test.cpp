#include "session_fixture.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::FakeImages;
using test::FakeOutput;
using test::FakeRenderer;
using test::json;
using test::SessionTest;
using namespace std::chrono_literals;

TEST_F(SessionTest, HelloComesFirst) {
  auto viewer = connect();
  const auto hello = viewer.output->take("hello");
  EXPECT_EQ(hello["protocol"], 2);
  EXPECT_EQ(hello["codecs"], json({"jpeg", "png"})) << "those that both have";
  EXPECT_FALSE(hello["session"].get<std::string>().empty());
  EXPECT_TRUE(hello["scene"]["layers"].empty());
  EXPECT_EQ(hello["scene"]["views"].size(), 4U);
}

TEST_F(SessionTest, OpenLoadsAndShows) {
  auto viewer = connect();
  sendViewports(viewer, {"axial"});
  openImage(viewer, "sub/t1.nii.gz");
  const auto loading = viewer.output->take("images");
  ASSERT_TRUE(loading["layers"].contains("t1"));
  EXPECT_EQ(loading["layers"]["t1"]["state"], "loading");
  EXPECT_EQ(loading["layers"]["t1"]["name"], "t1.nii.gz");
  const auto scene = viewer.output->take("scene");
  EXPECT_EQ(scene["input"], 2);
  EXPECT_EQ(scene["scene"]["layers"][0]["source"]["path"], "sub/t1.nii.gz");
  const auto ready = viewer.output->take("images");
  EXPECT_EQ(ready["layers"]["t1"]["state"], "ready");
  EXPECT_EQ(ready["layers"]["t1"]["info"]["dims"], json({4, 4, 4}));
  EXPECT_TRUE(ready["layers"]["t1"]["window"]["high"].is_number());
  openImage(viewer, "sub/t1.nii.gz", "overlay");
  const auto both = viewer.output->take("scene");
  ASSERT_EQ(both["scene"]["layers"].size(), 2U);
  EXPECT_EQ(both["scene"]["layers"][1]["id"], "t1-2");
  openImage(viewer, "other.nii");
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
}

TEST_F(SessionTest, LabelsThatOverlapAreALayerEach) {
  auto viewer = connect();
  openImage(viewer, "t1.nii.gz");
  static_cast<void>(viewer.output->take("scene"));
  openImage(viewer, "overlapping.dcm", "overlay");
  const auto layers = viewer.output->take("scene")["scene"]["layers"];
  ASSERT_EQ(layers.size(), 4U);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(layers[i]["component"], i - 1);
    EXPECT_EQ(layers[i]["colourMap"], "labels");
    EXPECT_EQ(layers[i]["source"]["path"], "overlapping.dcm");
  }
  EXPECT_EQ(layers[3]["id"], "overlapping-3");
}

TEST_F(SessionTest, OverlayWithoutBackgroundActsAsNew) {
  auto viewer = connect();
  openImage(viewer, "a.nii", "overlay");
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
}

TEST_F(SessionTest, FramesNameInputTimesAndPlace) {
  auto viewer = connect();
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(receiveFrames(viewer, 3));  // moving, sharp, lossless
  const auto frames = viewer.output->frames();
  EXPECT_EQ(frames[0].header.codec, Codec::jpeg);
  EXPECT_EQ(frames[0].header.quality, FrameQuality::moving);
  EXPECT_EQ(frames[0].header.input, 1U);
  EXPECT_EQ(frames[0].header.frame, 1U);
  EXPECT_EQ(frames[0].header.view, "axial");
  EXPECT_EQ(frames[0].header.width, 64);
  EXPECT_EQ(frames[0].header.viewportHeight, 48);
  EXPECT_EQ(frames[0].header.geometry.rightMm, (Vec3{2, 0, 0}));
  EXPECT_EQ(frames[0].header.hash, 0U);
  EXPECT_EQ(frames[1].header.codec, Codec::jpeg);
  EXPECT_EQ(frames[1].header.quality, FrameQuality::sharp);
  EXPECT_EQ(frames[1].header.encoderQuality, 95);
  EXPECT_GE(frames[1].header.queueUs, 50'000U);
  EXPECT_EQ(frames[2].header.codec, Codec::png);
  EXPECT_EQ(frames[2].header.quality, FrameQuality::lossless);
  EXPECT_NE(frames[2].header.hash, 0U);
  EXPECT_GE(frames[2].header.queueUs, 150'000U);
  EXPECT_EQ(renderer->calls().size(), 2U) << "the lossless picture is the sharp one";
}

TEST_F(SessionTest, GeometryOfACoarseVolumeIsInViewportPixels) {
  auto viewer = connect();
  sendViewports(viewer, {"3d"});
  ASSERT_TRUE(receiveFrames(viewer, 1));
  const auto header = viewer.output->frames()[0].header;
  ASSERT_EQ(header.width, 32);
  EXPECT_EQ(header.viewportWidth, 64);
  EXPECT_EQ(header.geometry.rightMm, (Vec3{1, 0, 0}));  // the renderer's pixels are 2 mm
}

TEST_F(SessionTest, NewestInputWins) {
  auto viewer = connect();
  renderer->hold(true);
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(renderer->waitForCalls(1));
  for (int i = 1; i <= 100; ++i) edit(viewer, "/crosshairMm", {i, i, i});
  renderer->hold(false);
  ASSERT_TRUE(receiveFrames(viewer, 2));
  const auto calls = renderer->calls();
  EXPECT_EQ(calls[1].crosshairMm, (Vec3{100, 100, 100}));
  EXPECT_EQ(viewer.output->frames()[1].header.input, viewer.input);
  EXPECT_EQ(viewer.output->frames()[0].header.input, 1U);
}

TEST_F(SessionTest, WithoutAcknowledgementsThereAreTwoFrames) {
  auto viewer = connect();
  sendViewports(viewer, {"axial", "coronal", "sagittal"});
  ASSERT_TRUE(viewer.output->waitForFrames(2));
  for (int i = 1; i <= 20; ++i) edit(viewer, "/crosshairMm", {i, i, i});
  EXPECT_FALSE(viewer.output->waitForFrames(3, 300ms));
  EXPECT_EQ(renderer->calls().size(), 2U);
  send(viewer, {{"type", "probe"}, {"mm", {0, 0, 0}}});
  EXPECT_EQ(viewer.output->take("values")["type"], "values");
  acknowledgeAll(viewer);
  ASSERT_TRUE(receiveFrames(viewer, 8));
  EXPECT_EQ(renderer->calls()[2].crosshairMm, (Vec3{20, 20, 20}));
}

TEST_F(SessionTest, StillComesExactlyOnce) {
  auto viewer = connect();
  sendViewports(viewer, {"axial", "coronal"});
  ASSERT_TRUE(receiveFrames(viewer, 6));
  EXPECT_FALSE(viewer.output->waitForFrames(7, 400ms));
  std::map<std::string, int> stills;
  for (const auto& frame : viewer.output->frames())
    stills[frame.header.view] += frame.header.quality == FrameQuality::lossless;
  EXPECT_EQ(stills, (std::map<std::string, int>{{"axial", 1}, {"coronal", 1}}));
}

TEST_F(SessionTest, OnlyWhatChangedIsDrawn) {
  auto viewer = connect();
  sendViewports(viewer, {"axial", "coronal", "sagittal", "3d"});
  ASSERT_TRUE(receiveFrames(viewer, 12));
  edit(viewer, "/crosshairMm/0", 5);
  ASSERT_TRUE(receiveFrames(viewer, 15));
  EXPECT_FALSE(viewer.output->waitForFrames(16, 300ms));
  const auto frames = viewer.output->frames();
  for (std::size_t i = 12; i < 15; ++i) EXPECT_EQ(frames[i].header.view, "sagittal");
  edit(viewer, "/views/3/mode", "maximum");
  ASSERT_TRUE(receiveFrames(viewer, 17));
  EXPECT_EQ(viewer.output->frames()[15].header.view, "3d");
}

TEST_F(SessionTest, AnEditOfTheTransferFunctionDrawsTheVolumeAndNoSlice) {
  auto viewer = connect();
  openImage(viewer, "a.nii");
  viewer.output->take("scene");
  sendViewports(viewer, {"axial", "coronal", "sagittal", "3d"});
  ASSERT_TRUE(receiveFrames(viewer, 12));
  edit(viewer, "/layers/0/transfer", {{"preset", "ct-bone"}, {"points", json::array()}});
  ASSERT_TRUE(receiveFrames(viewer, 15));
  EXPECT_FALSE(viewer.output->waitForFrames(16, 300ms));
  EXPECT_EQ(viewer.output->frames()[12].header.view, "3d");
  EXPECT_EQ(viewer.output->frames()[12].header.quality, FrameQuality::moving);
  EXPECT_EQ(viewer.output->frames()[14].header.view, "3d");
  // The slices are as good as new: nobody is told of a revision that they do not have.
  edit(viewer, "/layers/0/opacity", 7);
  EXPECT_EQ(viewer.output->take("scene")["revision"], viewer.output->frames()[11].header.revision);
}

TEST_F(SessionTest, ImagesComeWithTheirHistogramAndTransferFunctions) {
  auto viewer = connect();
  openImage(viewer, "a.nii");
  viewer.output->take("scene");
  const auto ready = [&] {
    json layers;
    do {
      layers = viewer.output->take("images")["layers"];
    } while (layers["a"]["state"] != "ready");
    return layers["a"];
  };
  const json one = ready();
  EXPECT_GE(one["histogram"]["counts"].size(), 1U);
  EXPECT_LE(one["histogram"]["low"], one["histogram"]["high"]);
  ASSERT_EQ(one["transfers"].size(), 5U);
  EXPECT_EQ(one["transfers"][0]["preset"], "");
  EXPECT_GE(one["transfers"][0]["points"].size(), 2U);
  EXPECT_EQ(one["transfers"][1]["title"], "MR T1");
  edit(viewer, "/layers/0/symmetric", true);  // another automatic window, another automatic curve
  EXPECT_NE(ready()["transfers"][0], one["transfers"][0]);
  edit(viewer, "/layers/0/colourMap", "labels");
  EXPECT_FALSE(ready().contains("transfers"));
}

TEST_F(SessionTest, ARefusedEditGivesTheSceneBack) {
  auto viewer = connect();
  const auto hello = viewer.output->take("hello");
  for (const json& patch : {json::array({{{"op", "replace"}, {"path", "/crosshairMm"}, {"value", "here"}}}),
                            json::array({{{"op", "replace"}, {"path", "/crosshairMm"}, {"value", {1, 2, 3}}},
                                         {{"op", "remove"}, {"path", "/nowhere"}}}),
                            json::array({{{"op", "add"}, {"path", "/surprise"}, {"value", 1}}})}) {
    send(viewer, {{"type", "edit"}, {"patch", patch}});
    const auto error = viewer.output->take("error");
    EXPECT_EQ(error["code"], "invalidInput");
    EXPECT_EQ(error["input"], viewer.input);
    const auto scene = viewer.output->take("scene");
    EXPECT_EQ(scene["scene"], hello["scene"]);
    EXPECT_EQ(scene["input"], viewer.input);
  }
  send(viewer, {{"type", "scene"}, {"scene", {{"version", 2}}}});
  EXPECT_EQ(viewer.output->take("error")["code"], "invalidInput");
  EXPECT_EQ(viewer.output->take("scene")["scene"], hello["scene"]);
  EXPECT_EQ(viewer.output->closeCode(), 0);
}

TEST_F(SessionTest, AMalformedMessageEndsThatSessionOnly) {
  struct {
    std::string text;
    int code;
  } const table[] = {{"garbage", 1007},
                     {R"({"type":"edit","input":1,"patch":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]})", 1009},
                     {R"({"type":"probe","input":1,"mm":"x"})", 1007}};
  auto good = connect();
  for (const auto& bad : table) {
    auto viewer = connect();
    engine->receive(*viewer.link, bad.text);
    EXPECT_EQ(viewer.output->closeCode(), bad.code) << bad.text;
    EXPECT_FALSE(viewer.output->closeReason().empty());
    const auto before = viewer.output->textCount();
    engine->receive(*viewer.link, R"({"type":"ping","token":1})");
    EXPECT_EQ(viewer.output->textCount(), before);
    engine->disconnect(viewer.link);
  }
  send(good, {{"type", "ping"}, {"token", 42}});
  EXPECT_EQ(good.output->take("pong")["token"], 42);
  EXPECT_EQ(good.output->closeCode(), 0);
  EXPECT_EQ(engine->sessionCount(), 1U);
}

TEST_F(SessionTest, InputIdsMustIncrease) {
  auto viewer = connect();
  engine->receive(*viewer.link, R"({"type":"probe","input":7,"mm":[0,0,0]})");
  EXPECT_EQ(viewer.output->closeCode(), 0);
  engine->receive(*viewer.link, R"({"type":"probe","input":7,"mm":[0,0,0]})");
  EXPECT_EQ(viewer.output->closeCode(), 1008);
}

TEST_F(SessionTest, ALoadFailureIsReported) {
  auto viewer = connect();
  for (const std::string entry : {"bad.nii", "throw.nii"}) {
    openImage(viewer, entry);
    const auto error = viewer.output->take("error");
    EXPECT_EQ(error["input"], viewer.input);
    EXPECT_EQ(viewer.output->take("images")["layers"].begin()->at("state"), "loading");
    const auto failed = viewer.output->take("images")["layers"];
    EXPECT_EQ(failed.begin()->at("state"), "failed");
    EXPECT_FALSE(failed.begin()->at("error").get<std::string>().empty());
  }
  openImage(viewer, "none.nii");
  EXPECT_EQ(viewer.output->take("error")["code"], "notFound");
  openImage(viewer, "good.nii");
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
}

TEST_F(SessionTest, ASceneShowsTheLayersThatLoad) {
  auto viewer = connect();
  auto scene = viewer.output->take("hello")["scene"];
  scene["layers"] = {{{"id", "a"}, {"source", {{"path", "good.nii"}, {"series", ""}}}},
                     {{"id", "b"}, {"source", {{"path", "bad.nii"}, {"series", ""}}}}};
  sendViewports(viewer, {"axial"});
  send(viewer, {{"type", "scene"}, {"scene", scene}});
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"][1]["opacity"], 1);  // defaults are filled in
  EXPECT_EQ(viewer.output->take("error")["layer"], "b");
  std::map<std::string, std::string> states;
  while (states["a"] != "ready" || states["b"] != "failed") {
    const auto report = viewer.output->take("images");
    ASSERT_FALSE(report.is_null());
    for (const auto& [id, layer] : report["layers"].items()) states[id] = layer["state"];
  }
  // Pictures of the empty scene may come first; the last one, the still, has the layer.
  do {
    ASSERT_TRUE(receiveFrames(viewer, 1));
  } while (renderer->calls().back().volumes != 1U);
  // An edit that changes the source loads it.
  edit(viewer, "/layers/1/source/path", "other.nii");
  EXPECT_TRUE(images.waitForLoad("other.nii"));
}

TEST_F(SessionTest, ANewerOpenCancelsTheOlder) {
  auto viewer = connect();
  openImage(viewer, "slow1.nii");
  ASSERT_TRUE(images.waitForLoad("slow1.nii"));
  openImage(viewer, "good.nii");
  EXPECT_TRUE(images.waitForCancelled("slow1.nii"));
  const auto scene = viewer.output->take("scene");
  EXPECT_EQ(scene["scene"]["layers"][0]["source"]["path"], "good.nii");
  EXPECT_EQ(scene["input"], 2);
}

TEST_F(SessionTest, AnOverlayWaitsForItsBackground) {
  auto viewer = connect();
  openImage(viewer, "slow.nii");
  openImage(viewer, "map.nii", "overlay");
  ASSERT_TRUE(images.waitForLoad("map.nii"));
  images.release();
  EXPECT_EQ(viewer.output->take("scene")["scene"]["layers"].size(), 1U);
  const auto both = viewer.output->take("scene")["scene"]["layers"];
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0]["id"], "slow");
  EXPECT_EQ(both[1]["id"], "map");
}

TEST_F(SessionTest, DisconnectStopsLoadsWhereNoSessionIsKept) {
  startEngine({.keep = 0s});
  auto viewer = connect();
  openImage(viewer, "slow.nii");
  ASSERT_TRUE(images.waitForLoad("slow.nii"));
  engine->disconnect(viewer.link);
  EXPECT_TRUE(images.waitForCancelled("slow.nii"));
  EXPECT_EQ(engine->sessionCount(), 0U);
}

TEST_F(SessionTest, ProbeAnswersFromSourceValues) {
  auto viewer = connect();
  openImage(viewer, "4d.nii");
  viewer.output->take("scene");
  edit(viewer, "/layers/0/time", 2);
  send(viewer, {{"type", "probe"}, {"mm", {1.25, 2, 3}}});
  auto layer = viewer.output->take("values")["layers"][0];
  EXPECT_EQ(layer["voxel"], json({1, 2, 3}));
  EXPECT_EQ(layer["inside"], true);
  EXPECT_EQ(layer["value"], 2321);
  EXPECT_DOUBLE_EQ(layer["trilinear"], 2321.25);
  edit(viewer, "/layers/0/time", 99);  // clamped
  send(viewer, {{"type", "probe"}, {"mm", {0, 0, 0}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["value"], 2000);
  send(viewer, {{"type", "probe"}, {"mm", {-100, 1e300, 0}}});
  layer = viewer.output->take("values")["layers"][0];
  EXPECT_EQ(layer["inside"], false);
  EXPECT_TRUE(layer["value"].is_null());
  openImage(viewer, "rgb.nii");
  viewer.output->take("scene");
  send(viewer, {{"type", "probe"}, {"mm", {2, 0, 0}}});
  EXPECT_EQ(viewer.output->take("values")["layers"][0]["rgb"], json({2, 66, 130}));
}

TEST_F(SessionTest, ABrokenRenderingIsReportedAndTheOthersGoOn) {
  renderer->failFor("coronal");
  renderer->throwFor("sagittal");
  auto viewer = connect();
  sendViewports(viewer, {"axial", "coronal", "sagittal"});
  ASSERT_TRUE(receiveFrames(viewer, 2));
  EXPECT_EQ(viewer.output->take("error")["code"], "internal");
  EXPECT_EQ(viewer.output->take("error")["code"], "internal");
  EXPECT_EQ(viewer.output->closeCode(), 0);
}

TEST_F(SessionTest, WindowsAndThresholdsThatLeaveNothingAreRefused) {
  auto viewer = connect();
  openImage(viewer, "a.nii");
  const json scene = viewer.output->take("scene")["scene"];
  const auto setBoth = [&](const std::string& key, double low, double high) {
    const auto op = [&](const std::string& end, double value) {
      return json{{"op", "replace"}, {"path", "/layers/0/" + key + end}, {"value", value}};
    };
    send(viewer, {{"type", "edit"}, {"patch", {op("Low", low), op("High", high)}}});
  };
  const auto refusedAt = [&](const std::string& where) {
    const auto error = viewer.output->take("error");
    EXPECT_EQ(error["code"], "invalidInput");
    EXPECT_EQ(error["where"], where) << error;
    EXPECT_EQ(viewer.output->take("scene")["scene"], scene) << "the page hears what is true";
  };
  setBoth("window", 5, 3);
  refusedAt("/layers/0/windowLow");
  setBoth("window", 3, 3);
  refusedAt("/layers/0/windowHigh");
  setBoth("threshold", 5, 3);
  refusedAt("/layers/0/thresholdLow");
  json inverted = scene;
  inverted["layers"][0]["windowLow"] = 9;
  inverted["layers"][0]["windowHigh"] = 1;
  send(viewer, {{"type", "scene"}, {"scene", inverted}});
  refusedAt("/layers/0/windowLow");
  json empty = scene;  // as an image of one value gets it by itself
  empty["layers"][0]["windowLow"] = empty["layers"][0]["windowHigh"] = 1;
  send(viewer, {{"type", "scene"}, {"scene", empty}});
  EXPECT_EQ(viewer.output->take("scene")["scene"], empty);
  edit(viewer, "/crosshairMm", {1, 0, 0});
  setBoth("threshold", 3, 3);  // one value is something
  setBoth("window", 1, 2);
  send(viewer, {{"type", "ping"}, {"token", 1}});
  viewer.output->take("pong");
  EXPECT_EQ(viewer.output->closeCode(), 0);
  for (const auto& text : viewer.output->texts()) EXPECT_NE(text["type"], "error") << text;
}

TEST_F(SessionTest, SessionsAreServedInTurn) {
  startEngine({.sessions = 2});
  auto first = connect();
  auto second = connect();
  auto extra = connect();
  EXPECT_EQ(extra.output->closeCode(), 1013);
  renderer->hold(true);
  sendViewports(first, {"axial", "coronal", "sagittal", "3d"});
  sendViewports(second, {"axial"});
  renderer->hold(false);
  ASSERT_TRUE(second.output->waitForFrames(1));  // though the first has much to be drawn and acknowledges nothing
  ASSERT_TRUE(receiveFrames(first, 8));
  engine->broadcast(R"({"type":"catalogue","revision":1})");
  EXPECT_EQ(first.output->take("catalogue")["revision"], 1);
  EXPECT_EQ(second.output->take("catalogue")["revision"], 1);
}

/// An output that acknowledges from within sendFrame, as a benchmark might.
class EchoOutput : public FakeOutput {
 public:
  void sendFrame(std::uint32_t number, std::vector<std::byte> message, FrameHaste haste) override {
    FakeOutput::sendFrame(number, std::move(message), haste);
    engine->receive(*link, json{{"type", "ack"}, {"frame", number}}.dump());
  }
  StreamEngine* engine = nullptr;
  std::shared_ptr<StreamEngine::Link> link;
};

TEST_F(SessionTest, AnOutputMayCallBack) {
  auto output = std::make_shared<EchoOutput>();
  output->engine = engine.get();
  output->link = engine->connect(output, visitor());
  engine->receive(*output->link, R"({"type":"start","protocol":2,"codecs":["jpeg","png"]})");
  engine->receive(
      *output->link,
      R"({"type":"viewports","input":1,"views":{"axial":{"width":9,"height":9},"coronal":{"width":9,"height":9}}})");
  EXPECT_TRUE(output->waitForFrames(6));
  engine->disconnect(output->link);
}

TEST_F(SessionTest, ManyViewersAtOnceUnderFire) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 3; ++round) {
        auto viewer = connect();
        sendViewports(viewer, {"axial", "3d"});
        openImage(viewer, round == 1 ? "slow.nii" : "good.nii");
        for (int i = 0; i < 30; ++i) {
          edit(viewer, "/crosshairMm", {i, t, i});
          send(viewer, {{"type", "probe"}, {"mm", {i, 0, 0}}});
          acknowledgeAll(viewer);
        }
        if (round == 2) engine->receive(*viewer.link, "}{");
        engine->disconnect(viewer.link);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(engine->sessionCount(), 0U);
}

}  // namespace
}  // namespace nora
