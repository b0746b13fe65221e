// What a pick finds, against scenes whose answer is known.
#include "render/picker.hpp"

#include "tests/render/phantoms.hpp"
#include "tests/render/shape_phantoms.hpp"

namespace nora {
namespace {

using namespace phantom;

struct PickerTest : testing::Test {
  Studio studio;
  Picker picker;

  PickerTest() {
    // A ball of 100 in 0: radius 20, 100 mm a side.
    const auto voxels =
        make(VoxelType::float32, {100, 100, 100}, scaled({1, 1, 1}, {-49.5, -49.5, -49.5}), [](auto x, auto y, auto z) {
          const Vec3 p{static_cast<double>(x) - 49.5, static_cast<double>(y) - 49.5, static_cast<double>(z) - 49.5};
          return std::clamp(20.5 - length(p), 0.0, 1.0) * 100;
        });
    Layer& layer = studio.add("ball", voxels, 0, 100);
    layer.inVolume = true;
    layer.transfer = {"", {{0, 0, {}}, {49, 0, {}}, {51, 1, {}}, {100, 1, {}}}};
  }
  std::optional<PickHit> pick(const Vec3& mm, const std::string& view = "3d") {
    const auto request = studio.ask(view, 300, 300);
    const auto g =
        viewGeometry(studio.scene, *findView(studio.scene, view), &studio.volumes.at("ball")->info(), 300, 300).value();
    const Vec3 off = mm - g.originMm;
    const auto hit = picker.pick(request, dot(off, g.rightMm) / dot(g.rightMm, g.rightMm),
                                 dot(off, g.downMm) / dot(g.downMm, g.downMm));
    if (!hit) ADD_FAILURE() << describe(hit.error());
    return hit ? *hit : std::nullopt;
  }
};

TEST_F(PickerTest, VolumeIsHitWhereItBecomesOpaque) {
  for (const double azimuth : {0.0, 37.0, 180.0}) {
    studio.camera().azimuthDeg = azimuth;
    const auto hit = pick({0, 0, 8});
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->kind, PickKind::image);
    EXPECT_EQ(hit->layer, "ball");
    EXPECT_NEAR(length(hit->mm), 20, 0.7);
    EXPECT_NEAR(hit->mm[2], 8, 0.3);
  }
  EXPECT_FALSE(pick({40, 0, 0}));
}

TEST_F(PickerTest, CutsAndSlicesAreMetWhereTheyLie) {
  studio.camera().clipPlanes = {{{0, 5, 0}, {0, 1, 0}}};
  auto hit = pick({3, 0, 4});
  ASSERT_TRUE(hit);
  EXPECT_NEAR(hit->mm[1], 5, 0.8);
  studio.camera().clipPlanes.clear();
  studio.camera().slices = {Plane::coronal};
  studio.scene.crosshairMm = {0, 30, 0};
  hit = pick({30, 0, 30});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::slice);
  EXPECT_NEAR(hit->mm[0], 30, 0.01);
  EXPECT_NEAR(hit->mm[1], 30, 0.01);
}

TEST_F(PickerTest, SurfacesGiveTheirNearestVertex) {
  studio.add("wall", surface(plate(40, 30, 30))).opacity = 0.3;
  const auto hit = pick({-25, 40, 28});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::surface);
  EXPECT_EQ(hit->layer, "wall");
  EXPECT_EQ(hit->vertex, 3);  // (-30, 40, 30)
  EXPECT_NEAR(hit->mm[1], 40, 0.01);
  EXPECT_NEAR(hit->mm[0], -25, 0.5);
  studio.scene.layers.back().visible = false;
  EXPECT_FALSE(pick({-25, 40, 28}));
}

TEST_F(PickerTest, StreamlinesGiveTheirNumberAlsoNearTheLine) {
  studio.add("lines", tracts({{{-40, 45, 30}, {40, 45, 30}}, {{0, 45, -40}, {0, 45, -35}, {0, 45, -25}}}));
  auto hit = pick({5, 45, 30});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::streamline);
  EXPECT_EQ(hit->streamline, 0);
  EXPECT_EQ(hit->point, 1);
  EXPECT_NEAR(hit->mm[2], 30, 0.01);
  const double pixelMm = std::sqrt(3.0) * 100 / 300;
  hit = pick({2 * pixelMm, 45, -33});  // two pixels beside it
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->streamline, 1);
  EXPECT_EQ(hit->point, 3);
  EXPECT_NEAR(hit->mm[0], 0, 1e-6);
  EXPECT_FALSE(pick({5 * pixelMm, 45, -33}));
}

TEST_F(PickerTest, TheNearestThingIsFound) {
  studio.add("far", surface(plate(-40, 45, 45)));
  auto hit = pick({0, 0, 0});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::image);
  studio.camera().azimuthDeg = 180;
  hit = pick({0, 0, 0});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->layer, "far");
  studio.scene.markers = {{MarkerKind::point, {0, -48, 0}, {}, 4, {255, 0, 0}, 1}};
  hit = pick({0, 0, 0});
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::marker);
  EXPECT_EQ(hit->marker, 0);
}

TEST_F(PickerTest, SlicesPickWhatTheyShow) {
  studio.add("wall", surface(box({-30, -30, -30}, {30, 30, 30})));
  auto hit = pick({30, 10, 0}, "axial");
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->kind, PickKind::surface);
  EXPECT_NEAR(hit->mm[2], 0, 1e-9);
  EXPECT_FALSE(pick({10, 10, 0}, "axial"));
}

TEST_F(PickerTest, ProjectionsGiveThePlaceOfTheirExtreme) {
  studio.camera().mode = VolumeMode::maximum;
  const auto hit = pick({0, 0, 0});
  ASSERT_TRUE(hit);
  EXPECT_LT(length(hit->mm), 21);
  EXPECT_FALSE(pick({40, 0, 30}));
}

TEST_F(PickerTest, UnknownViewsAreErrors) {
  EXPECT_EQ(picker.pick(studio.ask("none", 10, 10), 1, 1).error().code, ErrorCode::notFound);
}

}  // namespace
}  // namespace nora
