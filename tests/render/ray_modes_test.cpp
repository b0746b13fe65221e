// Volume views other than shaded ones, of shapes whose picture is known.
#include "tests/render/phantoms.hpp"

namespace nora {
namespace {

using phantom::grayOf;
using phantom::make;
using phantom::pixel;
using phantom::scaled;
using phantom::Studio;

using phantom::turned;

/// The value in the middle of the picture, undone from its gray level (window 0..255).
int middle(const Frame& frame) {
  return pixel(frame, frame.width / 2, frame.height / 2)[0];
}

struct RayModes : testing::TestWithParam<std::string> {
  Studio studio{GetParam()};
  Frame draw(VolumeMode mode, int width, int height, double stepScale = 1) {
    studio.camera().mode = mode;
    return studio.draw("3d", width, height, stepScale);
  }
};
INSTANTIATE_TEST_SUITE_P(InstructionSets, RayModes, testing::ValuesIn(phantom::instructionSets()),
                         [](const auto& parameter) { return parameter.param; });

TEST_P(RayModes, MaximumOfOnePointIsItsValue) {
  for (const double azimuth : {0.0, 30.0, 180.0}) {
    for (const Vec3& spacing : {Vec3{1, 1, 1}, Vec3{0.7, 1.6, 2.5}}) {
      Studio fresh(GetParam());
      fresh.add("a",
                make(VoxelType::int16, {41, 41, 41}, scaled(spacing, spacing * -20.0),
                     [](auto x, auto y, auto z) { return x == 20 && y == 20 && z == 20 ? 240 : 0; }),
                0, 255);
      fresh.camera().mode = VolumeMode::maximum;
      fresh.camera().azimuthDeg = azimuth;
      fresh.camera().elevationDeg = azimuth / 3;
      EXPECT_NEAR(middle(fresh.draw("3d", 51, 51)), 240, 2) << azimuth << ' ' << spacing[2];
    }
  }
}

TEST_P(RayModes, MaximumAndMinimumFindWhatIsHiddenBehindOthers) {
  const auto volume = make(VoxelType::int16, {60, 60, 60}, scaled({1, 1, 1}, {-30, -30, -30}), [](auto, auto y, auto) {
    return y == 7 ? 200 : y == 50 ? 130 : y == 30 ? 20 : 60;
  });
  studio.add("a", volume, 0, 255);
  EXPECT_NEAR(middle(draw(VolumeMode::maximum, 31, 31)), 200, 1);
  EXPECT_NEAR(middle(draw(VolumeMode::minimum, 31, 31)), 20, 1);
  studio.camera().crop = CropBox{{-100, -10, -100}, {100, 15, 100}};
  EXPECT_NEAR(middle(draw(VolumeMode::maximum, 31, 31)), 60, 1);
  studio.camera().crop = CropBox{{-100, 10, -100}, {100, 100, 100}};
  EXPECT_NEAR(middle(draw(VolumeMode::minimum, 31, 31)), 60, 1);
}

TEST_P(RayModes, ExtremesFollowNegativeSlopesAndInvertedWindows) {
  const auto volume = make(
      VoxelType::int16, {40, 40, 40}, scaled({1, 1, 1}, {-20, -20, -20}),
      [](auto, auto y, auto) { return y == 10   ? 100
                                      : y == 30 ? 10
                                                : 50; }, -2, 300);
  studio.add("a", volume, 0, 400);
  EXPECT_NEAR(middle(draw(VolumeMode::maximum, 41, 41)), grayOf(280, 0, 400), 1);
  EXPECT_NEAR(middle(draw(VolumeMode::minimum, 41, 41)), grayOf(100, 0, 400), 1);
  studio.scene.layers[0].windowLow = 400;
  studio.scene.layers[0].windowHigh = 0;
  EXPECT_NEAR(middle(draw(VolumeMode::maximum, 41, 41)), 255 - grayOf(280, 0, 400), 1);
}

TEST_P(RayModes, ProjectionsUseThresholdsAndColoursOfTheLayer) {
  const auto volume = make(VoxelType::int16, {40, 40, 40}, scaled({1, 1, 1}, {-20, -20, -20}),
                           [](auto x, auto y, auto) { return y == 20 ? (x < 20 ? 150 : -180) : 0; });
  Layer& layer = studio.add("a", volume, 0, 200);
  layer.colourMap = "hot";
  layer.symmetric = true;
  layer.thresholdLow = 160;
  Frame frame = draw(VolumeMode::maximum, 61, 61);
  EXPECT_EQ(pixel(frame, 40, 30), (std::array{0, 0, 0}));  // x < 0 is at the right: 150 is below the threshold
  const auto cold = pixel(frame, 20, 30);
  EXPECT_GT(cold[2], cold[0]);  // -180 is as far from 0 as it gets
  studio.scene.layers[0].thresholdLow = 10;
  frame = draw(VolumeMode::maximum, 61, 61);
  EXPECT_GT(pixel(frame, 40, 30)[0], pixel(frame, 40, 30)[2]);
  EXPECT_EQ(pixel(frame, 20, 30), cold);
}

TEST_P(RayModes, MeanOfABoxIsItsShareOfTheWay) {
  // 20 of 60 mm along y, 250 inside. Half a voxel on either side belongs to the box.
  for (const double spacing : {1.0, 0.5}) {
    Studio fresh(GetParam());
    const auto n = static_cast<std::int64_t>(60 / spacing);
    const double origin = -30 + spacing / 2;
    const auto affine = scaled({spacing, spacing, spacing}, {origin, origin, origin});
    fresh.add("a",
              make(VoxelType::int16, {n, n, n}, affine,
                   [=](auto, auto y, auto) {
                     const double mm = origin + spacing * static_cast<double>(y);
                     return mm > -5 && mm < 15 ? 250 : 0;
                   }),
              0, 255);
    fresh.camera().mode = VolumeMode::mean;
    EXPECT_NEAR(middle(fresh.draw("3d", 31, 31)), 250 * 20 / 60.0, 1);
    fresh.camera().crop = CropBox{{-100, -5, -100}, {100, 35, 100}};
    EXPECT_NEAR(middle(fresh.draw("3d", 31, 31)), 250 * 20 / 35.0, 2);  // the box and 15 mm behind its front
    fresh.camera().clipPlanes = {{{0, 5.25, 0}, {0, 3, 0}}};
    fresh.camera().crop = CropBox{{-100, -4, -100}, {100, 35, 100}};
    EXPECT_NEAR(middle(fresh.draw("3d", 31, 31)), 250, 1);
  }
}

TEST_P(RayModes, MeanOfABallIsItsChord) {
  const Affine affine = turned(scaled({0.8, 1.1, 1.3}, {0, 0, 0}), {79, 59, 49});
  const double radius = 18;
  studio.add(
      "a",
      make(VoxelType::float32, {79, 59, 49}, affine,
           [&](auto x, auto y, auto z) {
             const Vec3 p = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
             return std::clamp(radius - length(p) + 0.5, 0.0, 1.0);
           }),
      0, 1);
  studio.camera().crop = CropBox{{-20, -20, -20}, {20, 20, 20}};
  const Frame frame = draw(VolumeMode::mean, 101, 101);
  for (int x = 30; x <= 70; x += 4) {
    const Vec3 p = phantom::worldOf(frame, x, 50);
    const double off = std::hypot(p[0], p[2]);
    if (off > radius - 2) continue;
    const double share = 2 * std::sqrt(radius * radius - off * off) / 40;
    EXPECT_NEAR(pixel(frame, x, 50)[0], 255 * share, 3) << off;
  }
}

/// How far along the view the surface of a ball lies, found by cutting: a plane just in front of the surface leaves the
/// curved surface to be seen, one just behind it shows the even light of the cut.
TEST_P(RayModes, IsosurfacesLieWhereTheValueIs) {
  for (const Affine& affine : {scaled({1, 1, 1}, {-30, -30, -30}), scaled({0.6, 1.5, 2.5}, {-18, -45, -75}),
                               turned(scaled({0.9, 1.2, 1.7}, {0, 0, 0}), {61, 61, 61})}) {
    Studio fresh(GetParam());
    const Vec3 normal = normalised({0.2, 1, 0.1});
    fresh.add(
        "a",
        make(VoxelType::float32, {61, 61, 61}, affine,
             [&](auto x, auto y, auto z) {
               const Vec3 p = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
               return 100 - 7 * dot(p, normal);  // rises away from the camera in front
             }),
        0, 200);
    fresh.scene.layers[0].isoValue = 93.3;
    fresh.camera().mode = VolumeMode::isosurface;
    const double spacing = std::min({length(affine.column(0)), length(affine.column(1)), length(affine.column(2))});
    const double depth = 6.7 / 7;  // of the plane, along its normal
    const auto lightAt = [&](double offset) {
      fresh.camera().clipPlanes = {{normal * (depth + offset * spacing), normal}};
      return middle(fresh.draw("3d", 17, 17));
    };
    const int before = lightAt(0.05);
    const int behind = lightAt(-0.05);
    EXPECT_GT(before, behind + 8) << "the cut in front of the surface must not change it";
    EXPECT_EQ(lightAt(3), before);
    EXPECT_EQ(lightAt(-1), behind);
  }
}

TEST_P(RayModes, IsosurfaceOfABallHasItsSizeAndLight) {
  const double radius = 20;
  for (const Vec3& spacing : {Vec3{1, 1, 1}, Vec3{0.7, 1.6, 2.5}}) {
    const Vec3 origin = {-39.5 * spacing[0], -24.5 * spacing[1], -19.5 * spacing[2]};
    const Affine affine = scaled(spacing, origin);
    Studio fresh(GetParam());
    fresh.add(
        "a",
        make(VoxelType::float32, {80, 50, 40}, affine,
             [&](auto x, auto y, auto z) {
               const Vec3 p = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
               return 100 + 5 * (radius - length(p));
             }),
        0, 200);
    fresh.scene.layers[0].isoValue = 100;
    fresh.camera().mode = VolumeMode::isosurface;
    const Frame frame = fresh.draw("3d", 301, 301);
    const double mm = length(frame.geometry.rightMm);
    int across = 0;
    for (int x = 0; x < 301; ++x) across += pixel(frame, x, 150)[0] > 0 ? 1 : 0;
    EXPECT_NEAR(across * mm, 2 * radius, 1.5 * mm + 0.02 * spacing[2]);
    // Brightness falls from where the light comes from to the rim, as on a matt ball.
    const double centre = phantom::meanOf(frame, 148, 148, 153, 153);
    const int rim = static_cast<int>(0.9 * radius / mm);
    EXPECT_LT(phantom::meanOf(frame, 150 + rim, 150, 152 + rim, 152), 0.8 * centre);
  }
}

TEST_P(RayModes, TranslucentSurfacesShowWhatIsBehind) {
  const auto volume = make(VoxelType::uint8, {40, 40, 40}, scaled({1, 1, 1}, {-20, -20, -20}), [](auto, auto y, auto) {
    return y == 30 ? 100 : y < 10 ? 200 : 0;
  });
  studio.add("a", volume, 0, 200);
  studio.scene.layers[0].isoValue = 50;
  const int opaque = middle(draw(VolumeMode::isosurface, 41, 41));
  studio.scene.layers[0].opacity = 0.4;
  const int translucent = middle(draw(VolumeMode::isosurface, 41, 41));
  // Front and back of the sheet, then the block: 1 - 0.6^3 of the same light.
  EXPECT_NEAR(translucent, opaque * (1 - 0.6 * 0.6 * 0.6), 3);
}

TEST(RayModes, InstructionSetsAgree) {
  const Affine affine = turned(scaled({0.8, 1.1, 1.3}, {0, 0, 0}), {50, 61, 47});
  const auto wave = make(VoxelType::int16, {50, 61, 47}, affine, [](auto x, auto y, auto z) {
    return 500 + 400 * std::sin(static_cast<double>(x) * 0.3) * std::cos(static_cast<double>(y) * 0.23) *
                     std::sin(static_cast<double>(z) * 0.31);
  });
  for (const auto mode : {VolumeMode::maximum, VolumeMode::minimum, VolumeMode::mean, VolumeMode::isosurface}) {
    std::vector<Frame> frames;
    for (const auto& isa : phantom::instructionSets()) {
      Studio studio(isa);
      studio.add("a", wave, 100, 900).isoValue = 620;
      studio.camera().mode = mode;
      studio.camera().azimuthDeg = 25;
      studio.camera().elevationDeg = 40;
      studio.camera().clipPlanes = {{{0, 3, 0}, {0.3, 1, 0.2}}};
      studio.camera().slices = {Plane::axial};
      frames.push_back(studio.draw("3d", 203, 151));
      // A ray that just touches a surface may miss it by rounding: few pixels may differ.
      std::size_t different = 0;
      for (std::size_t i = 0; i < frames[0].rgba.size(); ++i)
        different += std::abs(int{frames.back().rgba[i]} - int{frames[0].rgba[i]}) > 1 ? 1 : 0;
      EXPECT_LE(different, frames[0].rgba.size() / 2000) << isa << ' ' << static_cast<int>(mode);
    }
  }
}

TEST(RayModes, SparseSamplingIsCloseToDense) {
  const auto volume =
      make(VoxelType::int16, {64, 64, 64}, scaled({1, 1, 1.4}, {-32, -32, -45}), [](auto x, auto y, auto z) {
        const double dx = static_cast<double>(x) - 31;
        const double dy = static_cast<double>(y) - 33;
        const double dz = static_cast<double>(z) * 1.4 - 43;
        const double r = std::sqrt(dx * dx + dy * dy + dz * dz);
        return std::clamp(900 - 30 * r + 120 * std::sin(dx * 0.7) * std::cos(dy * 0.6) * std::sin(dz * 0.5), 0.0,
                          900.0);
      });
  for (const auto mode :
       {VolumeMode::shaded, VolumeMode::maximum, VolumeMode::minimum, VolumeMode::mean, VolumeMode::isosurface}) {
    Studio studio;
    studio.add("a", volume, 0, 900).isoValue = 350;
    studio.opacities({{0, 0}, {0.2, 0}, {0.4, 0.2}, {0.7, 0.1}, {1, 0.6}});
    studio.camera().mode = mode;
    studio.camera().azimuthDeg = 33;
    studio.camera().elevationDeg = 17;
    studio.camera().crop = CropBox{{-25, -25, -30}, {30, 9.3, 30}};
    const Frame still = studio.draw("3d", 150, 120);
    const Frame dense = studio.draw("3d", 150, 120, 0.25);
    EXPECT_GT(phantom::psnr(still, dense), 35) << static_cast<int>(mode);
  }
}

}  // namespace
}  // namespace nora
