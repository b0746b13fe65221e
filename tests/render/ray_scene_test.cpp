// Volume views of several images, label maps, cuts and embedded slices whose picture is known.
#include "tests/render/phantoms.hpp"

namespace nora {
namespace {

using phantom::make;
using phantom::meanOf;
using phantom::pixel;
using phantom::scaled;
using phantom::Studio;

using Colour = std::array<std::uint8_t, 3>;

/// One even colour from the value 50 on, nearly opaque.
Transfer opaqueIn(const Colour& colour) {
  return {"", {{0, 0, colour}, {49, 0, colour}, {50, 0.99, colour}, {200, 0.99, colour}}};
}

constexpr Colour red{255, 0, 0};
constexpr Colour green{0, 255, 0};

struct RayScene : testing::TestWithParam<std::string> {
  Studio studio{GetParam()};

  RayScene() {
    // The background decides how large the picture is: 80 mm and nothing to see.
    studio.add(
        "field",
        make(VoxelType::uint8, {8, 8, 8}, scaled({10, 10, 10}, {-35, -35, -35}), [](auto, auto, auto) { return 0; }), 0,
        100);
    studio.scene.layers[0].inVolume = false;
  }
  /// A plate across the view from the front: `thick` voxels along y from `frontMm` backwards, 40 mm wide.
  Layer& plate(const std::string& id, double frontMm, double spacing, const Colour& colour, VoxelType type) {
    constexpr std::int64_t thick = 4;
    const double first = frontMm - (thick - 0.5) * spacing;
    const auto volume =
        make(type, {20, thick, 20}, scaled({2, spacing, 2}, {-19, first, -19}), [](auto, auto, auto) { return 100; });
    Layer& layer = studio.add(id, volume, 0, 100);
    layer.inVolume = true;
    layer.transfer = opaqueIn(colour);
    return layer;
  }
  Frame draw(double stepScale = 1) { return studio.draw("3d", 81, 81, stepScale); }
};
INSTANTIATE_TEST_SUITE_P(InstructionSets, RayScene, testing::ValuesIn(phantom::instructionSets()),
                         [](const auto& parameter) { return parameter.param; });

bool isRed(const std::array<int, 3>& p) {
  return p[0] > 100 && p[0] > 4 * p[1];
}
bool isGreen(const std::array<int, 3>& p) {
  return p[1] > 100 && p[1] > 4 * p[0];
}

TEST_P(RayScene, NearerVolumesHideFartherOnesWhateverTheirOrder) {
  for (const bool redFirst : {true, false}) {
    studio.scene.layers.resize(1);
    if (redFirst) plate("red", 10, 1, red, VoxelType::int16);
    plate("green", 3, 2.5, green, VoxelType::float32);
    if (!redFirst) plate("red", 10, 1, red, VoxelType::int16);
    studio.camera().azimuthDeg = 0;
    EXPECT_TRUE(isRed(pixel(draw(), 40, 40)));
    studio.camera().azimuthDeg = 180;
    EXPECT_TRUE(isGreen(pixel(draw(), 40, 40)));
    for (const double turn : {20.0, 330.0}) {
      studio.camera().azimuthDeg = turn;
      EXPECT_TRUE(isRed(pixel(draw(1.7), 40, 40))) << turn;
    }
  }
}

TEST_P(RayScene, CrossingVolumesChangeOrderWhereTheyMeet) {
  // Two slanted plates that cross at x = 0: one is nearer on the left, the other on the right.
  const auto slanted = [](double slope) {
    Affine a;
    a.m = {1, 0, 0, -19.5, slope, 1, 0, -1.5 - 19.5 * slope, 0, 0, 1, -19.5, 0, 0, 0, 1};
    return make(VoxelType::int16, {40, 4, 40}, a, [](auto, auto, auto) { return 100; });
  };
  for (const bool redFirst : {true, false}) {
    studio.scene.layers.resize(1);
    for (const bool isFirst : {true, false}) {
      const bool drawRed = isFirst == redFirst;
      Layer& layer = studio.add(drawRed ? "red" : "green", slanted(drawRed ? 0.5 : -0.5), 0, 100);
      layer.inVolume = true;
      layer.transfer = opaqueIn(drawRed ? red : green);
    }
    const Frame frame = draw();
    for (int x = 0; x < 81; ++x) {
      const Vec3 p = phantom::worldOf(frame, x, 40);
      if (std::abs(p[0]) < 1.5 || std::abs(p[0]) > 17) continue;
      EXPECT_TRUE(p[0] > 0 ? isRed(pixel(frame, x, 40)) : isGreen(pixel(frame, x, 40))) << p[0];
    }
  }
}

TEST_P(RayScene, SeveralVolumesLookAsEachAloneWhereTheyDoNotMeet) {
  plate("red", 10, 1, red, VoxelType::int16);
  const Frame alone = draw();
  Layer& beside = plate("green", 10, 1, green, VoxelType::uint16);
  Affine away = studio.volumes["green"]->worldFromVoxel();
  away(2, 3) += 100;  // out of the picture, at the same depth
  studio.volumes["green"] = make(VoxelType::uint16, {20, 4, 20}, away, [](auto, auto, auto) { return 100; });
  beside.opacity = 1;
  EXPECT_LE(phantom::largestDifference(draw(), alone), 1);
}

TEST_P(RayScene, AutomaticIsTheFirstLayerThatIsNoLabelMap) {
  plate("red", 10, 1, red, VoxelType::int16).inVolume.reset();
  plate("green", 20, 1, green, VoxelType::int16).inVolume.reset();
  EXPECT_EQ(meanOf(draw(), 0, 0, 81, 81), 0);  // the field is the first, and is told not to show
  studio.scene.layers[0].visible = false;
  EXPECT_TRUE(isRed(pixel(draw(), 40, 40)));
  studio.scene.layers[2].inVolume = true;
  EXPECT_TRUE(isGreen(pixel(draw(), 40, 40)));
}

TEST_P(RayScene, LabelsHaveOnlyTheirOwnColours) {
  // 1 and 3 side by side: 2 must not show up between them.
  for (const VoxelType type : {VoxelType::uint8, VoxelType::int32, VoxelType::float32, VoxelType::int64}) {
    studio.scene.layers.resize(1);
    const auto colourOf = [&](double left, double right) {
      const auto volume = make(type, {20, 20, 20}, scaled({2, 2, 2}, {-19, -19, -19}), [&](auto x, auto y, auto z) {
        const bool inside = y > 3 && y < 16 && z > 3 && z < 16 && x > 3 && x < 16;
        return inside ? (x < 10 ? left : right) : 0;
      });
      studio.scene.layers.resize(1);
      Layer& layer = studio.add("labels", volume, 0, 3);
      layer.colourMap = "labels";
      layer.interpolation = Interpolation::nearest;
      layer.inVolume = true;
      return draw();
    };
    const auto one = pixel(colourOf(1, 1), 40, 40);
    const auto three = pixel(colourOf(3, 3), 40, 40);
    const Frame frame = colourOf(1, 3);
    const auto hue = [](const std::array<int, 3>& a, const std::array<int, 3>& b) {
      double along = 0;
      double sizes = 0;
      double others = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        along += a[c] * b[c];
        sizes += a[c] * a[c];
        others += b[c] * b[c];
      }
      return along / std::sqrt(sizes * others);  // 1: the same hue at another brightness
    };
    for (int x = 0; x < 81; ++x) {
      const auto p = pixel(frame, x, 40);
      if (p[0] + p[1] + p[2] < 40) continue;
      const double mm = phantom::worldOf(frame, x, 40)[0];
      EXPECT_GT(hue(p, mm < 0 ? one : three), 0.985) << toString(type) << ' ' << mm;
    }
  }
}

TEST_P(RayScene, LabelsBeyond24BitsKeepTheirColour) {
  const auto draws = [&](std::int64_t label) {
    studio.scene.layers.resize(1);
    const auto volume = make(VoxelType::int32, {20, 20, 20}, scaled({2, 2, 2}, {-19, -19, -19}),
                             [&](auto, auto, auto) { return static_cast<double>(label); });
    Layer& layer = studio.add("labels", volume, 0, 3);
    layer.colourMap = "labels";
    layer.inVolume = true;
    return pixel(draw(), 40, 40);
  };
  EXPECT_NE(draws(614454277), draws(614454278));
}

TEST_P(RayScene, CutsAreExact) {
  // A block with a value that tells the depth: the brightest of what is left is that at the cut.
  const auto ramp = make(VoxelType::float32, {20, 80, 20}, scaled({2, 0.5, 2}, {-19, -19.75, -19}),
                         [](auto, auto y, auto) { return static_cast<double>(y); });
  Layer& layer = studio.add("ramp", ramp, 0, 79);
  layer.inVolume = true;
  studio.camera().mode = VolumeMode::maximum;
  for (const double at : {-7.3, 0.0, 4.61}) {
    const double value = (at + 19.75) / 0.5 / 79 * 255;
    const double tenthOfAVoxel = 0.1 / 79 * 255 + 0.5;
    studio.camera().crop = CropBox{{-100, -100, -100}, {100, at, 100}};
    EXPECT_NEAR(pixel(draw(), 40, 40)[0], value, tenthOfAVoxel) << at;
    studio.camera().crop.reset();
    studio.camera().clipPlanes = {{{55, at, 2}, {0, 0.3, 0}}};
    EXPECT_NEAR(pixel(draw(), 40, 40)[0], value, tenthOfAVoxel) << at;
    studio.camera().azimuthDeg = 50;
    EXPECT_NEAR(pixel(draw(), 40, 40)[0], value, tenthOfAVoxel) << at;
    studio.camera().azimuthDeg = 0;
    studio.camera().clipPlanes.clear();
  }
  // Sideways: planes along the rays.
  studio.camera().crop = CropBox{{-10, -100, -6}, {4, 100, 100}};
  const Frame frame = draw();
  for (int x = 0; x < 81; ++x) {
    const Vec3 p = phantom::worldOf(frame, x, 40);
    if (std::abs(p[0] + 10) < 0.1 || std::abs(p[0] - 4) < 0.1) continue;
    EXPECT_EQ(pixel(frame, x, 40)[0] > 0, p[0] > -10 && p[0] < 4) << p[0];
  }
}

TEST_P(RayScene, ACutThroughAnEvenMediumIsEven) {
  const auto even = make(VoxelType::int16, {40, 40, 40}, scaled({1, 1, 1}, {-19.5, -19.5, -19.5}),
                         [](auto, auto, auto) { return 100; });
  Layer& layer = studio.add("even", even, 0, 100);
  layer.inVolume = true;
  layer.transfer = {"", {{0, 0, red}, {90, 0.4, red}, {200, 0.4, red}}};
  studio.camera().clipPlanes = {{{0, 3.3, 0}, {0.31, 1, 0.23}}};
  const Frame frame = draw();
  for (int y = 30; y < 50; ++y) {
    for (int x = 30; x < 50; ++x) EXPECT_NEAR(pixel(frame, x, y)[0], pixel(frame, 40, 40)[0], 1) << x << ' ' << y;
  }
  EXPECT_NEAR(pixel(frame, 40, 40)[0], 255 * 0.8, 4);
}

TEST_P(RayScene, EmbeddedSlicesShowTheSliceAndHideWhatIsBehind) {
  studio.scene.layers[0].colourMap = "gray";
  studio.volumes["field"] = make(VoxelType::uint8, {8, 8, 8}, scaled({10, 10, 10}, {-35, -35, -35}),
                                 [](auto, auto y, auto) { return 10 * y; });
  plate("red", 10, 1, red, VoxelType::int16);
  studio.scene.layers[1].visible = true;
  studio.camera().slices = {Plane::coronal};
  for (const double at : {20.0, 0.0}) {
    studio.scene.crosshairMm = {0, at, 0};
    // The plate is a layer of the slice too, where it cuts through it.
    const Frame frame = draw();
    const int gray = phantom::grayOf((at + 35), 0, 100);
    EXPECT_NEAR(pixel(frame, 20, 20)[0], gray, 1) << at;
    EXPECT_EQ(isRed(pixel(frame, 40, 40)), at < 10) << at;
  }
  // A plane seen edge on is not there; the picture is that without it.
  studio.scene.crosshairMm = {0, 20, 0};
  studio.camera().slices = {Plane::sagittal, Plane::axial};
  const Frame edgeOn = draw();
  studio.camera().slices.clear();
  EXPECT_EQ(draw().rgba, edgeOn.rgba);
}

TEST_P(RayScene, EmbeddedSlicesMeetAtTheCrosshair) {
  studio.volumes["field"] = make(VoxelType::uint8, {8, 8, 8}, scaled({10, 10, 10}, {-35, -35, -35}),
                                 [](auto x, auto y, auto z) { return x + 10 * y + z; });
  studio.scene.crosshairMm = {5, -3, 8};
  studio.camera().slices = {Plane::axial, Plane::coronal, Plane::sagittal};
  studio.camera().azimuthDeg = 40;
  studio.camera().elevationDeg = 30;
  const Frame frame = studio.draw("3d", 121, 121);
  const auto& g = frame.geometry;
  const Volume& field = *studio.volumes["field"];
  int checked = 0;
  for (int y = 3; y < 121; y += 7) {
    for (int x = 3; x < 121; x += 7) {
      const Vec3 p = phantom::worldOf(frame, x, y);
      double nearest = 1e9;
      Vec3 hit{};
      for (std::size_t a = 0; a < 3; ++a) {
        const double t = (studio.scene.crosshairMm[a] - p[a]) / g.forward[a];
        const Vec3 q = p + g.forward * t;
        bool inside = true;
        for (std::size_t c = 0; c < 3; ++c) inside = inside && std::abs(q[c]) < 39.9;
        if (inside && t < nearest) {
          nearest = t;
          hit = q;
        }
      }
      if (nearest > 1e8) continue;
      ++checked;
      const double value = field.trilinear(field.voxelFromWorld().point(hit));
      EXPECT_NEAR(pixel(frame, x, y)[0], value / 100 * 255, 1.6) << x << ' ' << y;
    }
  }
  EXPECT_GT(checked, 60);
}

TEST_P(RayScene, OddImagesAndCamerasGiveAPicture) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto mode :
       {VolumeMode::shaded, VolumeMode::maximum, VolumeMode::minimum, VolumeMode::mean, VolumeMode::isosurface}) {
    for (const std::int64_t n : {1, 2, 8}) {
      for (const double spacing : {1e-6, 1.0, 1e6}) {
        Studio tiny(GetParam());
        const double half = static_cast<double>(n - 1) / 2 * spacing;
        const auto affine = scaled({spacing, spacing, spacing * 3}, {-half, -half, -half * 3});
        tiny.add("a", make(VoxelType::float32, {n, n, n}, affine, [](auto, auto, auto) { return 90; }), 0, 100);
        tiny.camera().mode = mode;
        tiny.camera().azimuthDeg = 45;
        tiny.scene.layers[0].transfer = {"", {{0, 0.9 / std::max(spacing, 1.0), {}}, {100, 0.9, {}}}};
        tiny.scene.layers[0].isoValue = 50;
        const Frame frame = tiny.draw("3d", 9, 9);
        if (mode != VolumeMode::shaded || spacing > 1e-3) {
          EXPECT_GT(pixel(frame, 4, 4)[0], 100) << static_cast<int>(mode) << ' ' << n << ' ' << spacing;
        }
      }
    }
    Studio odd(GetParam());
    odd.add("a",
            make(VoxelType::float32, {16, 16, 16}, scaled({1, 1, 1}, {-8, -8, -8}),
                 [&](auto x, auto y, auto z) {
                   return x == 4 ? nan : y == 5 ? infinity : z == 7 ? -infinity : 50;
                 }),
            0, 100);
    odd.camera().mode = mode;
    odd.camera().zoom = 1000;
    odd.camera().elevationDeg = 90;
    static_cast<void>(odd.draw("3d", 40, 30));
    odd.camera().zoom = 0.01;
    odd.camera().elevationDeg = -720.1;
    static_cast<void>(odd.draw("3d", 1, 1));
  }
}

TEST_P(RayScene, ValuesAtTheEndsOfADoubleGiveAPicture) {
  constexpr double most = 1.7e308;
  for (const auto mode :
       {VolumeMode::shaded, VolumeMode::maximum, VolumeMode::minimum, VolumeMode::mean, VolumeMode::isosurface}) {
    for (const double low : {-most, most}) {
      Studio huge(GetParam());
      const auto stored = [&](auto x, auto y, auto) { return x == 4 ? most : y == 4 ? -most : 50; };
      huge.add("a", make(VoxelType::float64, {9, 9, 9}, scaled({1, 1, 1}, {-4, -4, -4}), stored), low, -low);
      huge.camera().mode = mode;
      static_cast<void>(huge.draw("3d", 9, 9));
      huge.scene.layers[0].windowLow = huge.scene.layers[0].windowHigh = std::nullopt;
      static_cast<void>(huge.draw("3d", 9, 9));
      huge.scene.layers[0].transfer = {"", {{-most, 0, {}}, {most, 0.9, {}}}};
      huge.scene.layers[0].isoValue = low;
      static_cast<void>(huge.draw("3d", 9, 9));
    }
  }
}

}  // namespace
}  // namespace nora
