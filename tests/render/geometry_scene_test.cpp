// Surfaces and streamlines in volume views whose picture is known.
#include "render/scene/shape_layer.hpp"
#include "tests/render/phantoms.hpp"
#include "tests/render/shape_phantoms.hpp"

#include <numbers>

#include <gmock/gmock.h>

namespace nora {
namespace {

using namespace phantom;

constexpr int side = 201;  // pixels of the pictures; one is a millimetre
constexpr LayerColour red{255, 0, 0};
constexpr LayerColour green{0, 255, 0};
constexpr LayerColour blue{0, 0, 255};

struct GeometryScene : testing::Test {
  Studio studio;

  GeometryScene() {
    // 201 mm from corner to corner, and nothing to see: it decides how large the picture is.
    constexpr double edge = 201 / 1.7320508075688772;
    const double voxel = edge / 4;
    studio.add(
        "field",
        make(VoxelType::uint8, {4, 4, 4}, scaled({voxel, voxel, voxel}, {-1.5 * voxel, -1.5 * voxel, -1.5 * voxel}),
             [](auto, auto, auto) { return 0; }),
        0, 100);
    studio.scene.layers[0].inVolume = false;
  }
  Layer& mesh(const std::string& id, const Mesh& shape, const LayerColour& colour, double opacity = 1) {
    Layer& layer = studio.add(id, surface(shape));
    layer.surface.colour = colour;
    layer.surface.flat = true;
    layer.opacity = opacity;
    return layer;
  }
  Layer& line(const std::string& id, const std::vector<std::vector<Point>>& lines, const LayerColour& colour) {
    Layer& layer = studio.add(id, tracts(lines));
    layer.streamlines.colourBy = StreamlineColour::single;
    layer.streamlines.colour = colour;
    layer.streamlines.widthPixels = 3;
    return layer;
  }
  Frame draw(double stepScale = 1) { return studio.draw("3d", side, side, stepScale); }
};

constexpr int middle = side / 2;

/// Light changes how bright a colour is, not which channel leads.
bool leads(const std::array<int, 3>& p, std::size_t channel) {
  return p[channel] > 60 && p[channel] > 3 * p[(channel + 1) % 3] && p[channel] > 3 * p[(channel + 2) % 3];
}

TEST_F(GeometryScene, SphereCoversTheDiscThatItShould) {
  mesh("ball", sphere({10, 0, -20}, 30), red).surface.flat = false;
  const Frame frame = draw();
  double area = 0, x = 0, y = 0;
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const auto p = pixel(frame, column, row);
      const double shown = p[0] > 0 ? 1 : 0;
      area += shown;
      x += shown * worldOf(frame, column, row)[0];
      y += shown * worldOf(frame, column, row)[2];
    }
  }
  EXPECT_NEAR(area, std::numbers::pi * 30 * 30, 110);  // the rim is half covered: 188 pixels
  EXPECT_NEAR(x / area, 10, 0.1);
  EXPECT_NEAR(y / area, -20, 0.1);
}

TEST_F(GeometryScene, NearerSurfacesHideFartherOnesWhateverTheirOrder) {
  for (const bool nearFirst : {true, false}) {
    studio.scene.layers.resize(1);
    if (nearFirst) mesh("near", plate(20, 30, 30), red);
    mesh("far", plate(-20, 50, 50), green);
    if (!nearFirst) mesh("near", plate(20, 30, 30), red);
    const Frame front = draw();
    EXPECT_TRUE(leads(pixel(front, middle, middle), 0));
    EXPECT_TRUE(leads(pixel(front, middle + 40, middle), 1));
    studio.camera().azimuthDeg = 180;
    const Frame back = draw();
    EXPECT_TRUE(leads(pixel(back, middle, middle), 1));
    studio.camera().azimuthDeg = 0;
  }
}

TEST_F(GeometryScene, AnImageIsNotShownByItselfWhereASurfaceIs) {
  studio.scene.layers.clear();
  studio.add(
      "block",
      make(VoxelType::uint8, {4, 4, 4}, scaled({30, 30, 30}, {-45, -45, -45}), [](auto, auto, auto) { return 100; }), 0,
      100);
  studio.camera().mode = VolumeMode::maximum;
  const auto beside = [&] { return pixel(draw(), middle + 30, middle); };
  const std::array<int, 3> white{255, 255, 255};
  const std::array<int, 3> nothing{0, 0, 0};
  EXPECT_EQ(beside(), white);
  mesh("ball", sphere({0, 0, 0}, 10), red);
  EXPECT_EQ(beside(), nothing);
  studio.scene.layers[0].inVolume = true;
  EXPECT_EQ(beside(), white);
  studio.scene.layers[0].inVolume.reset();
  studio.scene.layers[1].visible = false;
  EXPECT_EQ(beside(), white);
}

TEST_F(GeometryScene, SurfacesThatCrossHideEachOtherWhereTheyAreNearer) {
  const float d = 30;
  mesh("falling", {{{-50, d, -50}, {50, -d, -50}, {50, -d, 50}, {-50, d, 50}}, {{0, 1, 2}, {0, 2, 3}}}, red);
  mesh("rising", {{{-50, -d, -50}, {50, d, -50}, {50, d, 50}, {-50, -d, 50}}, {{0, 1, 2}, {0, 2, 3}}}, green);
  const Frame frame = draw();
  for (const int off : {3, 10, 40}) {
    // The patient's right (-x) is at the left of a picture from the front.
    const bool redAtLeft = worldOf(frame, middle - off, middle)[0] < 0;
    EXPECT_TRUE(leads(pixel(frame, middle - off, middle), redAtLeft ? 0 : 1)) << off;
    EXPECT_TRUE(leads(pixel(frame, middle + off, middle), redAtLeft ? 1 : 0)) << off;
  }
}

TEST_F(GeometryScene, NeighbouringTrianglesLeaveNoGapAndDrawNoPixelTwice) {
  mesh("ball", sphere({0, 0, 0}, 60, 200), blue, 0.5);
  const Frame frame = draw();
  // Two translucent walls everywhere inside: what is drawn twice or not at all stands out from its neighbours.
  for (int row = middle - 40; row < middle + 40; ++row) {
    for (int column = middle - 40; column < middle + 40; ++column) {
      EXPECT_NEAR(pixel(frame, column, row)[2], pixel(frame, column + 1, row)[2], 6) << column << " " << row;
    }
  }
}

TEST_F(GeometryScene, TranslucentSurfacesBlendInTheOrderOfDepth) {
  for (const bool nearFirst : {true, false}) {
    studio.scene.layers.resize(1);
    if (nearFirst) mesh("near", plate(20, 60, 60), red, 0.5);
    mesh("far", plate(-20, 60, 60), green, 0.5);
    mesh("wall", plate(-40, 60, 60), blue);
    if (!nearFirst) mesh("near", plate(20, 60, 60), red, 0.5);
    const Frame frame = draw();
    studio.scene.layers.resize(1);
    mesh("one", plate(20, 60, 60), {255, 255, 255});
    const double light = pixel(draw(), middle, middle)[0] / 255.0;
    const auto p = pixel(frame, middle, middle);
    EXPECT_NEAR(p[0], 0.5 * 255 * light, 25);
    EXPECT_NEAR(p[1], 0.25 * 255 * light, 25);
    EXPECT_NEAR(p[2], 0.25 * 255 * light, 25);
    EXPECT_GT(p[0], p[1] + 30);
  }
}

TEST_F(GeometryScene, EdgesAreSmoothInStillsOnly) {
  mesh("ball", sphere({0, 0, 0}, 50), {255, 255, 255}).surface.flat = false;
  const auto halfTones = [](const Frame& frame) {
    int count = 0;
    for (int x = 0; x < side; ++x) {
      for (int y = 0; y < side; ++y) {
        const int v = pixel(frame, x, y)[0];
        count += v > 5 && v < 35 ? 1 : 0;
      }
    }
    return count;
  };
  EXPECT_GT(halfTones(draw(1)), 60);
  EXPECT_LT(halfTones(draw(2)), 20);
}

TEST_F(GeometryScene, LinesLieInFrontOfInsideAndBehindFog) {
  // A plate of fog from y = -20 to 20: half of the light passes 20 mm of it.
  auto fog = make(VoxelType::uint8, {40, 40, 40}, scaled({1, 1, 1}, {-19.5, -19.5, -19.5}),
                  [](auto, auto, auto) { return 100; });
  Layer& layer = studio.add("fog", fog, 0, 100);
  layer.inVolume = true;
  const double perMm = 1 - std::pow(0.5, 1.0 / 20);
  layer.transfer = {
      "", {{0, 0, LayerColour{0, 0, 255}}, {50, perMm, LayerColour{0, 0, 255}}, {200, perMm, LayerColour{0, 0, 255}}}};
  line("front", {{{-60, 30, 10}, {60, 30, 10}}}, red);
  line("inside", {{{-60, 0, 0}, {60, 0, 0}}}, red);
  line("behind", {{{-60, -30, -10}, {60, -30, -10}}}, red);
  for (const double azimuth : {0.0, 180.0}) {
    studio.camera().azimuthDeg = azimuth;
    const Frame frame = draw();
    const double lit = pixel(frame, middle + 40, middle)[0];  // beside the fog
    EXPECT_GT(lit, 150);
    const double front = pixel(frame, middle, middle - 10)[0];
    const double inside = pixel(frame, middle, middle)[0];
    const double behind = pixel(frame, middle, middle + 10)[0];
    EXPECT_NEAR(inside / lit, 0.5, 0.05) << azimuth;
    EXPECT_NEAR((azimuth == 0 ? front : behind) / lit, 1, 0.02) << azimuth;
    EXPECT_NEAR((azimuth == 0 ? behind : front) / lit, 0.25, 0.05) << azimuth;
  }
}

TEST_F(GeometryScene, OpaqueSurfacesEndRaysAtTheirDepth) {
  auto fog = make(VoxelType::uint8, {40, 40, 40}, scaled({1, 1, 1}, {-19.5, -19.5, -19.5}),
                  [](auto, auto, auto) { return 100; });
  Layer& layer = studio.add("fog", fog, 0, 100);
  layer.inVolume = true;
  const double perMm = 1 - std::pow(0.5, 1.0 / 20);
  layer.transfer = {
      "", {{0, 0, LayerColour{0, 0, 255}}, {50, perMm, LayerColour{0, 0, 255}}, {200, perMm, LayerColour{0, 0, 255}}}};
  mesh("wall", plate(7.3F, 60, 60), red);
  const Frame frame = draw();
  const double bare = pixel(frame, middle + 40, middle)[0];
  EXPECT_NEAR(pixel(frame, middle, middle)[0] / bare, std::pow(0.5, 12.7 / 20), 0.02);
}

TEST_F(GeometryScene, CutsTakeGeometryAwayToo) {
  mesh("wall", plate(0, 60, 60), red);
  studio.camera().clipPlanes = {{{20, 0, 0}, {1, 0, 0}}};
  Frame frame = draw();
  const auto isThere = [&](double x) {
    const double column = (x - frame.geometry.originMm[0]) / frame.geometry.rightMm[0];
    return pixel(frame, static_cast<int>(column), middle)[0] > 0;
  };
  EXPECT_TRUE(isThere(18.5));
  EXPECT_FALSE(isThere(21.5));
  studio.camera().clipPlanes.clear();
  studio.camera().crop = CropBox{{-30, -10, -30}, {10, 10, 30}};
  frame = draw();
  EXPECT_TRUE(isThere(8.5));
  EXPECT_FALSE(isThere(11.5));
  EXPECT_FALSE(isThere(-31.5));
  studio.camera().showCrop = true;
  EXPECT_GT(meanOf(draw(), 0, 0, side, side), meanOf(frame, 0, 0, side, side));
}

TEST_F(GeometryScene, EmbeddedSlicesHideWhatLiesBehindThem) {
  studio.camera().slices = {Plane::coronal};
  studio.scene.layers[0].windowLow = -100;  // a gray slice
  line("front", {{{-50, 20, 10}, {50, 20, 10}}}, red);
  line("behind", {{{-50, -20, -10}, {50, -20, -10}}}, red);
  const Frame frame = draw();
  EXPECT_TRUE(leads(pixel(frame, middle, middle - 10), 0));
  EXPECT_FALSE(leads(pixel(frame, middle, middle + 10), 0));
}

TEST_F(GeometryScene, TubesAreAsWideAsTheyShould) {
  Layer& layer = line("tube", {{{-50, 0, 0}, {50, 0, 0}}}, {255, 255, 255});
  layer.streamlines.tubeMm = 12;
  const Frame frame = draw();
  int rows = 0;
  for (int y = 0; y < side; ++y) rows += pixel(frame, middle, y)[0] > 40 ? 1 : 0;
  EXPECT_NEAR(rows, 12, 1);
  // Round: the middle faces the viewer.
  EXPECT_GT(pixel(frame, middle, middle)[0], pixel(frame, middle, middle + 5)[0] + 20);
}

TEST_F(GeometryScene, CrossingTubesHideEachOtherByTheirRoundness) {
  Layer& a = line("a", {{{-50, 0, 0}, {50, 0, 0}}}, red);
  a.streamlines.tubeMm = 20;
  Layer& b = line("b", {{{0, -5, -50}, {0, -5, 50}}}, green);
  b.streamlines.tubeMm = 20;
  studio.scene.layers[1].streamlines.tubeMm = 20;
  const Frame frame = draw();
  EXPECT_TRUE(leads(pixel(frame, middle, middle), 0));      // nearer by 5 mm
  EXPECT_TRUE(leads(pixel(frame, middle, middle + 9), 1));  // there it has turned away: 4.4 against 10
}

TEST_F(GeometryScene, StreamlinesHaveTheColoursOfTheirDirections) {
  Layer& layer = line("cross", {{{-50, 0, 20}, {50, 0, 20}}, {{0, 0, -50}, {0, 0, 0}}}, red);
  layer.streamlines.colourBy = StreamlineColour::direction;
  const Frame frame = draw();
  EXPECT_TRUE(leads(pixel(frame, middle, middle - 20), 0));
  EXPECT_TRUE(leads(pixel(frame, middle, middle + 20), 2));
  // From end to end a bow is as straight as its chord.
  Layer& bow = line("bow", {{{-40, 0, -60}, {0, 0, -90}, {40, 0, -60}}}, red);
  bow.streamlines.colourBy = StreamlineColour::ends;
  EXPECT_TRUE(leads(pixel(draw(), middle + 20, middle + 75), 0));
}

TEST_F(GeometryScene, StreamlinesAreColouredByValuesAndGroups) {
  const std::vector<std::vector<Point>> lines{{{-50, 0, 20}, {50, 0, 20}}, {{-50, 0, -20}, {50, 0, -20}}};
  Layer& layer = studio.add("lines", tracts(lines, {{"fa", {0, 1, 0, 1}}}, {{"mean", {0, 1}}}, {{0}, {1}}));
  layer.streamlines.widthPixels = 3;
  layer.streamlines.colourBy = StreamlineColour::data;
  layer.streamlines.data = "fa";
  layer.windowLow = 0;
  layer.windowHigh = 1;
  Frame frame = draw();
  const bool leftIsLow = worldOf(frame, middle - 30, middle)[0] < 0;
  EXPECT_GT(pixel(frame, middle + (leftIsLow ? 40 : -40), middle - 20)[0], 150);
  EXPECT_LT(pixel(frame, middle + (leftIsLow ? -40 : 40), middle - 20)[0], 90);
  layer.streamlines.data = "mean";
  frame = draw();
  EXPECT_GT(pixel(frame, middle, middle + 20)[0], 200);
  EXPECT_LT(pixel(frame, middle, middle - 20)[0], 60);
  layer.streamlines.colourBy = StreamlineColour::group;
  frame = draw();
  EXPECT_NE(pixel(frame, middle, middle + 20), pixel(frame, middle, middle - 20));
  layer.streamlines.groups = {"group 1"};
  frame = draw();
  EXPECT_EQ(pixel(frame, middle, middle - 20)[0], 0);
  EXPECT_GT(meanOf(frame, middle, middle + 20, middle + 1, middle + 21), 30);
}

TEST_F(GeometryScene, LengthsEveryNthAndSlabsChooseStreamlines) {
  std::vector<std::vector<Point>> lines;
  for (int i = 0; i < 100; ++i) {
    const auto z = static_cast<float>(i - 50);
    lines.push_back({{-20, 0, z}, {i % 2 == 0 ? 20.0F : 60.0F, 0, z}});
  }
  Layer& layer = line("many", lines, red);
  layer.streamlines.widthPixels = 1;
  const auto rows = [&] {
    const Frame frame = draw();
    const int column = static_cast<int>((0 - frame.geometry.originMm[0]) / frame.geometry.rightMm[0]);
    int count = 0;
    for (int y = 0; y < side; ++y) count += pixel(frame, column, y)[0] > 20 ? 1 : 0;
    return count;
  };
  EXPECT_NEAR(rows(), 100, 2);
  layer.streamlines.minLengthMm = 50;
  EXPECT_NEAR(rows(), 50, 2);  // every other is 80 mm long
  layer.streamlines.maxLengthMm = 60;
  EXPECT_EQ(rows(), 0);
  layer.streamlines.minLengthMm = layer.streamlines.maxLengthMm = 0;
  layer.streamlines.every = 25;
  const int few = rows();
  EXPECT_GE(few, 4);
  EXPECT_LE(few, 9);
  layer.streamlines.every = 1;
  layer.streamlines.slabMm = 20;
  studio.scene.crosshairMm = {0, 0, 10};
  EXPECT_NEAR(rows(), 20, 2);
}

TEST_F(GeometryScene, OverlaysArePaintedByTheirWindowThresholdAndOrder) {
  Mesh wall = plate(0, 60, 60);
  mesh("wall", wall, {200, 200, 200});
  Layer& low = studio.add("values", surface({}, {{"thickness", {0, 1, 1, 0}}}));
  low.colourMap = "gray";
  low.windowLow = 0;
  low.windowHigh = 1;
  Frame frame = draw();
  const bool leftIsLow = worldOf(frame, middle - 30, middle)[0] < 0;
  const auto at = [&](double x) { return pixel(frame, middle + static_cast<int>(leftIsLow ? x : -x), middle); };
  EXPECT_LT(at(-55)[0], 40);
  EXPECT_GT(at(55)[0], 200);
  EXPECT_NEAR(at(0)[0], at(55)[0] / 2.0, 20);
  low.thresholdLow = 0.5;
  frame = draw();
  EXPECT_GT(at(-55)[0], 150) << "the mesh's own colour shows where the threshold hides the values";
  // Labels over it: the colour of a vertex reaches half way to the next.
  LabelTable table({{1, "one", {0, 255, 0, 255}, true}, {2, "two", {0, 0, 255, 255}, true}});
  Layer& labels = studio.add("labels", surface({}, {{"parcels", {1, 2, 2, 1}, DataRole::label, table}}));
  labels.colourMap = "labels";
  frame = draw();
  EXPECT_TRUE(leads(at(-30), 1));
  EXPECT_TRUE(leads(at(30), 2));
  labels.visible = false;
  frame = draw();
  EXPECT_FALSE(leads(at(-30), 1));
}

TEST_F(GeometryScene, ValuesOfAnotherLengthOrStructureAreNotPainted) {
  mesh("wall", plate(0, 60, 60), {200, 200, 200});
  const Frame bare = draw();
  for (const auto& values : {surface({}, {{"short", {1, 2, 3}}}), surface({}, {{"long", {1, 2, 3, 4, 5}}})}) {
    studio.scene.layers.resize(2);
    Layer& layer = studio.add("values", values);
    layer.colourMap = "hot";
    EXPECT_EQ(largestDifference(draw(), bare), 0);
    EXPECT_THAT(whyNotPainted(studio.scene, layer, studio.shapes), testing::HasSubstr("(4 vertices"));
  }
  studio.scene.layers.resize(1);
  Layer& left = studio.add("left", surface(plate(0, 60, 60), {}, "CortexLeft"));
  left.surface.colour = LayerColour{200, 200, 200};
  left.surface.flat = true;
  const Frame plain = draw();
  studio.add("values", surface({}, {{"r", {1, 2, 3, 4}, DataRole::scalar, {}, "CortexRight"}})).colourMap = "hot";
  EXPECT_EQ(largestDifference(draw(), plain), 0);
  studio.scene.layers.resize(2);
  studio.add("values", surface({}, {{"l", {1, 2, 3, 4}, DataRole::scalar, {}, "CortexLeft"}})).colourMap = "hot";
  EXPECT_GT(largestDifference(draw(), plain), 30);
  EXPECT_EQ(whyNotPainted(studio.scene, studio.scene.layers.back(), studio.shapes), "");
}

TEST_F(GeometryScene, BrokenGeometryIsLeftOutAndTheRestIsThere) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float far = 1e9F;
  Mesh odd = plate(0, 30, 30);
  odd.points.insert(odd.points.end(), {{nan, 0, 0}, {far, 0, far}, {0, 0, 0}});
  odd.triangles.insert(odd.triangles.end(), {{0, 1, 4}, {0, 1, 5}, {6, 6, 6}, {0, 0, 1}});
  mesh("odd", odd, red);
  line("lines",
       {{}, {{0, 10, 0}}, {{nan, 0, 0}, {0, 0, nan}}, {{-10, 20, 50}, {10, 20, 50}}, {{far, 0, 0}, {0, far, 0}}},
       green);
  studio.add("empty", surface(Mesh{{{0, 0, 0}}, {}}));
  const Frame frame = draw();
  EXPECT_TRUE(leads(pixel(frame, middle, middle), 0));
  EXPECT_TRUE(leads(pixel(frame, middle, middle - 50), 1));
  for (const char* slice : {"axial", "coronal", "sagittal"}) studio.draw(slice, 64, 64);
}

TEST_F(GeometryScene, CoordinatesInKilometresAreDrawn) {
  studio.scene.layers.clear();
  studio.volumes.clear();
  const float km = 1e6F;
  mesh("huge", sphere({5 * km, 5 * km, 5 * km}, km), red);
  studio.camera().centreMm.reset();
  const Frame frame = draw();
  EXPECT_TRUE(leads(pixel(frame, middle, middle), 0));
}

TEST_F(GeometryScene, MarkersAndTheCubeAreWhereTheyShould) {
  studio.scene.markers = {{MarkerKind::point, {30, 0, 40}, {}, 20, red, 1},
                          {MarkerKind::arrow, {-60, 0, -40}, {-20, 0, -40}, 6, green, 1},
                          {MarkerKind::box, {20, -10, -60}, {60, 10, -30}, 2, blue, 1}};
  const Frame frame = draw();
  const auto at = [&](double x, double z) {
    return pixel(frame, static_cast<int>((x - frame.geometry.originMm[0]) / frame.geometry.rightMm[0]),
                 static_cast<int>((z - frame.geometry.originMm[2]) / frame.geometry.downMm[2]));
  };
  EXPECT_TRUE(leads(at(30, 40), 0));
  EXPECT_TRUE(leads(at(38, 40), 0));
  EXPECT_EQ(at(42, 40)[0], 0);
  EXPECT_TRUE(leads(at(-40, -40), 1));
  EXPECT_TRUE(leads(at(20, -45), 2));
  EXPECT_EQ(at(40, -45)[2], 0) << "a box is open";
  studio.camera().orientationCube = true;
  const Frame cube = draw();
  const auto brightest = [](const std::array<int, 3>& p) { return std::max_element(p.begin(), p.end()) - p.begin(); };
  EXPECT_EQ(brightest(pixel(cube, 20, side - 21)), 1) << "from the front its green face is seen";
  studio.camera().azimuthDeg = 90;
  EXPECT_EQ(brightest(pixel(draw(), 20, side - 21)), 0) << "from the side the red one";
  EXPECT_GT(pixel(draw(), 20, side - 21)[0], 60);
}

TEST_F(GeometryScene, LeftTractIsOnTheLeftInEveryView) {
  line("left", {{{-40, -30, 0}, {-40, 30, 0}, {-40, 30, 20}}}, green);
  studio.scene.crosshairMm = {-40, 0, 0};
  for (const Convention convention : {Convention::radiological, Convention::neurological}) {
    studio.scene.convention = convention;
    for (const char* view : {"3d", "axial", "coronal"}) {  // in the coronal slice it is seen end-on: a dot
      const Frame frame = studio.draw(view, side, side);
      int seen = 0;
      for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
          if (pixel(frame, x, y)[1] < 100) continue;
          ++seen;
          EXPECT_LT(worldOf(frame, x, y)[0], -30);
          const bool atRight = x > middle;
          const bool fromFront = std::string(view) == "3d" || convention == Convention::radiological;
          EXPECT_EQ(atRight, fromFront) << view;
        }
      }
      EXPECT_GT(seen, 2) << view;
    }
  }
}

TEST_F(GeometryScene, PicturesAreTheSameEveryTime) {
  mesh("glass", sphere({0, 0, 0}, 50), red, 0.4);
  std::vector<std::vector<Point>> lines;
  for (int i = 0; i < 300; ++i) {
    const auto a = static_cast<float>(i);
    lines.push_back({{60 * std::cos(a), 60 * std::sin(a), 60 * std::cos(3 * a)},
                     {60 * std::sin(a), 20 * std::cos(a), -60 * std::cos(a)}});
  }
  line("lines", lines, green).opacity = 0.5;
  const Frame first = draw();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(largestDifference(draw(), first), 0);
}

TEST_F(GeometryScene, PicturesTooLargeForGeometryAreRefusedWithTheReason) {
  mesh("ball", sphere({0, 0, 0}, 50), red);
  Frame frame;
  const auto drawn = studio.renderer->render(studio.ask("3d", 16384, 16384), frame);
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, ErrorCode::limitExceeded);
}

}  // namespace
}  // namespace nora
