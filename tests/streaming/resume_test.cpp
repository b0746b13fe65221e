// Sessions whose connection is lost, and those who come back to them.
#include "session_fixture.hpp"

namespace nora {
namespace {

using namespace std::chrono_literals;
using test::json;

class Resume : public test::SessionTest {
 protected:
  /// A viewer with an image open; `token` is that of its session.
  Viewer viewerWithImage() {
    auto viewer = connect();
    const auto hello = viewer.output->take("hello");
    token = hello["session"];
    EXPECT_EQ(hello["resumed"], false);
    openImage(viewer, "a.nii");
    EXPECT_EQ(viewer.output->take("scene")["type"], "scene");
    return viewer;
  }
  std::string token;
};

TEST_F(Resume, AConnectionIsToldNothingBeforeItsFirstMessage) {
  auto output = std::make_shared<test::FakeOutput>();
  const auto link = engine->connect(output, visitor());
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(output->textCount(), 0U);
  EXPECT_EQ(engine->sessionCount(), 0U);
  engine->receive(*link, R"({"type":"ping","token":1})");
  EXPECT_EQ(output->closeCode(), 1008);
  EXPECT_NE(output->closeReason().find("start"), std::string::npos);
  engine->receive(*link, R"({"type":"start","protocol":2,"codecs":["jpeg","png"]})");
  EXPECT_EQ(engine->sessionCount(), 0U) << "it is over";
}

TEST_F(Resume, AConnectionThatSaysNothingIsEnded) {
  startEngine({.startTime = 50ms});
  auto output = std::make_shared<test::FakeOutput>();
  const auto link = engine->connect(output, visitor());
  auto good = connect();
  EXPECT_TRUE(output->waitForClose());
  EXPECT_EQ(output->closeCode(), 1008);
  EXPECT_EQ(good.output->closeCode(), 0);
}

TEST_F(Resume, AnotherProtocolVersionIsRefusedWithBothNumbers) {
  auto output = std::make_shared<test::FakeOutput>();
  const auto link = engine->connect(output, visitor());
  engine->receive(*link, R"({"type":"start","protocol":1,"codecs":["jpeg","png"]})");
  EXPECT_EQ(output->closeCode(), 1008);
  EXPECT_NE(output->closeReason().find("protocol 1"), std::string::npos) << output->closeReason();
  EXPECT_NE(output->closeReason().find("protocol 2"), std::string::npos) << output->closeReason();
}

TEST_F(Resume, WhoComesBackFindsSceneAndImages) {
  auto viewer = viewerWithImage();
  edit(viewer, "/layers/0/opacity", 0.5);
  sendViewports(viewer, {"axial"});
  ASSERT_TRUE(viewer.output->waitForFrames(1));
  engine->disconnect(viewer.link);
  EXPECT_EQ(engine->sessionCount(), 0U);
  EXPECT_EQ(engine->keptCount(), 1U);
  auto again = connect(token);
  const auto hello = again.output->take("hello");
  EXPECT_EQ(hello["resumed"], true);
  EXPECT_EQ(hello["session"], token);
  EXPECT_EQ(hello["applied"], viewer.input);
  EXPECT_EQ(hello["scene"]["layers"][0]["opacity"], 0.5);
  EXPECT_EQ(again.output->take("images")["layers"].begin().value()["state"], "ready");
  EXPECT_EQ(images.loads("a.nii"), 1) << "the image was kept";
  EXPECT_EQ(engine->sessionCount(), 1U);
  EXPECT_EQ(engine->keptCount(), 0U);
  again.input = viewer.input;
  sendViewports(again, {"axial"});
  ASSERT_TRUE(receiveFrames(again, 3)) << "what was in flight on the old connection counts no more";
  EXPECT_GT(again.output->frames()[0].header.frame, viewer.output->frames()[0].header.frame);
}

TEST_F(Resume, InputsOfBeforeAreNotTakenTwice) {
  auto viewer = viewerWithImage();
  engine->disconnect(viewer.link);
  auto again = connect(token);
  again.output->take("hello");
  edit(again, "/layers/0/opacity", 0.5);  // counts from 1 again
  EXPECT_TRUE(again.output->waitForClose());
  EXPECT_EQ(again.output->closeCode(), 1008);
}

TEST_F(Resume, AConnectionThatSeemsAliveIsTakenOver) {
  auto viewer = viewerWithImage();
  auto again = connect(token);
  EXPECT_EQ(again.output->take("hello")["resumed"], true);
  EXPECT_TRUE(viewer.output->waitForClose());
  EXPECT_EQ(viewer.output->closeCode(), 4001);
  edit(viewer, "/layers/0/opacity", 0.25);  // too late
  engine->disconnect(viewer.link);
  EXPECT_EQ(engine->sessionCount(), 1U) << "the end of the old connection is not that of the session";
  again.input = viewer.input;
  sendViewports(again, {"axial"});
  EXPECT_TRUE(receiveFrames(again, 1));
}

TEST_F(Resume, AnUnknownTokenIsANewSession) {
  auto viewer = connect("00000000000000000000000000000000");
  const auto hello = viewer.output->take("hello");
  EXPECT_EQ(hello["resumed"], false);
  EXPECT_EQ(hello["applied"], 0);
  EXPECT_NE(hello["session"], "00000000000000000000000000000000");
  EXPECT_TRUE(hello["scene"]["layers"].empty());
}

TEST_F(Resume, ASessionIsForgottenInTheEnd) {
  startEngine({.keep = 1s});
  auto viewer = viewerWithImage();
  engine->disconnect(viewer.link);
  ASSERT_EQ(engine->keptCount(), 1U);
  for (int i = 0; i < 400 && engine->keptCount() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(engine->keptCount(), 0U);
  EXPECT_EQ(connect(token).output->take("hello")["resumed"], false);
}

TEST_F(Resume, NothingIsKeptOfOneWhoHadNothingOpenOrWasThrownOut) {
  auto empty = connect();
  engine->disconnect(empty.link);
  EXPECT_EQ(engine->keptCount(), 0U);
  auto bad = viewerWithImage();
  engine->receive(*bad.link, "}{");
  engine->disconnect(bad.link);
  EXPECT_EQ(engine->keptCount(), 0U);
}

TEST_F(Resume, ALoadGoesOnWhileTheConnectionIsGone) {
  auto viewer = connect();
  token = viewer.output->take("hello")["session"];
  openImage(viewer, "slow.nii");
  ASSERT_TRUE(images.waitForLoad("slow.nii"));
  engine->disconnect(viewer.link);
  images.release();
  auto again = connect(token);
  EXPECT_EQ(again.output->take("hello")["resumed"], true);
  json scene = again.output->texts().empty() ? json() : json();
  for (int i = 0; i < 500; ++i) {  // it came before or after the new connection
    engine->disconnect(again.link);
    again = connect(token);
    scene = again.output->take("hello")["scene"];
    if (!scene["layers"].empty()) break;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(scene["layers"].size(), 1U);
  EXPECT_EQ(images.loads("slow.nii"), 1);
}

TEST_F(Resume, ThereAreNoMoreKeptSessionsThanViewersAtOnce) {
  startEngine({.sessions = 2});
  std::vector<std::string> tokens;
  for (int i = 0; i < 4; ++i) {
    auto viewer = viewerWithImage();
    tokens.push_back(token);
    engine->disconnect(viewer.link);
  }
  EXPECT_EQ(engine->keptCount(), 2U);
  EXPECT_EQ(connect(tokens[0]).output->take("hello")["resumed"], false) << "the oldest went first";
  EXPECT_EQ(connect(tokens[3]).output->take("hello")["resumed"], true);
}

}  // namespace
}  // namespace nora
