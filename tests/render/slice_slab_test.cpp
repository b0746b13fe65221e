// Thick slabs: what they show is computed here voxel by voxel.
#include "render/plan/slab_samples.hpp"
#include "render/scene/colour_map.hpp"
#include "tests/render/phantoms.hpp"

#include <random>

namespace nora {
namespace {

using phantom::colourOf;
using phantom::grayOf;
using phantom::make;
using phantom::pixel;
using phantom::Studio;
using phantom::worldOf;

/// Voxels of 1 x 1 x 2 mm; noise that no neighbour predicts.
std::shared_ptr<const Volume> noise() {
  std::mt19937 random(3);
  return make(VoxelType::uint8, {12, 12, 15}, phantom::scaled({1, 1, 2}, {-6, -6, -14}),
              [&](auto, auto, auto) { return static_cast<double>(random() % 256); });
}

struct SlabView {
  Studio studio;
  SlabView(const std::string& isa, std::shared_ptr<const Volume> volume, double slabMm, SlabMode mode) : studio(isa) {
    studio.scene.convention = Convention::neurological;
    studio.add("a", std::move(volume), 0, 255);
    for (View& view : studio.scene.views) {
      view.slabMm = slabMm;
      view.slabMode = mode;
    }
  }
};

TEST(Slab, ShowsTheExtremesOfTheVoxelsInIt) {
  const auto volume = noise();
  for (const auto& isa : phantom::instructionSets()) {
    for (const auto filter : {Interpolation::nearest, Interpolation::linear}) {
      // Voxel centres at even millimetres: those at -4 to 4 lie in the slab, its ends lie on faces.
      SlabView slab(isa, volume, 10, SlabMode::maximum);
      slab.studio.scene.layers[0].interpolation = filter;
      for (const bool most : {true, false}) {
        slab.studio.scene.views[0].slabMode = most ? SlabMode::maximum : SlabMode::minimum;
        const Frame frame = slab.studio.draw("axial", 12, 12);
        for (int i = 0; i < 144; ++i) {
          const Vec3 mm = worldOf(frame, i % 12, i / 12);
          double best = most ? -1 : 256;
          for (int z = -4; z <= 4; z += 2) {
            const double v = probeAtMm(*volume, {mm[0], mm[1], static_cast<double>(z)}, 0).value;
            best = most ? std::max(best, v) : std::min(best, v);
          }
          if (filter == Interpolation::linear) {  // what the ends add of the voxels beyond
            for (const double z : {-5 + 0.002, 5 - 0.002}) {
              const double v = probeAtMm(*volume, {mm[0], mm[1], z}, 0).trilinear;
              best = most ? std::max(best, v) : std::min(best, v);
            }
          }
          ASSERT_NEAR(pixel(frame, i % 12, i / 12)[0], best, filter == Interpolation::linear ? 1 : 0) << isa << most;
        }
      }
    }
  }
}

TEST(Slab, NoVoxelIsMissedOnObliquePlanes) {
  // One bright voxel anywhere: an oblique slab that holds its centre shows its whole value.
  Affine affine;
  affine.m = {1.1, 0.3, -0.2, -11, -0.25, 0.9, 0.4, -9, 0.2, -0.35, 1.4, -11, 0, 0, 0, 1};
  for (const auto& isa : phantom::instructionSets()) {
    for (int bright = 0; bright < 12; ++bright) {
      const std::array<std::int64_t, 3> at{4 + bright % 5, 5 + bright % 4, 4 + bright % 7};
      const auto volume = make(VoxelType::uint8, {14, 15, 16}, affine, [&](auto x, auto y, auto z) {
        return x == at[0] && y == at[1] && z == at[2] ? 255 : 0;
      });
      SlabView slab(isa, volume, 30, SlabMode::maximum);
      slab.studio.scene.layers[0].interpolation = Interpolation::nearest;
      View& view = slab.studio.scene.views[0];
      view.plane = Plane::oblique;
      view.right = {1, 0.4, -0.3};
      view.down = {0.2, -1, 0.5};
      const Vec3 mm =
          affine.point({static_cast<double>(at[0]), static_cast<double>(at[1]), static_cast<double>(at[2])});
      const Vec3 normal = normalised(cross(view.right, view.down));
      slab.studio.scene.crosshairMm = mm + normal * (bright - 6.0);
      view.centreMm = mm;
      view.zoom = 2;
      const Frame frame = slab.studio.draw("axial", 61, 61);
      EXPECT_EQ(pixel(frame, 30, 30)[0], 255) << isa << bright;
    }
  }
}

TEST(Slab, MeanIsTheIntegralOverTheImage) {
  const auto volume = noise();
  for (const auto& isa : phantom::instructionSets()) {
    SlabView slab(isa, volume, 8, SlabMode::mean);
    // 3 mm beside a voxel's centre; then a slab that reaches out of the image, whose last face is at 15 mm.
    for (const double z : {3.0, 0.0, 13.0}) {
      slab.studio.scene.crosshairMm = {0, 0, z};
      const Frame frame = slab.studio.draw("axial", 12, 12);
      for (int i = 0; i < 144; ++i) {
        const Vec3 mm = worldOf(frame, i % 12, i / 12);
        double sum = 0;
        int count = 0;
        for (double s = z - 4 + 0.005; s < std::min(z + 4, 15.0); s += 0.01, ++count) {
          sum += probeAtMm(*volume, {mm[0], mm[1], s}, 0).trilinear;
        }
        ASSERT_NEAR(pixel(frame, i % 12, i / 12)[0], sum / count, 1.5) << isa << z;
      }
    }
  }
}

TEST(Slab, MeanOfARampIsThePlanesValueInAnyDirection) {
  Affine affine;
  affine.m = {1.1, 0.3, -0.2, -20, -0.25, 0.9, 0.4, -17, 0.2, -0.35, 1.4, -20, 0, 0, 0, 1};
  const auto volume = make(VoxelType::float32, {40, 40, 30}, affine, [&](auto x, auto y, auto z) {
    const Vec3 mm = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
    return 100 + 2 * mm[0] - mm[1] + 3 * mm[2];
  });
  SlabView slab("", volume, 7.3, SlabMode::mean);
  View& view = slab.studio.scene.views[0];
  view.plane = Plane::oblique;
  view.right = {1, 0.4, -0.3};
  view.down = {0.2, -1, 0.5};
  view.zoom = 4;
  const Frame frame = slab.studio.draw("axial", 60, 60);
  for (int i = 0; i < 3600; ++i) {
    const Vec3 mm = worldOf(frame, i % 60, i / 60);
    ASSERT_NEAR(pixel(frame, i % 60, i / 60)[0], grayOf(100 + 2 * mm[0] - mm[1] + 3 * mm[2], 0, 255), 1);
  }
}

TEST(Slab, WhatIsNoNumberIsIgnored) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = make(VoxelType::float32, {3, 3, 5}, Affine{}, [&](auto x, auto, auto z) {
      if (x == 0) return nan;
      return z == 2 ? nan : 40.0 * static_cast<double>(z);
    });
    for (const auto& [mode, expected] :
         {std::pair{SlabMode::maximum, 160}, std::pair{SlabMode::minimum, 0}, std::pair{SlabMode::mean, 80}}) {
      SlabView slab(isa, volume, 5, mode);
      slab.studio.scene.crosshairMm = {1, 1, 2};
      slab.studio.scene.layers[0].interpolation = Interpolation::nearest;
      slab.studio.scene.layers[0].thresholdLow = -1;
      slab.studio.scene.layers[0].colourMap = "green";
      const Frame frame = slab.studio.draw("axial", 3, 3);
      EXPECT_EQ(pixel(frame, 1, 1)[1], expected) << isa;
      EXPECT_EQ(pixel(frame, 0, 1)[1], 0) << isa;
    }
  }
}

TEST(Slab, SignedMapsGoByTheirMagnitude) {
  const auto volume = make(VoxelType::float32, {1, 1, 3}, Affine{}, [](auto, auto, auto z) {
    return z == 0 ? -9.0 : z == 1 ? 2.0 : 5.0;
  });
  SlabView slab("", volume, 3, SlabMode::maximum);
  slab.studio.scene.crosshairMm = {0, 0, 1};
  Layer& layer = slab.studio.scene.layers[0];
  layer.interpolation = Interpolation::nearest;
  layer.windowHigh = 9;
  layer.symmetric = true;
  layer.colourMap = "hot";
  EXPECT_EQ(pixel(slab.studio.draw("axial", 1, 1), 0, 0), (std::array<int, 3>{255, 255, 255}));
  layer.windowHigh = 27;  // a third of the way up the cold map is blue
  EXPECT_EQ(pixel(slab.studio.draw("axial", 1, 1), 0, 0), (std::array<int, 3>{0, 0, 255}));
}

TEST(Slab, OfLabelsTheNearestToThePlaneIsShown) {
  for (const auto& isa : phantom::instructionSets()) {
    // Columns: nothing; a label in the plane; one below and a nearer one above; one outside of the slab.
    const auto volume = make(VoxelType::int16, {4, 1, 11}, Affine{}, [](auto x, auto, auto z) {
      if (x == 1) return z == 5 ? 7 : 8;
      if (x == 2) return z == 2 ? 3 : z == 7 ? 4 : 0;
      return x == 3 && z == 9 ? 5 : 0;
    });
    for (const auto mode : {SlabMode::maximum, SlabMode::minimum, SlabMode::mean}) {
      SlabView slab(isa, volume, 6, mode);
      slab.studio.scene.crosshairMm = {0, 0, 5};
      slab.studio.scene.layers[0].colourMap = "labels";
      const Frame frame = slab.studio.draw("axial", 4, 1);
      const std::array<std::int64_t, 4> expected{0, 7, 4, 0};
      for (int x = 0; x < 4; ++x) {
        const auto wanted = expected[static_cast<std::size_t>(x)];
        EXPECT_EQ(pixel(frame, x, 0), colourOf(wanted)) << isa << x;
      }
    }
  }
}

TEST(Slab, EveryLayerIsSampledInItsOwnGrid) {
  // The overlay has thin voxels in another orientation, one of them bright, 3 mm off the plane.
  const auto background = make(VoxelType::uint8, {10, 10, 10}, phantom::scaled({2, 2, 2}, {-9, -9, -9}),
                               [](auto, auto, auto) { return 10; });
  Affine affine;
  affine.m = {0, 0, 0.5, -5, 1, 0, 0, -5, 0, 0.25, 0, -5, 0, 0, 0, 1};
  const auto overlay = make(VoxelType::uint8, {11, 41, 21}, affine,
                            [](auto x, auto y, auto z) { return x == 5 && y == 32 && z == 10 ? 200 : 0; });
  SlabView slab("", background, 8, SlabMode::maximum);
  slab.studio.add("b", overlay, 0, 255).interpolation = Interpolation::nearest;
  slab.studio.scene.views[0].zoom = 4;
  slab.studio.scene.views[0].centreMm = Vec3{0, 0, 0};
  EXPECT_EQ(pixel(slab.studio.draw("axial", 41, 41), 20, 20)[0], 200);
  slab.studio.scene.views[0].slabMm = 5;
  EXPECT_EQ(pixel(slab.studio.draw("axial", 41, 41), 20, 20)[0], 0);
}

TEST(Slab, SamplesAreBounded) {
  const auto volume = make(VoxelType::uint8, {2, 2, 3000}, phantom::scaled({1, 1, 0.01}, {0, 0, -15}),
                           [](auto, auto, auto z) { return z == 1500 ? 255 : 7; });
  SlabView slab("", volume, 10000, SlabMode::maximum);
  View& view = slab.studio.scene.views[0];
  const auto geometry = viewGeometry(slab.studio.scene, view, &volume->info(), 10, 10);
  ASSERT_TRUE(geometry);
  std::vector<float> offsets;
  for (const auto mode : {SlabMode::maximum, SlabMode::minimum, SlabMode::mean}) {
    view.slabMode = mode;
    placeSlabSamples(view, *geometry, *volume, offsets);
    EXPECT_LE(offsets.size(), mostSlabSamples);
    EXPECT_GT(offsets.size(), 1000U);
    EXPECT_GE(pixel(slab.studio.draw("axial", 10, 10), 5, 5)[0], 7);
  }
  slab.studio.scene.crosshairMm = {0, 0, 1e6};
  EXPECT_EQ(pixel(slab.studio.draw("axial", 10, 10), 5, 5)[0], 0);
}

TEST(Slab, OfColoursIsTheirMeanOrTheBrightest) {
  ImageInfo info;
  info.dims = {1, 1, 2};
  info.type = VoxelType::rgb24;
  const std::vector<std::uint8_t> bytes{200, 100, 0, 0, 50, 250};
  auto made = Volume::copyOf(info, std::as_bytes(std::span(bytes)), "colours");
  ASSERT_TRUE(made);
  const auto volume = std::make_shared<const Volume>(std::move(*made));
  for (const auto& [mode, expected] : {std::pair{SlabMode::maximum, std::array<int, 3>{200, 100, 0}},
                                       std::pair{SlabMode::minimum, std::array<int, 3>{0, 50, 250}},
                                       std::pair{SlabMode::mean, std::array<int, 3>{100, 75, 125}}}) {
    SlabView slab("", volume, 2, mode);
    slab.studio.scene.layers[0].interpolation = Interpolation::nearest;
    slab.studio.scene.crosshairMm = {0, 0, 0.5};
    EXPECT_EQ(pixel(slab.studio.draw("axial", 1, 1), 0, 0), expected);
  }
}

}  // namespace
}  // namespace nora
