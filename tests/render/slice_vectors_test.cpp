// Directions as colours and as sticks: against vectors whose place in the patient is known.
#include "render/plan/vector_layer.hpp"
#include "tests/render/phantoms.hpp"

#include <numbers>

namespace nora {
namespace {

using phantom::pixel;
using phantom::Studio;
using phantom::worldOf;

constexpr std::array<int, 3> black{0, 0, 0};

struct VectorImage {
  phantom::Dims dims{9, 9, 9};
  Affine affine = phantom::scaled({1, 1, 1}, {-4, -4, -4});
  std::string format = "MIF";
  std::string description;
  std::vector<std::pair<std::string, std::string>> fields;
  bool asTime = false;

  /// `stored(x, y, z)`: the components in the file.
  template <class Function>
  std::shared_ptr<const Volume> make(Function stored) const {
    ImageInfo info;
    info.dims = dims;
    info.type = VoxelType::float32;
    info.worldFromVoxel = affine;
    info.format = format;
    info.description = description;
    info.fields = fields;
    (asTime ? info.timePoints : info.components) = 3;
    const auto count = static_cast<std::size_t>(dims[0] * dims[1] * dims[2]);
    std::vector<float> values(count * 3);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const Vec3 v = stored(at % dims[0], at / dims[0] % dims[1], at / dims[0] / dims[1]);
      for (std::size_t c = 0; c < 3; ++c) values[c * count + i] = static_cast<float>(v[c]);
    }
    auto volume = Volume::copyOf(info, std::as_bytes(std::span(values)), "vectors");
    EXPECT_TRUE(volume);
    return std::make_shared<const Volume>(std::move(*volume));
  }
};

Layer& addVectors(Studio& studio, std::shared_ptr<const Volume> volume, VectorLook look) {
  Layer& layer = studio.add("v", std::move(volume), 0, 1);
  layer.vectors = look;
  return layer;
}

std::array<int, 3> colourOf(const Vec3& direction) {
  const Vec3 unit = normalised(direction);
  std::array<int, 3> out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = static_cast<int>(std::floor(std::abs(unit[c]) * 255 + 0.5));
  return out;
}

void expectNear(const std::array<int, 3>& actual, const std::array<int, 3>& expected, int tolerance,
                const std::string& what = "") {
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(actual[c], expected[c], tolerance) << what << " channel " << c;
}

TEST(Directions, RedIsLeftRightGreenBackFrontBlueFootHead) {
  for (const auto& isa : phantom::instructionSets()) {
    for (const bool asTime : {false, true}) {
      VectorImage image;
      image.asTime = asTime;
      // Neighbours of opposite sign: a mean of the two would be nothing.
      const auto volume = image.make([](auto x, auto, auto z) {
        const double sign = x % 2 == 0 ? 1 : -1;
        return z < 3 ? Vec3{sign, 0, 0} : z < 6 ? Vec3{0, sign * 0.3, 0} : Vec3{0, 0, sign * 2};
      });
      for (const auto filter : {Interpolation::nearest, Interpolation::linear, Interpolation::cubic}) {
        Studio studio(isa);
        addVectors(studio, volume, VectorLook::direction).interpolation = filter;
        const Frame frame = studio.draw("coronal", 90, 90);
        for (int x = 0; x < 90; ++x) {
          EXPECT_EQ(pixel(frame, x, 80), (std::array<int, 3>{255, 0, 0}));
          EXPECT_EQ(pixel(frame, x, 45), (std::array<int, 3>{0, 255, 0}));
          EXPECT_EQ(pixel(frame, x, 10), (std::array<int, 3>{0, 0, 255}));
        }
      }
    }
  }
}

/// A rotation, with one axis mirrored or not.
Affine turned(bool mirrored) {
  Affine a = phantom::scaled({mirrored ? -2.0 : 2.0, 2, 2}, {0, 0, 0});
  Affine rotation;
  const double c = std::cos(0.6);
  const double s = std::sin(0.6);
  rotation.m = {c, -s, 0, 0, s, c, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  a = rotation * a;
  const Vec3 centre = a.direction({4, 4, 4});
  for (int r = 0; r < 3; ++r) a(r, 3) = -centre[static_cast<std::size_t>(r)];
  return a;
}

TEST(Directions, ComponentsAreInTheAxesOfWhatWroteThem) {
  const Vec3 stored{0.5, -0.3, 0.8};
  for (const bool mirrored : {false, true}) {
    const Affine affine = turned(mirrored);
    const Vec3 i = normalised(affine.column(0));
    const Vec3 j = normalised(affine.column(1));
    const Vec3 k = normalised(affine.column(2));
    // FSL: along the stored axes, the first the other way round if they are right-handed.
    const Vec3 fsl = i * (mirrored ? stored[0] : -stored[0]) + j * stored[1] + k * stored[2];
    const Vec3 lps{-stored[0], -stored[1], stored[2]};
    struct Case {
      std::string format;
      std::string description;
      std::vector<std::pair<std::string, std::string>> fields;
      Vec3 expected;
    };
    const std::vector<Case> cases{
        {"MIF", "", {}, stored},
        {"NIfTI-1", "MRtrix version: 3.0.4", {}, stored},
        {"NIfTI-1", "", {{"intent", "rgb vector"}}, fsl},
        {"NIfTI-2", "6.0.5:9e026117", {{"intent", "vector"}}, fsl},
        {"NIfTI-1", "", {{"intent", "none in the header; unit vectors by name and values"}}, fsl},
        {"NIfTI-1", "", {{"intent", "displacement vector"}}, lps},
        {"NRRD", "", {{"space", "left-posterior-superior"}}, lps},
        {"NRRD", "", {{"space", "right-anterior-superior"}}, stored},
        {"MetaImage", "", {}, lps},
    };
    for (const Case& c : cases) {
      VectorImage image;
      image.affine = affine;
      image.format = c.format;
      image.description = c.description;
      image.fields = c.fields;
      const auto volume = image.make([&](auto, auto, auto) { return stored; });
      const Vec3 world = worldFromVector(volume->info()).direction(stored);
      for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(world[a], c.expected[a], 1e-12) << c.format << c.description;
      Studio studio;
      addVectors(studio, volume, VectorLook::direction);
      expectNear(pixel(studio.draw("axial", 21, 21), 10, 10), colourOf(c.expected), 1, c.format);
    }
  }
}

TEST(Directions, NothingAndNoNumbersAreTransparent) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& isa : phantom::instructionSets()) {
    const auto volume = VectorImage().make([&](auto x, auto, auto) {
      return x == 2 ? Vec3{} : x == 4 ? Vec3{0, nan, 1} : x == 6 ? Vec3{0.1, 0, 0} : Vec3{0, 0, 1};
    });
    Studio studio(isa);
    studio.scene.convention = Convention::neurological;
    Layer& layer = addVectors(studio, volume, VectorLook::direction);
    layer.thresholdLow = 0.5;  // of the length
    const Frame frame = studio.draw("axial", 9, 9);
    for (int x = 0; x < 9; ++x) {
      const bool gone = x == 2 || x == 4 || x == 6;
      EXPECT_EQ(pixel(frame, x, 4), gone ? black : (std::array<int, 3>{0, 0, 255})) << isa << x;
    }
  }
}

TEST(Directions, AnotherLayerDarkensThem) {
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio(isa);
    studio.scene.convention = Convention::neurological;
    addVectors(studio, VectorImage().make([](auto, auto, auto) {
      return Vec3{0, 1, 0};
    }),
               VectorLook::direction)
        .modulatedBy = "fa";
    // In a grid of its own: rises by 0.1 per mm from 0 at x = -4; ends at x = 3.
    const auto fa = phantom::make(VoxelType::float32, {15, 9, 9}, phantom::scaled({0.5, 1, 1}, {-4, -4, -4}),
                                  [](auto x, auto, auto) { return 0.05 * static_cast<double>(x); });
    Layer& layer = studio.add("fa", fa, 0.1, 0.5);
    layer.visible = false;
    Frame frame = studio.draw("axial", 90, 90);
    for (int x = 0; x < 90; ++x) {
      const double mm = worldOf(frame, x, 45)[0];
      const double place = mm > 3.25 ? 0 : std::clamp((0.1 * (std::clamp(mm, -4.0, 3.0) + 4) - 0.1) / 0.4, 0.0, 1.0);
      if (std::abs(mm - 3.25) < 0.06) continue;
      expectNear(pixel(frame, x, 45), {0, static_cast<int>(std::floor(place * 255 + 0.5)), 0}, 1, isa);
    }
    studio.volumes.erase("fa");  // not there yet: as without
    frame = studio.draw("axial", 90, 90);
    EXPECT_EQ(pixel(frame, 20, 45), (std::array<int, 3>{0, 255, 0}));
  }
}

TEST(Directions, ImagesWithoutThreeComponentsAreDrawnAsEver) {
  Studio studio;
  Layer& layer = studio.add(
      "a", phantom::make(VoxelType::uint8, {4, 4, 4}, Affine{}, [](auto, auto, auto) { return 90; }), 0, 255);
  for (const auto look : {VectorLook::direction, VectorLook::sticks}) {
    layer.vectors = look;
    EXPECT_EQ(pixel(studio.draw("axial", 8, 8), 3, 3)[0], 90);
  }
}

/// Direction in the picture of what is drawn around a pixel: the main axis of brightness, as an angle in 0..pi.
double drawnAngle(const Frame& frame, int x0, int y0, int radius) {
  double xx = 0;
  double xy = 0;
  double yy = 0;
  double x1 = 0;
  double y1 = 0;
  double sum = 0;
  for (int y = y0 - radius; y <= y0 + radius; ++y) {
    for (int x = x0 - radius; x <= x0 + radius; ++x) {
      const auto p = pixel(frame, x, y);
      const double w = p[0] + p[1] + p[2];
      sum += w;
      x1 += w * x;
      y1 += w * y;
    }
  }
  x1 /= sum;
  y1 /= sum;
  EXPECT_NEAR(x1, x0, 0.6);
  EXPECT_NEAR(y1, y0, 0.6);
  for (int y = y0 - radius; y <= y0 + radius; ++y) {
    for (int x = x0 - radius; x <= x0 + radius; ++x) {
      const auto p = pixel(frame, x, y);
      const double w = p[0] + p[1] + p[2];
      xx += w * (x - x1) * (x - x1);
      xy += w * (x - x1) * (y - y1);
      yy += w * (y - y1) * (y - y1);
    }
  }
  return std::fmod(std::atan2(2 * xy, xx - yy) / 2 + std::numbers::pi, std::numbers::pi);
}

TEST(Sticks, LieAlongTheDirectionInThePicture) {
  for (const auto& isa : phantom::instructionSets()) {
    for (const auto convention : {Convention::radiological, Convention::neurological}) {
      for (const Vec3& v : {Vec3{1, 0.5, 0.2}, Vec3{-0.3, 1, 0}, Vec3{0.6, -0.6, 0.5}}) {
        Studio studio(isa);
        studio.scene.convention = convention;
        addVectors(studio, VectorImage().make([&](auto, auto, auto) { return v; }), VectorLook::sticks);
        const Frame frame = studio.draw("axial", 279, 279);  // 31 pixels a voxel
        const double side = convention == Convention::radiological ? -1 : 1;
        const double expected = std::fmod(std::atan2(-v[1], side * v[0]) + 2 * std::numbers::pi, std::numbers::pi);
        for (const auto& [x, y] : {std::pair{139, 139}, {108, 170}, {46, 232}}) {
          EXPECT_NEAR(drawnAngle(frame, x, y, 15), expected, 0.03) << isa;
          expectNear(pixel(frame, x, y), colourOf(v), 1, isa);
          // The bounds of a voxel's cell stay free: sticks do not run into each other.
          for (int i = -15; i <= 15; ++i) EXPECT_EQ(pixel(frame, x - 15, y + i), black);
        }
      }
    }
  }
}

TEST(Sticks, ShortenAsTheyLeaveThePlaneAndBecomeDots) {
  const auto lengthOf = [](const Vec3& v) {
    Studio studio;
    addVectors(studio, VectorImage().make([&](auto, auto, auto) { return v; }), VectorLook::sticks);
    const Frame frame = studio.draw("axial", 279, 279);
    int lit = 0;
    for (int x = 124; x < 155; ++x) lit += pixel(frame, x, 139) != black ? 1 : 0;
    return lit;
  };
  const int flat = lengthOf({1, 0, 0});
  const int steep = lengthOf({0.5, 0, std::sqrt(0.75)});
  const int upright = lengthOf({0, 0, 1});
  EXPECT_GE(flat, 27);
  EXPECT_LE(flat, 31);
  EXPECT_NEAR(steep, flat / 2 + 2, 2);
  EXPECT_GE(upright, 1);
  EXPECT_LE(upright, 5);
}

TEST(Sticks, StandOnTheNearestVoxelAndThinOutWhenSmall) {
  // Only the voxels of one plane have a direction; the crosshair is nearer to it than to the next.
  VectorImage image;
  image.dims = {64, 64, 5};
  image.affine = phantom::scaled({1, 1, 1}, {-31.5, -31.5, -2});
  const auto volume = image.make([](auto, auto, auto z) { return z == 3 ? Vec3{0, 1, 0} : Vec3{}; });
  Studio studio;
  addVectors(studio, volume, VectorLook::sticks);
  const auto sticksIn = [&](double z, int size) {
    studio.scene.crosshairMm = {0, 0, z};
    const Frame frame = studio.draw("axial", size, size);
    // Middles of vertical sticks along any one row differ by the lattice; count columns that have anything.
    int runs = 0;
    bool before = false;
    for (int x = 0; x < size; ++x) {
      bool lit = false;
      for (int y = 0; y < size; ++y) lit = lit || pixel(frame, x, y)[1] > 100;
      if (lit && !before) ++runs;
      before = lit;
    }
    return runs;
  };
  EXPECT_EQ(sticksIn(1.4, 640), 64);  // ten pixels a voxel
  EXPECT_EQ(sticksIn(0.6, 640), 64);
  EXPECT_EQ(sticksIn(0.4, 640), 0);
  EXPECT_EQ(sticksIn(1.0, 256), 32);  // four pixels a voxel: every other one, eight pixels apart
  EXPECT_EQ(sticksIn(1.0, 192), 21);  // every third; the last column's stick would stand outside
}

TEST(Sticks, ObliquePlanesShowTheSameDirections) {
  const Vec3 v{0.3, 0.9, 0.4};
  VectorImage image;
  image.affine = turned(true);
  const auto volume = image.make([&](auto, auto, auto) { return v; });
  Studio studio;
  addVectors(studio, volume, VectorLook::sticks);
  View& view = studio.scene.views[0];
  view.plane = Plane::oblique;
  view.right = {1, 0.4, -0.3};
  view.down = {0.2, -1, 0.5};
  const Frame frame = studio.draw("axial", 300, 300);
  // The whole picture's sticks are parallel: structure tensor of the brightness.
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (int y = 61; y < 240; ++y) {
    for (int x = 61; x < 240; ++x) {
      const double gx = pixel(frame, x + 1, y)[1] - pixel(frame, x - 1, y)[1];
      const double gy = pixel(frame, x, y + 1)[1] - pixel(frame, x, y - 1)[1];
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  const double across = std::atan2(2 * xy, xx - yy) / 2;  // of the gradients
  const double drawn = std::fmod(across + 1.5 * std::numbers::pi, std::numbers::pi);
  const double expected = std::fmod(
      std::atan2(dot(v, frame.geometry.downMm), dot(v, frame.geometry.rightMm)) + std::numbers::pi, std::numbers::pi);
  EXPECT_NEAR(std::remainder(drawn - expected, std::numbers::pi), 0, 0.05);
}

TEST(Sticks, OnObliquePlanesStandWhereColumnsOfVoxelsCross) {
  VectorImage image;
  image.affine = turned(true);
  const auto volume = image.make([](auto x, auto y, auto z) {
    return Vec3{static_cast<double>(x % 3) + 0.2, static_cast<double>(y % 4) - 1.3, static_cast<double>(z % 5) - 2.1};
  });
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio(isa);
    addVectors(studio, volume, VectorLook::sticks);
    View& view = studio.scene.views[0];
    view.plane = Plane::oblique;
    view.right = {1, 0.3, -0.3};
    view.down = {0.2, -1, 0.4};
    const Frame frame = studio.draw("axial", 700, 700);
    const ViewGeometry& g = frame.geometry;
    int seen = 0;
    for (int column = 0; column < 81; ++column) {
      const Vec3 foot = image.affine.point({static_cast<double>(column % 9), static_cast<double>(column / 9), 0});
      const Vec3 up = image.affine.column(2);
      const double z = dot(g.originMm - foot, g.forward) / dot(up, g.forward);
      const auto k = static_cast<std::int64_t>(std::lround(z));
      if (z < -0.4 || z > 8.4 || std::abs(std::abs(z - static_cast<double>(k)) - 0.5) < 0.01) continue;
      const Vec3 from = foot + up * z - g.originMm;
      const int x = static_cast<int>(dot(from, g.rightMm) / dot(g.rightMm, g.rightMm));
      const int y = static_cast<int>(dot(from, g.downMm) / dot(g.downMm, g.downMm));
      const Vec3 v{volume->value(column % 9, column / 9, k, 0, 0), volume->value(column % 9, column / 9, k, 0, 1),
                   volume->value(column % 9, column / 9, k, 0, 2)};
      // In the middle, and ten pixels along the stick to either side of it.
      const Vec3 unit = normalised(v) * 10;
      const int dx = static_cast<int>(std::lround(dot(unit, normalised(g.rightMm))));
      const int dy = static_cast<int>(std::lround(dot(unit, normalised(g.downMm))));
      for (const int end : {-1, 0, 1}) {
        expectNear(pixel(frame, x + end * dx, y + end * dy), colourOf(v), 1, isa + " " + std::to_string(column));
      }
      ++seen;
    }
    EXPECT_GT(seen, 50);
  }
}

TEST(Sticks, HaveTheBrightnessOfTheirMiddle) {
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio(isa);
    studio.scene.convention = Convention::neurological;
    addVectors(studio, VectorImage().make([](auto, auto, auto) {
      return Vec3{1, 1, 0};
    }),
               VectorLook::sticks)
        .modulatedBy = "fa";
    const auto fa = phantom::make(VoxelType::float32, {9, 9, 9}, phantom::scaled({1, 1, 1}, {-4, -4, -4}),
                                  [](auto x, auto y, auto) { return static_cast<double>(x + 8 * y); });
    studio.add("fa", fa, 0, 72).visible = false;
    const Frame frame = studio.draw("axial", 279, 279);  // 31 pixels a voxel
    for (int x = 0; x < 9; ++x) {
      for (int y = 0; y < 9; ++y) {
        const int level = static_cast<int>(std::lround(std::sqrt(0.5) * 255 * (x + 8 * y) / 72));
        for (const int along : {-7, 0, 7}) {  // up and to the right
          expectNear(pixel(frame, 31 * x + 15 + along, 31 * (8 - y) + 15 - along), {level, level, 0}, 1, isa);
        }
      }
    }
  }
}

}  // namespace
}  // namespace nora
