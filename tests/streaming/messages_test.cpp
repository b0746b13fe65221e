#include "streaming/protocol/messages.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace nora {
namespace {

using nlohmann::json;

template <class T>
T parsed(const std::string& text) {
  auto message = parseClientMessage(text);
  EXPECT_TRUE(message) << (message ? "" : describe(message.error()));
  return message ? std::get<T>(*message) : T{};
}

TEST(ClientMessages, EachTypeIsRead) {
  const auto open = parsed<OpenMessage>(R"({"type":"open","input":3,"source":{"path":"ab12"},"as":"overlay"})");
  EXPECT_EQ(open.input, 3U);
  EXPECT_EQ(open.source.path, "ab12");
  EXPECT_TRUE(open.asOverlay);
  EXPECT_FALSE(parsed<OpenMessage>(R"({"type":"open","input":3,"source":{"path":"ab12"}})").asOverlay);
  EXPECT_EQ(parsed<SceneMessage>(R"({"type":"scene","input":9007199254740991,"scene":{"version":1}})").scene,
            json({{"version", 1}}));
  EXPECT_EQ(parsed<EditMessage>(R"({"type":"edit","input":1,"patch":[]})").patch, json::array());
  const auto viewports = parsed<ViewportsMessage>(
      R"({"type":"viewports","input":1,"views":{"axial":{"width":4096,"height":1},"3d":{"width":2,"height":3}},"focus":"3d"})");
  EXPECT_EQ(viewports.views.at("axial"), (ViewportSize{4096, 1}));
  EXPECT_EQ(viewports.focus, "3d");
  EXPECT_EQ(parsed<ProbeMessage>(R"({"type":"probe","input":1,"mm":[1,-2.5,3e2]})").mm, (Vec3{1, -2.5, 300}));
  EXPECT_EQ(parsed<CancelMessage>(R"({"type":"cancel","input":1,"layer":"t1"})").layer, "t1");
  EXPECT_EQ(parsed<AckMessage>(R"({"type":"ack","frame":4294967295})").frame, 4294967295U);
  EXPECT_EQ(parsed<PingMessage>(R"({"type":"ping","token":1.5})").token, json(1.5));
}

/// Those that the fuzzer begins with; "@" is an input id.
TEST(ClientMessages, OfTheSampleSessionsAreAllUnderstood) {
  std::set<std::size_t> kinds;
  for (const auto& file : std::filesystem::directory_iterator(NORA_TEST_DATA "/protocol/sessions")) {
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      if (line == "." || line == "~") continue;
      if (const auto at = line.find('@'); at != std::string::npos) line.replace(at, 1, "1");
      const auto message = parseClientMessage(line);
      ASSERT_TRUE(message) << file.path() << ": " << line << ": " << describe(message.error());
      kinds.insert(message->index());
    }
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<ClientMessage> - 1) << "all but start";
}

struct Bad {
  const char* text;
  ErrorCode code = ErrorCode::invalidInput;
};

TEST(ClientMessages, BadOnesAreRefused) {
  const Bad table[] = {
      {""},
      {" "},
      {"{"},
      {"null"},
      {"[]"},
      {"1"},
      {"\"ack\""},
      {"{}"},
      {"{}{}"},
      {"nul"},
      {R"({"type":1})"},
      {R"({"type":"bye"})"},
      {R"({"type":"cancel","input":1})"},
      {R"({"type":"cancel","input":1,"layer":""})"},
      {R"({"type":"cancel","input":1,"layer":7})"},
      {R"({"type":"ack"})"},
      {R"({"type":"ack","frame":0})"},
      {R"({"type":"ack","frame":-1})"},
      {R"({"type":"ack","frame":4294967296})"},
      {R"({"type":"ack","frame":1.5})"},
      {R"({"type":"ack","frame":"1"})"},
      {R"({"type":"ack","frame":1,"extra":1})"},
      {R"({"type":"ping"})"},
      {R"({"type":"ping","token":"x"})"},
      {R"({"type":"ping","token":1e400})"},
      {R"({"type":"open","source":{"path":"a"}})"},
      {R"({"type":"open","input":0,"source":{"path":"a"}})"},
      {R"({"type":"open","input":9007199254740992,"source":{"path":"a"}})"},
      {R"({"type":"open","input":1})"},
      {R"({"type":"open","input":1,"source":{"path":7}})"},
      {R"({"type":"open","input":1,"source":{"path":"a"},"as":"new "})"},
      {R"({"type":"open","input":1,"source":{"path":"a"},"as":null})"},
      {R"({"type":"scene","input":1})"},
      {R"({"type":"scene","input":1,"scene":[]})"},
      {R"({"type":"edit","input":1,"patch":{}})"},
      {R"({"type":"edit","input":1})"},
      {R"({"type":"edit","input":true,"patch":[]})"},
      {R"({"type":"viewports","input":1})"},
      {R"({"type":"viewports","input":1,"views":[]})"},
      {R"({"type":"viewports","input":1,"views":{"a":{"width":0,"height":1}}})"},
      {R"({"type":"viewports","input":1,"views":{"a":{"width":4097,"height":1}}})"},
      {R"({"type":"viewports","input":1,"views":{"a":{"width":10}}})"},
      {R"({"type":"viewports","input":1,"views":{"a":{"width":10,"height":10,"depth":1}}})"},
      {R"({"type":"viewports","input":1,"views":{"a":7}})"},
      {R"({"type":"viewports","input":1,"views":{"":{"width":1,"height":1}}})"},
      {R"({"type":"viewports","input":1,"views":{},"focus":1})"},
      {R"({"type":"probe","input":1})"},
      {R"({"type":"probe","input":1,"mm":[1,2]})"},
      {R"({"type":"probe","input":1,"mm":[1,2,null]})"},
      {R"({"type":"probe","input":1,"mm":[1,2,3,4]})"},
      {R"({"type":"probe","input":1,"mm":{"x":1}})"},
      {"{\"type\":\"open\",\"input\":1,\"entry\":\"\xff\xfe\"}"},
  };
  for (const auto& bad : table) {
    const auto message = parseClientMessage(bad.text);
    ASSERT_FALSE(message) << bad.text;
    EXPECT_EQ(message.error().code, bad.code) << bad.text;
  }
}

TEST(ClientMessages, SizeAndDepthAreBounded) {
  const std::string prefix = R"({"type":"edit","input":1,"patch":)";
  const auto nested = [&](int depth) { return prefix + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  EXPECT_TRUE(parseClientMessage(nested(15)));
  EXPECT_EQ(parseClientMessage(nested(16)).error().code, ErrorCode::limitExceeded);
  EXPECT_EQ(parseClientMessage(nested(400'000)).error().code, ErrorCode::limitExceeded);
  EXPECT_TRUE(parseClientMessage(R"({"type":"open","input":1,"source":{"path":"[[[[[[[[[[[[[[[[[[[\"[[[["}})"));
  const std::string fits = R"({"type":"open","input":1,"source":{"path":"a"}})";
  EXPECT_TRUE(parseClientMessage(fits + std::string(maxMessageBytes - fits.size(), ' ')));
  EXPECT_EQ(parseClientMessage(fits + std::string(maxMessageBytes, ' ')).error().code, ErrorCode::limitExceeded);
}

TEST(ClientMessages, RandomMutantsNeverThrow) {
  const std::vector<std::string> seeds{
      R"({"type":"open","input":3,"source":{"path":"ab12"},"as":"overlay"})",
      R"({"type":"edit","input":12,"patch":[{"op":"replace","path":"/layers/0/opacity","value":0.5}]})",
      R"({"type":"viewports","input":1,"views":{"axial":{"width":640,"height":480}},"focus":"axial"})",
      R"({"type":"probe","input":1,"mm":[1.5,-2e3,3]})", R"({"type":"ack","frame":17})"};
  std::mt19937 random(7);  // NOLINT: the same mutants every time
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text = seeds[random() % seeds.size()];
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, 1 + random() % 4); break;
        case 2: text.insert(at, 1, "{}[]\",:0-e\\"[random() % 11]); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 8)); break;
      }
      if (text.empty()) text = " ";
    }
    accepted += parseClientMessage(text) ? 1 : 0;
  }
  EXPECT_GT(accepted, 50);
  EXPECT_LT(accepted, 4000);
}

json document() {
  return json::parse(
      R"({"version":1,"list":[1,2,3],"layers":[{"id":"a","opacity":1},{"id":"b"}],"text":"x","nothing":null})");
}

TEST(JsonPatch, ExamplesOfTheRfc) {
  const auto apply = [](const char* patch) { return applyPatch(document(), json::parse(patch)).value(); };
  EXPECT_EQ(apply(R"([{"op":"replace","path":"/layers/0/opacity","value":0.5}])")["layers"][0]["opacity"], 0.5);
  EXPECT_EQ(apply(R"([{"op":"add","path":"/list/1","value":9}])")["list"], json({1, 9, 2, 3}));
  EXPECT_EQ(apply(R"([{"op":"add","path":"/list/-","value":9}])")["list"], json({1, 2, 3, 9}));
  EXPECT_EQ(apply(R"([{"op":"add","path":"/list/3","value":9}])")["list"], json({1, 2, 3, 9}));
  EXPECT_EQ(apply(R"([{"op":"remove","path":"/list/0"}])")["list"], json({2, 3}));
  EXPECT_EQ(apply(R"([{"op":"move","from":"/layers/0","path":"/layers/1"}])")["layers"][1]["id"], "a");
  EXPECT_EQ(apply(R"([{"op":"copy","from":"/list","path":"/text"}])")["text"], json({1, 2, 3}));
  EXPECT_EQ(apply(R"([{"op":"test","path":"/list/2","value":3},{"op":"remove","path":"/list"}])").contains("list"),
            false);
  EXPECT_EQ(apply(R"([{"op":"add","path":"/a~1b~0","value":1}])")["a/b~"], 1);
}

TEST(JsonPatch, WhatDoesNotFitIsRefused) {
  for (const char* patch : {R"([{"op":"replace","path":"/nowhere","value":1}])",
                            R"([{"op":"remove","path":"/nowhere"}])",
                            R"([{"op":"add","path":"/version/x","value":1}])",
                            R"([{"op":"add","path":"/text/0","value":1}])",
                            R"([{"op":"add","path":"/list/4","value":1}])",
                            R"([{"op":"add","path":"/list/01","value":1}])",
                            R"([{"op":"add","path":"/list/-1","value":1}])",
                            R"([{"op":"add","path":"/list/1e0","value":1}])",
                            R"([{"op":"remove","path":"/list/3"}])",
                            R"([{"op":"remove","path":"/list/-"}])",
                            R"([{"op":"remove","path":""}])",
                            R"([{"op":"move","from":"/list","path":"/list/0"}])",
                            R"([{"op":"test","path":"/version","value":2}])",
                            R"([{"op":"add","path":"no slash","value":1}])",
                            R"([{"op":"add","path":"/a~2","value":1}])",
                            R"([{"op":"add","path":"/x"}])",
                            R"([{"op":"add","value":1}])",
                            R"([{"op":"copy","path":"/x"}])",
                            R"([{"op":"dance","path":"/x"}])",
                            R"([{"path":"/x"}])",
                            R"([7])",
                            R"([null])",
                            R"([{"op":"add","path":"/nothing/x","value":1}])",
                            R"([{"op":"remove","path":"/list/18446744073709551616"}])"}) {
    EXPECT_FALSE(applyPatch(document(), json::parse(patch))) << patch;
  }
}

TEST(JsonPatch, CopiesOfCopiesAreBounded) {
  json patch = json::array();
  for (int i = 0; i < 200; ++i) patch.push_back({{"op", "copy"}, {"from", ""}, {"path", "/list/-"}});
  EXPECT_EQ(applyPatch(document(), patch).error().code, ErrorCode::limitExceeded);
  json text = json::array({{{"op", "add"}, {"path", "/text"}, {"value", std::string(500'000, 'x')}}});
  for (int i = 0; i < 200; ++i) text.push_back({{"op", "copy"}, {"from", "/text"}, {"path", "/list/-"}});
  EXPECT_EQ(applyPatch(document(), text).error().code, ErrorCode::limitExceeded);
  json many = json::array();
  for (int i = 0; i < 257; ++i) many.push_back({{"op", "test"}, {"path", "/version"}, {"value", 1}});
  EXPECT_EQ(applyPatch(document(), many).error().code, ErrorCode::limitExceeded);
}

/// Refused although nothing of it is left in the end.
TEST(JsonPatch, LargeValuesMovedToAndFroAreBounded) {
  json patch = json::array({{{"op", "add"}, {"path", "/x"}, {"value", json(std::vector<std::string>(1000))}}});
  for (int i = 0; i < 100; ++i) {
    patch.push_back({{"op", "move"}, {"from", i % 2 == 0 ? "/x" : "/y"}, {"path", i % 2 == 0 ? "/y" : "/x"}});
  }
  patch.push_back({{"op", "remove"}, {"path", "/x"}});
  EXPECT_EQ(applyPatch(document(), patch).error().code, ErrorCode::limitExceeded);
  EXPECT_EQ(applyPatch(document(), patch, std::size_t{16} << 20).value(), document());
}

TEST(JsonPatch, NothingIsPutDeeperThanAMessageMayBe) {
  json nested = 1;
  for (int i = 0; i < 12; ++i) nested = json::array({nested});
  std::string inside;
  for (int i = 0; i < 12; ++i) inside += "/0";
  const json patch = json::array({{{"op", "add"}, {"path", "/x"}, {"value", nested}},
                                  {{"op", "copy"}, {"from", "/x"}, {"path", "/x" + inside}},
                                  {{"op", "remove"}, {"path", "/x"}}});
  EXPECT_EQ(applyPatch(document(), patch).error().code, ErrorCode::limitExceeded);
}

TEST(ServerMessages, FileNamesThatAreNotUtf8DoNotStopThem) {
  const Error error{ErrorCode::notFound, "no such file \xff", "a\x80.nii"};
  const auto message = json::parse(errorMessage(error, 4, "t1"));
  EXPECT_EQ(message["code"], "notFound");
  EXPECT_EQ(message["input"], 4);
  EXPECT_EQ(message["layer"], "t1");
  EXPECT_FALSE(json::parse(errorMessage(error)).contains("input"));
  const auto images =
      json::parse(imagesMessage({{"a", "odd\xffname", ImageState::failed, nullptr, {}, "why\xff", {}, 0}}, 1));
  EXPECT_EQ(images["layers"]["a"]["state"], "failed");
}

TEST(ServerMessages, ProgressHasThreeDigits) {
  EXPECT_EQ(json::parse(progressMessage({{"t1", 0.123456}, {"t2", 1.0}})),
            json({{"type", "progress"}, {"layers", {{"t1", 0.123}, {"t2", 1}}}}));
}

TEST(ServerMessages, ImagesTellWhatTimePointsAreThereAndOfWhichOpenTheyAre) {
  const auto images = json::parse(imagesMessage({{"a", "a.nii", ImageState::ready, nullptr, {}, "", TimeRange{3, 1}, 0},
                                                 {"b", "b.nii", ImageState::loading, nullptr, {}, "", {}, 17}},
                                                5));
  EXPECT_EQ(images["revision"], 5);
  EXPECT_EQ(images["layers"]["a"]["rest"], "loading");
  EXPECT_FALSE(images["layers"]["a"].contains("awaits"));
  EXPECT_EQ(images["layers"]["a"]["held"], json({3, 1}));
  EXPECT_FALSE(images["layers"]["a"].contains("input"));
  EXPECT_EQ(images["layers"]["b"]["input"], 17);
  EXPECT_FALSE(images["layers"]["b"].contains("held"));
}

TEST(ServerMessages, ImagesTellOfATimePointThatIsNotThere) {
  LayerReport report{"a", "a.nii", ImageState::ready, nullptr, {}, "", TimeRange{3, 1}, 0};
  report.restStopped = true;
  const std::pair<AwaitedTime::State, const char*> states[] = {{AwaitedTime::State::loading, "loading"},
                                                               {AwaitedTime::State::stopped, "stopped"},
                                                               {AwaitedTime::State::failed, "failed"}};
  for (const auto& [state, name] : states) {
    report.awaited = AwaitedTime{8, state};
    const auto layer = json::parse(imagesMessage({report}, 1))["layers"]["a"];
    EXPECT_EQ(layer["rest"], "stopped");
    EXPECT_EQ(layer["awaits"], json({{"time", 8}, {"state", name}}));
  }
}

TEST(ServerMessages, LongTablesAreOnlyCountedInImages) {
  ImageInfo info;
  info.labels = LabelTable({{1, "one"}, {2, "two"}}, "a.txt");
  info.diffusion = DiffusionScheme{"a.bval", {0, 1000, 1000}, std::vector<Vec3>(3)};
  LayerReport report{"a", "a.nii", ImageState::ready, &info, {}, "", {}, 0};
  const auto images = json::parse(imagesMessage({report}, 1));
  EXPECT_EQ(images["layers"]["a"]["info"]["labels"], json({{"source", "a.txt"}, {"count", 2}}));
  EXPECT_EQ(images["layers"]["a"]["info"]["diffusion"], json({{"source", "a.bval"}, {"count", 3}}));
}

TEST(ServerMessages, ValuesNameTheirLabels) {
  const LayerValue named{"a", {}, std::nullopt, "Hippocampus"}, plain{"b", {}, std::nullopt, {}};
  const auto message = json::parse(valuesMessage(1, {1, 2, 3}, {named, plain}));
  EXPECT_EQ(message["layers"][0]["label"], "Hippocampus");
  EXPECT_FALSE(message["layers"][1].contains("label"));
}

TEST(ServerMessages, NumbersThatJsonCannotSayAreNull) {
  LayerValue value{"a", {}, std::nullopt, {}};
  value.probe.value = std::numeric_limits<double>::quiet_NaN();
  value.probe.trilinear = std::numeric_limits<double>::infinity();
  const auto message = json::parse(valuesMessage(1, {1, 2, 3}, {value}));
  EXPECT_TRUE(message["layers"][0]["value"].is_null());
  EXPECT_TRUE(message["layers"][0]["trilinear"].is_null());
}

}  // namespace
}  // namespace nora
