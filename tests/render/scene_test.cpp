#include "render/scene/scene.hpp"

#include "render/scene/colour_map.hpp"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

Scene fullScene() {
  Scene scene;
  scene.convention = Convention::neurological;
  scene.crosshairMm = {1.5, -2.25, 1e-3};
  Layer layer;
  layer.id = "t1 \xc3\xa9";
  layer.source = {"sub-01/T1w.nii.gz", "1.2.3#4"};
  layer.visible = false;
  layer.opacity = 0.25;
  layer.colourMap = "labels";
  layer.windowLow = -10;
  layer.windowHigh = 8;
  layer.thresholdLow = 0.1;
  layer.symmetric = true;
  layer.interpolation = Interpolation::nearest;
  layer.time = 7;
  layer.component = 2;
  layer.gamma = 1.5;
  layer.outlinePixels = 2;
  layer.vectors = VectorLook::sticks;
  layer.modulatedBy = "b";
  layer.inVolume = true;
  layer.transfer.points = {{-10, 0, {{1, 2, 255}}}, {0.5, 0.1, {{16, 0, 0}}}, {100, 1, {{0, 0, 0}}}};
  layer.isoValue = -3.5;
  scene.layers = {layer, Layer{}};
  scene.layers[1].interpolation = Interpolation::cubic;
  scene.layers[1].transfer.preset = "ct-bone";
  scene.layers[1].id = "b";
  scene.layers[1].thresholdHigh = 4;
  View slice;
  slice.name = "s";
  slice.plane = Plane::oblique;
  slice.right = {0, 1, 0};
  slice.down = {0.5, 0, -1};
  slice.slabMm = 12;
  slice.slabMode = SlabMode::mean;
  slice.zoom = 3;
  slice.centreMm = Vec3{1, 2, 3};
  View camera;
  camera.name = "v";
  camera.kind = ViewKind::volume;
  camera.azimuthDeg = -725.5;
  camera.elevationDeg = 12;
  camera.mode = VolumeMode::isosurface;
  camera.crop = CropBox{{-1, -2, -3}, {4, 5, 6}};
  camera.clipPlanes = {{{1, 2, 3}, {0, 0, 2}}};
  camera.slices = {Plane::coronal, Plane::axial};
  scene.views = {slice, camera};
  return scene;
}

/// The scene's JSON with one thing changed.
json with(const char* pointer, json value) {
  json document = toJson(fullScene());
  document[json::json_pointer(pointer)] = std::move(value);
  return document;
}

void expectRefused(const json& document, const std::string& where) {
  const auto scene = sceneFromJson(document);
  ASSERT_FALSE(scene) << where;
  EXPECT_EQ(scene.error().code, ErrorCode::invalidInput);
  EXPECT_EQ(scene.error().where, where) << scene.error().what;
}

TEST(Scene, JsonKeepsEverything) {
  const Scene scene = fullScene();
  const auto text = toJson(scene).dump();
  const auto again = sceneFromJson(json::parse(text));
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(*again, scene);
}

TEST(Scene, LeftOutKeysTakeTheirDefaults) {
  const auto scene = sceneFromJson(json::parse(
      R"({"version":1,"layers":[{"id":"a","source":{"path":"x"}}],"views":[{"name":"n","kind":"slice"}]})"));
  ASSERT_TRUE(scene) << describe(scene.error());
  Layer layer;
  layer.id = "a";
  layer.source.path = "x";
  EXPECT_EQ(scene->layers.at(0), layer);
  View view;
  view.name = "n";
  EXPECT_EQ(scene->views.at(0), view);
}

TEST(Scene, MistakesAreNamedByTheirPlace) {
  expectRefused(with("/version", 2), "/version");
  expectRefused(with("/layers/1/opacity", 1.5), "/layers/1/opacity");
  expectRefused(with("/layers/1/opacity", "1"), "/layers/1/opacity");
  expectRefused(with("/layers/0/time", -1), "/layers/0/time");
  expectRefused(with("/layers/0/time", 1.5), "/layers/0/time");
  expectRefused(with("/layers/0/id", ""), "/layers/0/id");
  expectRefused(with("/layers/0/id", std::string(65, 'x')), "/layers/0/id");
  expectRefused(with("/layers/0/source/path", nullptr), "/layers/0/source/path");
  expectRefused(with("/layers/0/source/pathh", "x"), "/layers/0/source/pathh");
  expectRefused(with("/layers/0/colourMap", "grey"), "/layers/0/colourMap");
  expectRefused(with("/layers/0/interpolation", "sinc"), "/layers/0/interpolation");
  expectRefused(with("/layers/0/windowLow", nullptr), "/layers/0/windowLow");
  expectRefused(with("/layers/0/windowHigh", nullptr), "/layers/0/windowHigh");
  json inverted = with("/layers/0/windowLow", 9);
  inverted["layers"][0]["windowHigh"] = 1;
  expectRefused(inverted, "/layers/0/windowLow");
  expectRefused(with("/layers/1/id", "t1 \xc3\xa9"), "/layers/1/id");
  expectRefused(with("/views/1/name", "s"), "/views/1/name");
  expectRefused(with("/views/0/zoom", 0), "/views/0/zoom");
  expectRefused(with("/views/0/centreMm", json::array({1, 2})), "/views/0/centreMm");
  expectRefused(with("/views/0/centreMm/1", "x"), "/views/0/centreMm/1");
  expectRefused(with("/layers/0/transfer/points/2/value", 0.5), "/layers/0/transfer/points/2/value");
  expectRefused(with("/layers/0/transfer/points/2/colour", "#12345g"), "/layers/0/transfer/points/2/colour");
  expectRefused(with("/layers/0/transfer/points", json::array({{{"value", 0}}})), "/layers/0/transfer/points");
  expectRefused(with("/layers/0/transfer/preset", "ct-brain"), "/layers/0/transfer/preset");
  expectRefused(with("/layers/0/gamma", 0), "/layers/0/gamma");
  expectRefused(with("/layers/0/inVolume", 1), "/layers/0/inVolume");
  expectRefused(with("/views/0/down", json::array({0, -7, 0})), "/views/0/down");
  expectRefused(with("/views/0/slabMm", -1), "/views/0/slabMm");
  expectRefused(with("/views/1/crop/highMm/1", -2), "/views/1/crop/highMm");
  expectRefused(with("/views/1/clipPlanes/0/normal", json::array({0, 0, 0})), "/views/1/clipPlanes/0/normal");
  expectRefused(with("/views/1/slices/0", "oblique"), "/views/1/slices/0");
  expectRefused(with("/crosshairMm", json::array({0, 0, std::numeric_limits<double>::infinity()})), "/crosshairMm/2");
  expectRefused(with("/a~0b~1c", 1), "/a~0b~1c");
}

TEST(Scene, OtherShapesAreRefused) {
  expectRefused(json::array(), "");
  expectRefused(json(nullptr), "");
  expectRefused(json::object(), "/version");
  expectRefused(with("/layers", 3), "/layers");
  expectRefused(with("/layers/0", 3), "/layers/0");
  expectRefused(with("/layers/0/source", "x"), "/layers/0/source");
  json many = toJson(Scene{});
  for (int i = 0; i < 65; ++i) many["layers"].push_back({{"id", std::to_string(i)}, {"source", {{"path", "x"}}}});
  expectRefused(many, "/layers");
  json views = toJson(Scene{});
  for (int i = 0; i < 33; ++i) views["views"].push_back({{"name", std::to_string(i)}, {"kind", "slice"}});
  expectRefused(views, "/views");
}

TEST(Scene, FindViewKnowsNames) {
  const Scene scene = fullScene();
  EXPECT_EQ(findView(scene, "v"), &scene.views[1]);
  EXPECT_EQ(findView(scene, "w"), nullptr);
}

TEST(ColourMap, EveryNameHasAMapButLabels) {
  for (const auto name : colourMapNames()) EXPECT_EQ(findColourMap(name) != nullptr, name != "labels") << name;
  EXPECT_EQ(findColourMap("none"), nullptr);
}

TEST(ColourMap, EndsAreExact) {
  EXPECT_EQ((*findColourMap("gray"))[0], (Colour{0, 0, 0}));
  EXPECT_EQ((*findColourMap("gray"))[255], (Colour{255, 255, 255}));
  EXPECT_EQ((*findColourMap("gray"))[77], (Colour{77, 77, 77}));
  EXPECT_EQ((*findColourMap("inverse"))[77], (Colour{178, 178, 178}));
  EXPECT_EQ((*findColourMap("hot"))[85], (Colour{255, 0, 0}));
  EXPECT_EQ((*findColourMap("cold"))[85], (Colour{0, 0, 255}));
  EXPECT_EQ((*findColourMap("viridis"))[255], (Colour{0xfd, 0xe7, 0x25}));
}

TEST(ColourMap, NeighbouringLabelsDiffer) {
  EXPECT_EQ(labelColour(0), (Colour{0, 0, 0}));
  std::set<Colour> seen;
  for (int label = 1; label <= 500; ++label) seen.insert(labelColour(label));
  EXPECT_GE(seen.size(), 490U);
  for (int label = 1; label < 500; ++label) {
    int difference = 0;
    for (std::size_t c = 0; c < 3; ++c) difference += std::abs(labelColour(label)[c] - labelColour(label + 1)[c]);
    EXPECT_GE(difference, 60) << label;
  }
}

}  // namespace
}  // namespace nora
