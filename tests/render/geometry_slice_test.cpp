// Surfaces and streamlines in slices.
#include "tests/render/phantoms.hpp"
#include "tests/render/shape_phantoms.hpp"

namespace nora {
namespace {

using namespace phantom;

constexpr LayerColour red{255, 0, 0};

struct GeometrySlice : testing::Test {
  Studio studio;
  // 100 voxels of a millimetre a side; inside of the ball 100, outside 0
  void addBall(const Point& middle, float radius) {
    const auto voxels = make(
        VoxelType::float32, {100, 100, 100}, scaled({1, 1, 1}, {-49.5, -49.5, -49.5}), [&](auto x, auto y, auto z) {
          const Vec3 p{static_cast<double>(x) - 49.5 - middle[0], static_cast<double>(y) - 49.5 - middle[1],
                       static_cast<double>(z) - 49.5 - middle[2]};
          return std::clamp(radius + 0.5 - length(p), 0.0, 1.0) * 100;
        });
    studio.add("ball", voxels, 0, 100);
  }
};

bool isRed(const std::array<int, 3>& p) {
  return p[0] > 150 && p[1] < 100;
}

TEST_F(GeometrySlice, CutOfASurfaceLiesOnTheBoundaryOfTheVolume) {
  addBall({6, -4, 3}, 25);
  Layer& layer = studio.add("mesh", surface(sphere({6, -4, 3}, 25, 90)));
  layer.surface.colour = red;
  layer.surface.edgePixels = 1;
  studio.scene.crosshairMm = {9.5, -10.5, 8.5};
  for (const char* view : {"axial", "coronal", "sagittal"}) {
    const Frame frame = studio.draw(view, 400, 400);  // four pixels a millimetre
    int seen = 0;
    for (int y = 0; y < 400; ++y) {
      for (int x = 0; x < 400; ++x) {
        if (!isRed(pixel(frame, x, y))) continue;
        ++seen;
        const double off = length(worldOf(frame, x, y) - Vec3{6, -4, 3}) - 25;
        EXPECT_NEAR(off, 0, 0.5) << view << " " << x << " " << y;
      }
    }
    EXPECT_GT(seen, 400) << view;
  }
}

TEST_F(GeometrySlice, CutIsAClosedLineOfItsWidth) {
  addBall({0, 0, 0}, 10);
  Layer& layer = studio.add("mesh", surface(box({-20.2F, -30.3F, -25}, {20.2F, 30.3F, 25})));
  layer.surface.colour = red;
  for (const double width : {1.0, 3.0, 6.0}) {
    layer.surface.edgePixels = width;
    const Frame frame = studio.draw("axial", 400, 400);
    const int row = 200;
    int columns = 0;
    for (int x = 0; x < 200; ++x) columns += pixel(frame, x, row)[0] > 127 && pixel(frame, x, row)[1] < 127 ? 1 : 0;
    EXPECT_NEAR(columns, width, 1);
    for (int y = 90; y < 310; ++y) {
      int found = 0;
      for (int x = 100; x < 140; ++x) found += pixel(frame, x, y)[0] > 60 && pixel(frame, x, y)[1] < 60 ? 1 : 0;
      EXPECT_GT(found, 0) << "a gap in row " << y;
    }
  }
  layer.surface.edgePixels = 0;
  const Frame none = studio.draw("axial", 400, 400);
  for (int x = 0; x < 400; ++x) EXPECT_EQ(pixel(none, x, 200)[0], pixel(none, x, 200)[1]);
}

TEST_F(GeometrySlice, OverlaysColourTheCut) {
  addBall({0, 0, 0}, 10);
  const Mesh shape = box({-30, -30, -30}, {30, 30, 30});
  std::vector<float> values;
  for (const Point& p : shape.points) values.push_back(p[0] < 0 ? 0.0F : 1.0F);
  Layer& layer = studio.add("mesh", surface(shape, {{"side", values}}));
  layer.windowLow = 0;
  layer.windowHigh = 1;
  layer.colourMap = "red";
  layer.surface.edgePixels = 3;
  studio.scene.crosshairMm = {0, 0, 5};
  const Frame frame = studio.draw("axial", 200, 200);
  for (int x = 0; x < 200; ++x) {
    for (int y = 0; y < 200; ++y) {
      const Vec3 mm = worldOf(frame, x, y);
      if (std::abs(mm[1] - 30) > 0.4 || std::abs(mm[0]) > 29) continue;
      EXPECT_NEAR(pixel(frame, x, y)[0], (mm[0] + 30) / 60 * 255, 12);
    }
  }
}

TEST_F(GeometrySlice, StreamlinesShowWhatLiesWithinTheSlice) {
  addBall({40, 40, 40}, 5);
  // One falls through the slices, one lies in the plane z = 0.6, one far above.
  Layer& layer = studio.add(
      "lines",
      tracts({{{-40, 0, -40}, {40, 0, 40}}, {{-30, 20, 0.6F}, {30, 20, 0.6F}}, {{-30, -20, 9}, {30, -20, 9}}}));
  layer.streamlines.colourBy = StreamlineColour::single;
  layer.streamlines.colour = red;
  layer.streamlines.sliceMm = 4;
  studio.scene.crosshairMm = {0, 0, 0};
  const Frame frame = studio.draw("axial", 400, 400);
  for (int x = 0; x < 400; ++x) {
    for (int y = 0; y < 400; ++y) {
      if (!isRed(pixel(frame, x, y))) continue;
      const Vec3 mm = worldOf(frame, x, y);
      const bool falling = std::abs(mm[1]) < 0.5 && std::abs(mm[0]) < 2.5;
      const bool lying = std::abs(mm[1] - 20) < 0.5;
      EXPECT_TRUE(falling || lying) << mm[0] << " " << mm[1];
    }
  }
  const auto isRedAt = [&](double x, double y) {
    const auto& g = frame.geometry;
    const auto column = static_cast<int>((x - g.originMm[0]) / g.rightMm[0]);
    const auto row = static_cast<int>((y - g.originMm[1]) / g.downMm[1]);
    return isRed(pixel(frame, column, row)) || isRed(pixel(frame, column, row - 1));  // the line runs between them
  };
  EXPECT_TRUE(isRedAt(1.5, 0));
  EXPECT_TRUE(isRedAt(-1.5, 0));
  EXPECT_TRUE(isRedAt(-20, 20));
}

TEST_F(GeometrySlice, ObliqueSlicesCutWhereTheyLie) {
  addBall({0, 0, 0}, 5);
  Layer& layer = studio.add("mesh", surface(sphere({0, 0, 0}, 30, 90)));
  layer.surface.colour = red;
  View oblique;
  oblique.name = "oblique";
  oblique.plane = Plane::oblique;
  oblique.right = {1, 1, 0};
  oblique.down = {0, 0.5, -1};
  studio.scene.views.push_back(oblique);
  studio.scene.crosshairMm = {8, -3, 11};
  const Frame frame = studio.draw("oblique", 300, 300);
  int seen = 0;
  for (int x = 0; x < 300; ++x) {
    for (int y = 0; y < 300; ++y) {
      if (!isRed(pixel(frame, x, y))) continue;
      ++seen;
      EXPECT_NEAR(length(worldOf(frame, x, y)), 30, 0.6);
    }
  }
  EXPECT_GT(seen, 200);
}

TEST_F(GeometrySlice, LaterLayersLieOverEarlierOnes) {
  addBall({0, 0, 0}, 5);
  for (const bool redLast : {true, false}) {
    studio.scene.layers.resize(1);
    for (const bool isRedOne : {!redLast, redLast}) {
      Layer& layer = studio.add(isRedOne ? "red" : "blue", surface(box({-20, -20, -20}, {20, 20, 20})));
      layer.surface.colour = isRedOne ? red : LayerColour{0, 0, 255};
      layer.surface.edgePixels = 4;
    }
    const Frame frame = studio.draw("axial", 200, 200);
    const auto& g = frame.geometry;
    const auto p = pixel(frame, static_cast<int>((20 - g.originMm[0]) / g.rightMm[0]), 100);
    EXPECT_EQ(p[0] > p[2], redLast);
  }
}

}  // namespace
}  // namespace nora
