// An engine on simple images, and viewers that talk to it.
#pragma once

#include "support.hpp"

#include <gtest/gtest.h>

namespace nora::test {

class SessionTest : public ::testing::Test {
 protected:
  struct Viewer {
    std::shared_ptr<FakeOutput> output = std::make_shared<FakeOutput>();
    std::shared_ptr<StreamEngine::Link> link;
    std::uint64_t input = 0;
    std::size_t acknowledged = 0;
  };

  SessionTest() { startEngine({}); }
  ~SessionTest() override {
    renderer->hold(false);
    images.release();
  }
  void startEngine(StreamEngine::Options options) {
    engine = std::make_unique<StreamEngine>(std::make_unique<test::SharedRenderer>(renderer), options);
  }
  Viewer connect(const std::string& resume = {}, json codecs = json::array({"jpeg", "png"})) {
    Viewer viewer;
    viewer.link = engine->connect(viewer.output, visitor());
    json start{{"type", "start"}, {"protocol", 2}, {"codecs", std::move(codecs)}};
    if (!resume.empty()) start["resume"] = resume;
    engine->receive(*viewer.link, start.dump());
    return viewer;
  }
  [[nodiscard]] StreamVisitor visitor(const std::string& key = "somebody") const { return {key, fakeImages}; }
  void send(Viewer& viewer, json message) {
    static const std::set<std::string> without{"ack", "ping", "prefer", "key", "ahead"};
    if (!without.contains(message["type"].get<std::string>())) message["input"] = ++viewer.input;
    engine->receive(*viewer.link, message.dump());
  }
  void sendViewports(Viewer& viewer, const std::vector<std::string>& names) {
    json views = json::object();
    for (const auto& name : names) views[name] = {{"width", 64}, {"height", 48}};
    send(viewer, {{"type", "viewports"}, {"views", views}});
  }
  void edit(Viewer& viewer, const std::string& path, const json& value) {
    send(viewer, {{"type", "edit"}, {"patch", json::array({{{"op", "replace"}, {"path", path}, {"value", value}}})}});
  }
  void acknowledgeAll(Viewer& viewer) {
    const auto frames = viewer.output->frames();
    for (; viewer.acknowledged < frames.size(); ++viewer.acknowledged) {
      send(viewer, {{"type", "ack"}, {"frame", frames[viewer.acknowledged].header.frame}});
    }
  }
  /// Acknowledges frames as they come until there are `count`.
  bool receiveFrames(Viewer& viewer, std::size_t count) {
    for (std::size_t n = 1; n <= count; ++n) {
      if (!viewer.output->waitForFrames(n)) return false;
      acknowledgeAll(viewer);
    }
    return true;
  }
  void openImage(Viewer& viewer, const std::string& entry, const char* as = "new") {
    send(viewer, {{"type", "open"}, {"source", {{"path", entry}}}, {"as", as}});
  }

  std::shared_ptr<FakeRenderer> renderer = std::make_shared<FakeRenderer>();
  std::shared_ptr<FakeImages> fakeImages = std::make_shared<FakeImages>();
  FakeImages& images = *fakeImages;
  std::unique_ptr<StreamEngine> engine;
};

}  // namespace nora::test
