// Cubic interpolation and gamma against their formulas in double.
#include "render/scene/colour_map.hpp"
#include "tests/render/phantoms.hpp"

namespace nora {
namespace {

using phantom::grayOf;
using phantom::make;
using phantom::pixel;
using phantom::Studio;
using phantom::worldOf;

/// Keys (1981), a = -1/2: the piecewise kernel itself.
double keys(double s) {
  s = std::abs(s);
  if (s < 1) return 1.5 * s * s * s - 2.5 * s * s + 1;
  if (s < 2) return -0.5 * s * s * s + 2.5 * s * s - 4 * s + 2;
  return 0;
}

struct Cubic {
  double value = 0;
  double low = 1e300;
  double high = -1e300;
};

/// Of up to 64 voxels; positions beyond the outer centres and voxels beyond the edge are the edge's.
Cubic cubicAt(const Volume& volume, Vec3 p) {
  Cubic out;
  std::array<std::int64_t, 3> first{};
  for (std::size_t a = 0; a < 3; ++a) {
    p[a] = std::clamp(p[a], 0.0, static_cast<double>(volume.dims()[a] - 1));
    first[a] = static_cast<std::int64_t>(std::floor(p[a])) - 1;
  }
  for (int corner = 0; corner < 64; ++corner) {
    const std::array<std::int64_t, 3> step{corner % 4, corner / 4 % 4, corner / 16};
    double weight = 1;
    std::array<std::int64_t, 3> at{};
    for (std::size_t a = 0; a < 3; ++a) {
      weight *= keys(p[a] - static_cast<double>(first[a] + step[a]));
      at[a] = std::clamp<std::int64_t>(first[a] + step[a], 0, volume.dims()[a] - 1);
    }
    if (weight == 0) continue;
    const double v = volume.value(at[0], at[1], at[2]);
    out.value += weight * v;
    out.low = std::min(out.low, v);
    out.high = std::max(out.high, v);
  }
  return out;
}

Affine shearedAndRotated() {
  Affine affine;
  affine.m = {1.1, 0.3, -0.2, -10, -0.25, 0.9, 0.4, -8, 0.2, -0.35, 1.9, -9, 0, 0, 0, 1};
  return affine;
}

TEST(CubicSlice, IsKeysInterpolationHeldWithinItsVoxels) {
  for (const auto& isa : phantom::instructionSets()) {
    for (const auto type : {VoxelType::uint8, VoxelType::int16, VoxelType::float32, VoxelType::float64}) {
      const auto volume = make(type, {15, 13, 9}, shearedAndRotated(), [](auto x, auto y, auto z) {
        return static_cast<double>((x * x * 7 + y * 13 + z * z * 29 + x * y * z) % 120);
      });
      Studio studio(isa);
      studio.add("a", volume, 0, 120).interpolation = Interpolation::cubic;
      studio.scene.crosshairMm = volume->worldFromVoxel().point({7.3, 6.1, 4.4});
      for (const char* view : {"axial", "coronal", "sagittal"}) {
        const Frame frame = studio.draw(view, 71, 53);
        int inside = 0;
        for (int y = 0; y < frame.height; ++y) {
          for (int x = 0; x < frame.width; ++x) {
            const Vec3 voxel = volume->voxelFromWorld().point(worldOf(frame, x, y));
            if (std::isnan(volume->trilinear(voxel))) continue;
            const Cubic cubic = cubicAt(*volume, voxel);
            const double held = std::clamp(cubic.value, cubic.low, cubic.high);
            ASSERT_NEAR(pixel(frame, x, y)[0], grayOf(held, 0, 120), 1) << isa << " " << view << x << "," << y;
            ++inside;
          }
        }
        EXPECT_GT(inside, 500);
      }
    }
  }
}

TEST(CubicSlice, VoxelCentresKeepTheirValues) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = make(VoxelType::int16, {16, 16, 16}, phantom::scaled({1, 1, 1}, {-5, 3, 7}),
                             [](auto x, auto y, auto z) { return (x * 7 + y * 13 + z * 29 + x * y * z) % 256; });
    Studio studio(isa);
    studio.add("a", volume, 0, 255).interpolation = Interpolation::cubic;
    studio.scene.crosshairMm = {2, 9, 15};
    for (const char* view : {"axial", "coronal", "sagittal"}) {
      const Frame frame = studio.draw(view, 16, 16);
      for (int i = 0; i < 256; ++i) {
        const Probe probe = probeAtMm(*volume, worldOf(frame, i % 16, i / 16), 0);
        ASSERT_EQ(pixel(frame, i % 16, i / 16)[0], probe.value) << isa << view;
      }
    }
  }
}

TEST(CubicSlice, IsExactForParabolasAndLinearIsNot) {
  const auto volume = make(VoxelType::float32, {21, 4, 4}, Affine{},
                           [](auto x, auto, auto) { return static_cast<double>((x - 10) * (x - 10)); });
  Studio studio;
  studio.scene.convention = Convention::neurological;
  studio.scene.crosshairMm = {10, 1, 1};
  studio.add("a", volume, 0, 100).interpolation = Interpolation::cubic;
  const auto worst = [&] {
    const Frame frame = studio.draw("axial", 210, 40);
    const double high = *studio.scene.layers[0].windowHigh;
    int most = 0;
    for (int x = 30; x < 180; ++x) {
      const double mm = worldOf(frame, x, 20)[0] - 10;
      most = std::max(most, std::abs(pixel(frame, x, 20)[0] - grayOf(mm * mm, 0, high)));
    }
    return most;
  };
  // Between its lowest voxel and the next ones a parabola stays above its least voxel, so that nothing is held.
  EXPECT_LE(worst(), 1);
  studio.scene.layers[0].windowHigh = 2;
  EXPECT_LE(worst(), 1);
  studio.scene.layers[0].interpolation = Interpolation::linear;
  EXPECT_GT(worst(), 20);
}

TEST(CubicSlice, StepsDoNotRing) {
  const auto volume =
      make(VoxelType::float32, {20, 3, 3}, Affine{}, [](auto x, auto, auto) { return x < 10 ? 50.0 : 200.0; });
  Studio studio;
  studio.scene.crosshairMm = {0, 1, 1};
  studio.add("a", volume, 0, 255).interpolation = Interpolation::cubic;
  const Frame frame = studio.draw("axial", 300, 45);
  for (int x = 0; x < 300; ++x) {
    EXPECT_GE(pixel(frame, x, 22)[0], 50);
    EXPECT_LE(pixel(frame, x, 22)[0], 200);
  }
  const int blurred = pixel(frame, 150, 22)[0];
  EXPECT_GT(blurred, 100);  // the step itself lies there
  EXPECT_LT(blurred, 150);
}

TEST(CubicSlice, MissingNeighboursGiveTheLinearValue) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = make(VoxelType::float32, {12, 1, 1}, Affine{},
                             [&](auto x, auto, auto) { return x == 6 ? nan : static_cast<double>(x * x); });
    Studio studio(isa);
    studio.scene.convention = Convention::neurological;
    studio.add("a", volume, 0, 121).interpolation = Interpolation::cubic;
    const Frame frame = studio.draw("axial", 120, 10);
    for (int x = 0; x < 120; ++x) {
      const double mm = worldOf(frame, x, 5)[0];
      if (mm > 4 && mm < 8) {
        const double linear = volume->trilinear({mm, 0, 0});
        EXPECT_NEAR(pixel(frame, x, 5)[0], std::isnan(linear) ? 0 : grayOf(linear, 0, 121), 1) << isa << mm;
      } else if (mm > 1 && mm < 3) {
        EXPECT_NEAR(pixel(frame, x, 5)[0], grayOf(mm * mm, 0, 121), 1) << isa << mm;
      }
    }
  }
}

TEST(CubicSlice, LabelsAreNeverMixed) {
  const auto volume = make(VoxelType::uint8, {9, 9, 9}, shearedAndRotated(),
                           [](auto x, auto y, auto z) { return x + y + z < 12 ? 3.0 : 9.0; });
  for (const auto interpolation : {Interpolation::linear, Interpolation::cubic}) {
    Studio studio;
    Layer& layer = studio.add("a", volume, 0, 1);
    layer.colourMap = "labels";
    layer.interpolation = interpolation;
    studio.scene.crosshairMm = volume->worldFromVoxel().point({4.3, 4.1, 3.9});
    const Frame frame = studio.draw("axial", 90, 80);
    for (int i = 0; i < 90 * 80; ++i) {
      const auto p = pixel(frame, i % 90, i / 90);
      const Colour colour{static_cast<std::uint8_t>(p[0]), static_cast<std::uint8_t>(p[1]),
                          static_cast<std::uint8_t>(p[2])};
      EXPECT_TRUE(colour == labelColour(0) || colour == labelColour(3) || colour == labelColour(9));
    }
  }
}

TEST(Gamma, RaisesThePlaceInTheWindowAndKeepsItsEnds) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = make(VoxelType::float32, {256, 1, 1}, Affine{}, [](auto x, auto, auto) { return x - 20.0; });
    Studio studio(isa);
    studio.scene.convention = Convention::neurological;
    studio.add("a", volume, 0, 200).interpolation = Interpolation::nearest;
    for (const double gamma : {0.05, 0.5, 1.0, 1.7, 2.2, 20.0}) {
      studio.scene.layers[0].gamma = gamma;
      const Frame frame = studio.draw("axial", 256, 1);
      for (int x = 0; x < 256; ++x) {
        const double place = std::clamp((x - 20.0) / 200, 0.0, 1.0);
        const double expected = std::pow(place, 1 / gamma) * 255;
        const int tolerance = place == 0 || place == 1 ? 0 : 1;  // the rounding may fall to either side
        EXPECT_NEAR(pixel(frame, x, 0)[0], std::floor(expected + 0.5), tolerance) << isa << gamma << " " << x;
      }
    }
  }
}

TEST(Oblique, PixelsShowWhatIsThere) {
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = make(VoxelType::float32, {23, 19, 17}, shearedAndRotated(), [](auto x, auto y, auto z) {
      return static_cast<double>((x * 7 + y * 13 + z * 29 + x * y * z) % 120);
    });
    Studio studio(isa);
    studio.add("a", volume, 0, 120);
    const std::vector<std::pair<Vec3, Vec3>> planes{
        {{-1, 0.2, 0.3}, {0.1, -1, 0.4}}, {{3, 0, 0}, {2, 0, -5}}, {{0, 0, 1}, {1, 1, 0}}};
    for (const auto& [right, down] : planes) {
      View& view = studio.scene.views[0];
      view.plane = Plane::oblique;
      view.right = right;
      view.down = down;
      for (const Vec3& voxel : {Vec3{11, 9, 8}, Vec3{14.2, 5.7, 10.1}}) {
        studio.scene.crosshairMm = volume->worldFromVoxel().point(voxel);
        const Frame frame = studio.draw("axial", 97, 83);
        const Vec3 normal = normalised(cross(right, down));
        int inside = 0;
        for (int y = 0; y < frame.height; ++y) {
          for (int x = 0; x < frame.width; ++x) {
            const Vec3 mm = worldOf(frame, x, y);
            ASSERT_NEAR(dot(mm - studio.scene.crosshairMm, normal), 0, 1e-9);
            const double value = volume->trilinear(volume->voxelFromWorld().point(mm));
            ASSERT_NEAR(pixel(frame, x, y)[0], std::isnan(value) ? 0 : grayOf(value, 0, 120), 1) << isa;
            if (!std::isnan(value)) ++inside;
          }
        }
        EXPECT_GT(inside, 1000);
        EXPECT_GT(dot(frame.geometry.rightMm, right), 0);
        EXPECT_NEAR(dot(frame.geometry.rightMm, frame.geometry.downMm), 0, 1e-9);
        EXPECT_GT(dot(frame.geometry.downMm, down), 0);
      }
    }
  }
}

}  // namespace
}  // namespace nora
