// Volume views of shapes whose picture is known.
#include "tests/render/phantoms.hpp"

namespace nora {
namespace {

using phantom::make;
using phantom::pixel;
using phantom::Studio;

/// A ball with a soft edge of two voxels, 200 inside and 0 outside.
std::shared_ptr<const Volume> ball(const Vec3& spacing, double radiusMm, VoxelType type = VoxelType::int16,
                                   const Vec3& centre = {0, 0, 0}) {
  phantom::Dims dims{};
  Vec3 origin{};
  for (std::size_t a = 0; a < 3; ++a) {
    dims[a] = static_cast<std::int64_t>(80 / spacing[a]);
    origin[a] = -static_cast<double>(dims[a] - 1) / 2 * spacing[a];
  }
  const Affine affine = phantom::scaled(spacing, origin);
  return make(type, dims, affine, [=](auto x, auto y, auto z) {
    const Vec3 p = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)}) - centre;
    return std::clamp(100 + (radiusMm - length(p)) * 50, 0.0, 200.0);
  });
}

void makeOpaque(Studio& studio) {
  studio.opacities({{0, 0}, {0.49, 0}, {0.51, 0.99}, {1, 0.99}});
}

/// Radii of what is bright, along four directions from the picture's centre, in millimetres.
std::array<double, 4> silhouette(const Frame& frame) {
  const double mm = length(frame.geometry.rightMm);
  const int cx = frame.width / 2;
  const int cy = frame.height / 2;
  std::array<double, 4> radius{};
  const std::array<std::array<int, 2>, 4> directions{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
  for (std::size_t d = 0; d < 4; ++d) {
    int n = 0;
    while (n < cx && n < cy && pixel(frame, cx + n * directions[d][0], cy + n * directions[d][1])[0] > 8) ++n;
    radius[d] = n * mm;
  }
  return radius;
}

TEST(RayCast, BallHasItsSilhouetteFromEverySide) {
  for (const Vec3& spacing : {Vec3{1, 1, 1}, Vec3{0.7, 1.6, 2.5}}) {
    Studio studio;
    studio.add("a", ball(spacing, 30), 0, 200);
    makeOpaque(studio);
    for (const auto& [azimuth, elevation] :
         {std::pair{0.0, 0.0}, {90.0, 0.0}, {37.0, 21.0}, {0.0, 90.0}, {200.0, -65.0}}) {
      studio.camera().azimuthDeg = azimuth;
      studio.camera().elevationDeg = elevation;
      const Frame frame = studio.draw("3d", 241, 241);
      const double pixelMm = length(frame.geometry.rightMm);
      // A voxel's thickness blurs the edge of anisotropic images.
      const double tolerance = pixelMm + (spacing[2] > 1 ? 0.6 : 0.3);
      for (const double radius : silhouette(frame)) EXPECT_NEAR(radius, 30, tolerance) << azimuth << ' ' << elevation;
    }
  }
}

TEST(RayCast, SurfacesThatFaceTheViewerAreBrighter) {
  for (const Vec3& spacing : {Vec3{1, 1, 1}, Vec3{0.7, 1.6, 2.5}}) {
    Studio studio;
    studio.add("a", ball(spacing, 30), 0, 200);
    makeOpaque(studio);
    studio.camera().azimuthDeg = 30;
    const Frame frame = studio.draw("3d", 201, 201);
    const double mm = length(frame.geometry.rightMm);
    const int rim = static_cast<int>(28 / mm);
    const double middle = phantom::meanOf(frame, 98, 98, 103, 103);
    EXPECT_GT(middle, 150);
    for (const auto& [x, y] : {std::pair{100 + rim, 100}, {100 - rim, 100}, {100, 100 + rim}, {100, 100 - rim}}) {
      EXPECT_LT(phantom::meanOf(frame, x - 1, y - 1, x + 2, y + 2), middle - 20) << x << ' ' << y;
    }
  }
}

TEST(RayCast, ShadingIsSmoothOnABall) {
  Studio studio;
  studio.add("a", ball({1, 1, 1}, 30), 0, 200);
  makeOpaque(studio);
  const Frame frame = studio.draw("3d", 401, 401);
  int most = 0;
  for (int x = 150; x < 250; ++x)
    most = std::max(most, std::abs(pixel(frame, x, 200)[0] - pixel(frame, x + 1, 200)[0]));
  EXPECT_LE(most, 6);
}

TEST(RayCast, LeftIsAtTheRightOfThePictureFromTheFront) {
  Studio studio;
  studio.add("a", ball({1, 1, 1}, 8, VoxelType::uint8, {-25, 0, 20}), 0, 200);  // the patient's upper left
  makeOpaque(studio);
  Frame frame = studio.draw("3d", 100, 100);
  EXPECT_GT(phantom::meanOf(frame, 50, 0, 100, 50), 3);
  EXPECT_EQ(phantom::meanOf(frame, 0, 0, 50, 100), 0);
  EXPECT_EQ(phantom::meanOf(frame, 50, 50, 100, 100), 0);
  studio.scene.convention = Convention::neurological;  // a camera does not mirror
  EXPECT_EQ(phantom::largestDifference(frame, studio.draw("3d", 100, 100)), 0);
  studio.camera().azimuthDeg = 180;
  frame = studio.draw("3d", 100, 100);
  EXPECT_EQ(phantom::meanOf(frame, 50, 0, 100, 100), 0);
}

TEST(RayCast, NearerThingsHideFartherOnes) {
  // A plate in front (anterior, y > 0) is half as bright as the one behind it.
  const auto volume =
      make(VoxelType::uint8, {40, 40, 40}, phantom::scaled({1, 1, 1}, {-20, -20, -20}), [](auto, auto y, auto) {
        return y > 28 && y < 34 ? 120 : y > 8 && y < 14 ? 240 : 0;
      });
  Studio studio;
  studio.add("a", volume, 0, 240);
  studio.opacities({{0, 0}, {0.3, 0}, {0.45, 0.4}, {1, 0.4}});
  const double front = phantom::meanOf(studio.draw("3d", 41, 41), 18, 18, 23, 23);
  studio.camera().azimuthDeg = 180;
  const double back = phantom::meanOf(studio.draw("3d", 41, 41), 18, 18, 23, 23);
  EXPECT_GT(front, 40);
  EXPECT_GT(back, front + 25);
}

TEST(RayCast, OpacityIsPerMillimetre) {
  // 40 mm of an even medium, 2 % per mm: 1 - 0.98^40 of the colour, at any step and spacing.
  const double expected = 1 - std::pow(0.98, 40);
  for (const double spacing : {0.5, 1.0, 2.0}) {
    const auto n = static_cast<std::int64_t>(40 / spacing);
    const double origin = -20 + spacing / 2;
    Studio studio;
    studio.add(
        "a",
        make(VoxelType::float32, {n, n, n}, phantom::scaled({spacing, spacing, spacing}, {origin, origin, origin}),
             [](auto, auto, auto) { return 1.0; }),
        0, 1);
    studio.opacities({{0, 0.02}, {1, 0.02}});
    for (const double step : {1.0, 2.0}) {
      const double value = phantom::meanOf(studio.draw("3d", 41, 41, step), 19, 19, 22, 22);
      EXPECT_NEAR(value, 255 * 0.8 * expected, 5) << spacing << ' ' << step;  // 0.8: light without a surface
    }
  }
}

TEST(RayCast, LongStepsFindThinShells) {
  // A shell one voxel thick: plain sampling at four voxels would miss it in most places.
  const auto volume = make(VoxelType::uint8, {64, 64, 64}, phantom::scaled({1, 1, 1}, {-32, -32, -32}),
                           [](auto, auto y, auto) { return y < 32 ? 200 : 0; });
  Studio studio;
  studio.add("a", volume, 0, 200);
  studio.opacities({{0, 0}, {0.4, 0}, {0.5, 0.99}, {0.6, 0}, {1, 0}});
  const Frame frame = studio.draw("3d", 65, 65, 3.7);
  double least = 255;
  for (int x = 25; x < 40; ++x) least = std::min<double>(least, pixel(frame, x, 32)[0]);
  EXPECT_GT(least, 20);
}

TEST(RayCast, StillPicturesAreTheSameBytes) {
  Studio studio;
  studio.add("a", ball({1, 1, 1}, 30), 0, 200);
  const Frame first = studio.draw("3d", 211, 133);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(studio.draw("3d", 211, 133).rgba, first.rgba);
  Studio other;
  other.add("a", ball({1, 1, 1}, 30), 0, 200);
  EXPECT_EQ(other.draw("3d", 211, 133).rgba, first.rgba);
}

TEST(RayCast, SkippingFollowsTheTransferFunction) {
  // The distances of one transfer function must not be used for the next.
  const std::vector<std::pair<double, double>> surface{{0, 0}, {0.7, 0}, {0.72, 0.99}, {1, 0.99}};
  Studio studio;
  studio.add("a", ball({1, 1, 1}, 10), -200, 200);
  studio.opacities(surface);
  const Frame before = studio.draw("3d", 80, 80);
  EXPECT_EQ(phantom::meanOf(before, 30, 20, 50, 25), 0);
  studio.opacities({{0, 0.2}, {1, 0.2}});
  EXPECT_GT(phantom::meanOf(studio.draw("3d", 80, 80), 30, 20, 50, 25), 50);
  studio.opacities(surface);
  EXPECT_EQ(studio.draw("3d", 80, 80).rgba, before.rgba);
}

TEST(RayCast, EveryTypeGivesTheSamePicture) {
  Studio reference;
  reference.add("a", ball({1, 1, 1}, 30, VoxelType::uint8), 0, 200);
  const Frame expected = reference.draw("3d", 90, 90);
  for (const auto type : {VoxelType::int16, VoxelType::uint16, VoxelType::int32, VoxelType::uint32, VoxelType::int64,
                          VoxelType::uint64}) {
    Studio studio;
    studio.add("a", ball({1, 1, 1}, 30, type), 0, 200);
    EXPECT_LE(phantom::largestDifference(studio.draw("3d", 90, 90), expected), 1) << toString(type);
  }
}

TEST(RayCast, ValuesThatAreNoNumbersAreTransparent) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Affine affine = phantom::scaled({1, 1, 1}, {-20, -20, -20});
  Studio studio;
  studio.add("a", make(VoxelType::float32, {40, 40, 40}, affine, [&](auto, auto, auto) { return nan; }), 0, 1);
  studio.opacities({{0, 0.5}, {1, 0.5}});
  EXPECT_EQ(phantom::meanOf(studio.draw("3d", 50, 50), 0, 0, 50, 50), 0);
  studio.volumes["a"] =
      make(VoxelType::float32, {40, 40, 40}, affine, [&](auto x, auto, auto) { return x < 20 ? nan : 1; });
  const Frame frame = studio.draw("3d", 50, 50);
  EXPECT_GT(phantom::meanOf(frame, 16, 20, 22, 30), 50);  // x > 0 is at the left
  EXPECT_EQ(phantom::meanOf(frame, 30, 20, 36, 30), 0);
}

TEST(RayCast, InstructionSetsAgree) {
  std::vector<Frame> volumeViews;
  std::vector<Frame> slices;
  Affine oblique;
  oblique.m = {0.96, -0.2, 0.15, -18, 0.25, 0.95, -0.1, -30, -0.12, 0.14, 0.97, -25, 0, 0, 0, 1};
  const auto wave = make(VoxelType::int16, {50, 61, 47}, oblique, [](auto x, auto y, auto z) {
    return 500 + 400 * std::sin(static_cast<double>(x) * 0.3) * std::cos(static_cast<double>(y) * 0.23) *
                     std::sin(static_cast<double>(z) * 0.31);
  });
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio(isa);
    studio.add("a", wave, 100, 900);
    studio.add("b", wave, 300, 800).colourMap = "viridis";
    studio.scene.layers[1].opacity = 0.4;
    studio.scene.layers[1].interpolation = Interpolation::nearest;
    studio.camera().azimuthDeg = 25;
    studio.camera().elevationDeg = 40;
    volumeViews.push_back(studio.draw("3d", 203, 151));
    slices.push_back(studio.draw("coronal", 203, 151));
  }
  for (std::size_t i = 1; i < slices.size(); ++i) {
    EXPECT_LE(phantom::largestDifference(slices[i], slices[0]), 1) << phantom::instructionSets()[i];
    EXPECT_LE(phantom::largestDifference(volumeViews[i], volumeViews[0]), 1) << phantom::instructionSets()[i];
  }
}

TEST(RayCast, LabelMapsAreShownOnlyWhenThereIsNothingElse) {
  Studio studio;
  studio.add("labels", ball({1, 1, 1}, 30), 0, 200).colourMap = "labels";
  makeOpaque(studio);
  EXPECT_GT(phantom::meanOf(studio.draw("3d", 60, 60), 25, 25, 35, 35), 50);
  studio.add("anatomy", ball({1, 1, 1}, 5), 0, 200);
  const Frame frame = studio.draw("3d", 60, 60);
  EXPECT_EQ(phantom::meanOf(frame, 20, 38, 40, 41), 0);
  studio.scene.layers[1].visible = false;
  EXPECT_GT(phantom::meanOf(studio.draw("3d", 60, 60), 25, 25, 35, 35), 50);
}

}  // namespace
}  // namespace nora
