// Slices against Volume::value and Volume::trilinear, which the read-out shows: the picture and the numbers must agree.
#include "tests/render/phantoms.hpp"

#include "render/scene/colour_map.hpp"

#include <random>

namespace nora {
namespace {

using phantom::grayOf;
using phantom::make;
using phantom::pixel;
using phantom::Studio;
using phantom::worldOf;

/// Bright where RAS x < 0 (the patient's left), whatever the storage order.
std::shared_ptr<const Volume> leftMarked(const Affine& affine, const phantom::Dims& dims) {
  return make(VoxelType::uint8, dims, affine, [&](auto x, auto y, auto z) {
    const Vec3 world = affine.point({static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
    return world[0] < 0 ? 200.0 : 20.0;
  });
}

/// Storage axes permuted and flipped, then `deform`ed in space; centred on the origin.
Affine stored(const std::array<int, 3>& order, int flips, const phantom::Dims& dims, const Affine& deform) {
  Affine a;
  a.m = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const std::array<double, 3> spacing{1.0, 1.3, 2.0};
  for (int v = 0; v < 3; ++v) {
    const double sign = (flips >> v & 1) != 0 ? -1 : 1;
    a(order[static_cast<std::size_t>(v)], v) = sign * spacing[static_cast<std::size_t>(v)];
  }
  a = deform * a;
  const Vec3 centre = a.direction({(static_cast<double>(dims[0]) - 1) / 2, (static_cast<double>(dims[1]) - 1) / 2,
                                   (static_cast<double>(dims[2]) - 1) / 2});
  for (int r = 0; r < 3; ++r) a(r, 3) = -centre[static_cast<std::size_t>(r)];
  return a;
}

TEST(Slice, LeftIsOnTheConventionsSideInEveryStorageOrder) {
  Affine oblique;
  oblique.m = {0.96, -0.2, 0.15, 0, 0.25, 0.95, -0.1, 0, -0.12, 0.14, 0.97, 0, 0, 0, 0, 1};
  Affine sheared;
  sheared.m = {1, 0.3, 0, 0, 0, 1, 0.2, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  const phantom::Dims dims{40, 36, 30};
  std::array<int, 3> order{0, 1, 2};
  int tried = 0;
  do {
    for (int flips = 0; flips < 8; ++flips) {
      for (const Affine& deform : {Affine{}, oblique, sheared}) {
        Studio studio;
        studio.add("a", leftMarked(stored(order, flips, dims, deform), dims), 0, 255);
        for (const auto convention : {Convention::radiological, Convention::neurological}) {
          studio.scene.convention = convention;
          for (const char* view : {"axial", "coronal"}) {
            const Frame frame = studio.draw(view, 64, 64);
            const double left = phantom::meanOf(frame, 24, 24, 31, 40);
            const double right = phantom::meanOf(frame, 33, 24, 40, 40);
            if (convention == Convention::radiological) {
              EXPECT_GT(right, left + 100) << view << flips;
            } else {
              EXPECT_GT(left, right + 100) << view << flips;
            }
          }
        }
        ++tried;
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(tried, 144);
}

TEST(Slice, AnteriorIsUpAndSuperiorIsUp) {
  const auto affine = phantom::scaled({1, 1, 1}, {-10, -10, -10});
  Studio studio;
  studio.add("a", make(VoxelType::uint8, {21, 21, 21}, affine, [](auto, auto y, auto) { return y > 10 ? 200 : 0; }), 0,
             255);
  EXPECT_GT(phantom::meanOf(studio.draw("axial", 21, 21), 0, 0, 21, 9), 190);
  EXPECT_GT(phantom::meanOf(studio.draw("sagittal", 21, 21), 0, 0, 9, 21), 190);
  studio.volumes["a"] =
      make(VoxelType::uint8, {21, 21, 21}, affine, [](auto, auto, auto z) { return z > 10 ? 200 : 0; });
  EXPECT_GT(phantom::meanOf(studio.draw("coronal", 21, 21), 0, 0, 21, 9), 190);
  EXPECT_GT(phantom::meanOf(studio.draw("sagittal", 21, 21), 0, 0, 21, 9), 190);
}

/// Values that every type can hold; no linear ramp alone, so that wrong neighbours show.
double texture(std::int64_t x, std::int64_t y, std::int64_t z) {
  return static_cast<double>((x * 7 + y * 13 + z * 29 + x * y * z) % 120);
}

/// Counts pixels that differ from the value that the read-out gives there.
int wrongPixels(const Frame& frame, const Volume& volume, bool nearest, double low, double high, int tolerance) {
  int wrong = 0;
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const Probe probe = probeAtMm(volume, worldOf(frame, x, y), 0);
      const double value = nearest ? probe.value : probe.trilinear;
      const int expected = std::isfinite(value) ? grayOf(value, low, high) : 0;
      const auto actual = pixel(frame, x, y);
      if (std::abs(actual[0] - expected) > tolerance || actual[0] != actual[1] || actual[0] != actual[2]) ++wrong;
    }
  }
  return wrong;
}

class EveryType : public testing::TestWithParam<std::tuple<std::string, VoxelType>> {};

TEST_P(EveryType, PixelsShowWhatTheReadOutSays) {
  const auto& [isa, type] = GetParam();
  const bool isSigned = type == VoxelType::int8 || type == VoxelType::int16 || type == VoxelType::int32 ||
                        type == VoxelType::int64 || isFloat(type);
  const double offset = isSigned ? -60 : 0;
  Affine affine;
  affine.m = {1.1, 0.2, -0.1, -10, -0.15, 0.9, 0.3, -8, 0.1, -0.25, 2.1, -9, 0, 0, 0, 1};
  const auto volume = make(
      type, {19, 17, 9}, affine, [&](auto x, auto y, auto z) { return texture(x, y, z) + offset; }, 2.5, 3);
  Studio studio(isa);
  const double low = volume->info().statistics->min;
  const double high = volume->info().statistics->max;
  Layer& layer = studio.add("a", volume, low, high);
  studio.scene.crosshairMm = affine.point({9.3, 8.1, 4.4});
  for (const char* view : {"axial", "coronal", "sagittal"}) {
    layer.interpolation = Interpolation::linear;
    EXPECT_EQ(wrongPixels(studio.draw(view, 101, 67), *volume, false, low, high, 1), 0) << view;
    layer.interpolation = Interpolation::nearest;
    EXPECT_LE(wrongPixels(studio.draw(view, 101, 67), *volume, true, low, high, 0), 2) << view;
  }
}

std::vector<std::tuple<std::string, VoxelType>> everyType() {
  std::vector<std::tuple<std::string, VoxelType>> out;
  for (const auto& isa : phantom::instructionSets()) {
    for (const auto type :
         {VoxelType::int8, VoxelType::uint8, VoxelType::int16, VoxelType::uint16, VoxelType::int32, VoxelType::uint32,
          VoxelType::int64, VoxelType::uint64, VoxelType::float32, VoxelType::float64}) {
      out.emplace_back(isa, type);
    }
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(Slice, EveryType, testing::ValuesIn(everyType()), [](const auto& test) {
  return std::get<0>(test.param) + "_" + std::string(toString(std::get<1>(test.param)));
});

TEST(Slice, FlatPositionsAreExact) {
  // Voxel centres on pixel centres: every pixel is one voxel, in all planes, linear as nearest.
  const auto volume = make(VoxelType::int16, {16, 16, 16}, phantom::scaled({1, 1, 1}, {-5, 3, 7}),
                           [](auto x, auto y, auto z) { return texture(x, y, z) - 50; });
  Studio studio;
  studio.add("a", volume, -50, 69);
  studio.scene.crosshairMm = {2, 9, 15};
  for (const char* view : {"axial", "coronal", "sagittal"}) {
    EXPECT_EQ(wrongPixels(studio.draw(view, 16, 16), *volume, true, -50, 69, 0), 0) << view;
  }
}

/// A row of values along x, one pixel each, in the axial view of the neurological convention.
struct Row {
  Studio studio;
  explicit Row(const std::vector<double>& values, VoxelType type = VoxelType::float32) {
    const auto n = static_cast<std::int64_t>(values.size());
    volume = make(type, {n, 1, 1}, Affine{}, [&](auto x, auto, auto) { return values[static_cast<std::size_t>(x)]; });
    studio.scene.convention = Convention::neurological;
    layer().interpolation = Interpolation::nearest;
  }
  Layer& layer() {
    if (studio.scene.layers.empty()) studio.add("a", volume, 0, 1);
    studio.volumes["a"] = volume;
    return studio.scene.layers[0];
  }
  Frame draw() {
    layer();
    return studio.draw("axial", static_cast<int>(volume->dims()[0]), 1);
  }
  std::shared_ptr<const Volume> volume;
};

TEST(Slice, WindowEndsAreExact) {
  Row row({-50, 10, 10.1, 20, 29.9, 30, 90});
  row.layer().windowLow = 10;
  row.layer().windowHigh = 30;
  Frame frame = row.draw();
  const std::vector<int> expected{0, 0, 1, 128, 254, 255, 255};
  for (int x = 0; x < 7; ++x) EXPECT_EQ(pixel(frame, x, 0)[0], expected[static_cast<std::size_t>(x)]) << x;
  std::swap(row.layer().windowLow, row.layer().windowHigh);
  frame = row.draw();
  EXPECT_EQ(pixel(frame, 0, 0)[0], 255);
  EXPECT_EQ(pixel(frame, 1, 0)[0], 255);
  EXPECT_EQ(pixel(frame, 5, 0)[0], 0);
  EXPECT_EQ(pixel(frame, 6, 0)[0], 0);
  row.layer().windowLow = row.layer().windowHigh = 20;  // no width: a step
  frame = row.draw();
  EXPECT_EQ(pixel(frame, 2, 0)[0], 0);
  EXPECT_EQ(pixel(frame, 4, 0)[0], 255);
}

TEST(Slice, ThresholdsAreInclusive) {
  Row row({1, 2, 3, 4, 5});
  row.layer().windowLow = 0;
  row.layer().windowHigh = 5;
  row.layer().thresholdLow = 2;
  row.layer().thresholdHigh = 4;
  const Frame frame = row.draw();
  const std::vector<int> expected{0, 102, 153, 204, 0};
  for (int x = 0; x < 5; ++x) EXPECT_EQ(pixel(frame, x, 0)[0], expected[static_cast<std::size_t>(x)]) << x;
}

TEST(Slice, SymmetricShowsNegativeValuesCold) {
  Row row({-9, -3, -1, 1, 3, 9});
  row.layer().windowLow = 0;
  row.layer().windowHigh = 9;
  row.layer().thresholdLow = 2;
  row.layer().colourMap = "hot";
  row.layer().symmetric = true;
  const Frame frame = row.draw();
  EXPECT_EQ(pixel(frame, 0, 0), (std::array<int, 3>{255, 255, 255}));
  EXPECT_EQ(pixel(frame, 1, 0), (std::array<int, 3>{0, 0, 255}));
  EXPECT_EQ(pixel(frame, 2, 0), (std::array<int, 3>{0, 0, 0}));
  EXPECT_EQ(pixel(frame, 3, 0), (std::array<int, 3>{0, 0, 0}));
  EXPECT_EQ(pixel(frame, 4, 0), (std::array<int, 3>{255, 0, 0}));
}

TEST(Slice, ValuesThatAreNoNumbersAreTransparent) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto& isa : phantom::instructionSets()) {
    for (const auto type : {VoxelType::float32, VoxelType::float64}) {
      const Row row({1, nan, 1, inf, 1, -inf, 1}, type);
      Studio studio(isa);
      studio.scene.convention = Convention::neurological;
      studio.add("below", make(VoxelType::uint8, {7, 1, 1}, Affine{}, [](auto, auto, auto) { return 100; }), 0, 255);
      studio.add("a", row.volume, 0, 1);
      for (const auto interpolation : {Interpolation::nearest, Interpolation::linear}) {
        studio.scene.layers[1].interpolation = interpolation;
        const Frame frame = studio.draw("axial", 7, 1);
        for (int x = 0; x < 7; ++x) EXPECT_EQ(pixel(frame, x, 0)[0], x % 2 == 0 ? 255 : 100) << isa << x;
      }
    }
  }
}

TEST(Slice, LayersBlendInOrder) {
  const auto flat = [](double v) {
    return make(VoxelType::uint8, {4, 4, 4}, Affine{}, [=](auto, auto, auto) { return v; });
  };
  Studio studio;
  studio.add("a", flat(100), 0, 255);
  studio.add("b", flat(255), 0, 255).opacity = 0.5;
  studio.scene.layers[1].colourMap = "red";
  studio.add("c", flat(255), 0, 255).opacity = 0.2;
  studio.scene.layers[2].colourMap = "blue";
  EXPECT_EQ(pixel(studio.draw("axial", 8, 8), 3, 3), (std::array<int, 3>{142, 40, 91}));
  std::swap(studio.scene.layers[1], studio.scene.layers[2]);
  EXPECT_EQ(pixel(studio.draw("axial", 8, 8), 3, 3), (std::array<int, 3>{168, 40, 66}));
  studio.scene.layers[1].visible = false;
  EXPECT_EQ(pixel(studio.draw("axial", 8, 8), 3, 3), (std::array<int, 3>{178, 50, 50}));
  studio.volumes.erase("b");  // not loaded: left out
  EXPECT_EQ(pixel(studio.draw("axial", 8, 8), 3, 3), (std::array<int, 3>{100, 100, 100}));
}

TEST(Slice, OverlaysInAnotherGridLieAtTheirPlace) {
  Studio studio;
  studio.scene.convention = Convention::neurological;
  studio.add("a",
             make(VoxelType::uint8, {40, 40, 40}, phantom::scaled({1, 1, 1}, {-20, -20, -20}),
                  [](auto, auto, auto) { return 50; }),
             0, 255);
  // Two voxels of 4 mm around x = 2.5 and 6.5, stored right to left.
  studio
      .add("b",
           make(VoxelType::int16, {2, 1, 1}, phantom::scaled({-4, 4, 4}, {6.5, 0, 0}),
                [](auto x, auto, auto) { return x == 0 ? 255 : 128; }),
           0, 255)
      .interpolation = Interpolation::nearest;
  const Frame frame = studio.draw("axial", 40, 40);
  for (int x = 0; x < 40; ++x) {
    const double mm = worldOf(frame, x, 20)[0];
    const int expected = mm > 4.5 && mm < 8.5 ? 255 : mm > 0.5 && mm < 4.5 ? 128 : 50;
    EXPECT_EQ(pixel(frame, x, 20)[0], expected) << mm;
  }
}

TEST(Slice, LabelsKeepTheirOwnColours) {
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio(isa);
    const std::vector<double> labels{0, 1, 2, 117, 312782628, 16777217, 2147483647, 77};
    const auto volume = make(VoxelType::int32, {8, 1, 1}, Affine{},
                             [&](auto x, auto, auto) { return labels[static_cast<std::size_t>(x)]; });
    studio.scene.convention = Convention::neurological;
    Layer& layer = studio.add("a", volume, 0, 1);
    layer.colourMap = "labels";
    layer.interpolation = Interpolation::linear;  // must not be heeded
    const Frame frame = studio.draw("axial", 40, 5);
    for (int x = 0; x < 40; ++x) {
      const auto label = static_cast<std::int64_t>(labels[static_cast<std::size_t>(x / 5)]);
      const Colour c = labelColour(label);
      EXPECT_EQ(pixel(frame, x, 2), (std::array<int, 3>{c[0], c[1], c[2]})) << isa << label;
    }
  }
}

TEST(Slice, LabelsOfATableHaveItsColours) {
  // Neighbours, far and negative values, two that fall into one slot, one that is hidden, and one without an entry.
  std::vector<Label> table;
  for (std::int64_t value = 1; value < 300; ++value) {
    table.push_back(
        {value, "", {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value / 2), 7, 255}, true});
  }
  table.push_back({614454277, "far", {10, 20, 30, 255}, true});
  table.push_back({-5, "negative", {40, 50, 60, 255}, true});
  table.push_back({400, "hidden", {1, 1, 1, 0}, true});
  table.push_back({401, "half", {200, 100, 50, 51}, true});
  for (const auto& isa : phantom::instructionSets()) {
    const std::vector<double> labels{0, 1, 2, 117, 299, 614454277, -5, 400, 401, 500};
    const auto plain = make(VoxelType::int32, {10, 1, 1}, Affine{},
                            [&](auto x, auto, auto) { return labels[static_cast<std::size_t>(x)]; });
    ImageInfo info = plain->info();
    info.labels = LabelTable(table, "test");
    const auto volume = std::make_shared<const Volume>(
        std::move(*Volume::copyOf(info, {plain->frame(0), plain->frameBytes()}, "labels")));
    for (const double opacity : {1.0, 0.5}) {
      Studio studio(isa);
      studio.scene.convention = Convention::neurological;
      Layer& layer = studio.add("a", volume, 0, 1);
      layer.colourMap = "labels";
      layer.opacity = opacity;
      const Frame frame = studio.draw("axial", 50, 5);
      for (int x = 0; x < 50; ++x) {
        const auto value = static_cast<std::int64_t>(labels[static_cast<std::size_t>(x / 5)]);
        const Label* label = info.labels->find(value);
        const Colour other = labelColour(value);
        for (std::size_t c = 0; c < 3; ++c) {
          const double wanted =
              label != nullptr ? opacity * label->rgba[3] / 255.0 * label->rgba[c] : opacity * other[c];
          EXPECT_NEAR(pixel(frame, x, 2)[c], value == 0 ? 0 : wanted, 0.51) << isa << " " << value;
        }
      }
    }
  }
}

TEST(Slice, ScaledLabelsAreRounded) {
  const auto volume = make(
      VoxelType::float32, {3, 1, 1}, Affine{}, [](auto x, auto, auto) { return x * 1.5; }, 2, 0);
  Studio studio;
  studio.scene.convention = Convention::neurological;
  studio.add("a", volume, 0, 1).colourMap = "labels";
  const Frame frame = studio.draw("axial", 3, 1);
  for (int x = 0; x < 3; ++x) {
    const Colour c = labelColour(3 * x);
    EXPECT_EQ(pixel(frame, x, 0), (std::array<int, 3>{c[0], c[1], c[2]}));
  }
}

TEST(Slice, ColourImagesShowTheirColours) {
  for (const auto type : {VoxelType::rgb24, VoxelType::rgba32}) {
    ImageInfo info;
    info.dims = {2, 2, 1};
    info.type = type;
    std::vector<std::uint8_t> bytes{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};
    if (type == VoxelType::rgba32) bytes = {10, 20, 30, 255, 40, 50, 60, 255, 70, 80, 90, 0, 100, 110, 120, 255};
    auto volume = Volume::copyOf(info, std::as_bytes(std::span(bytes)), "colours");
    ASSERT_TRUE(volume);
    Studio studio;
    studio.scene.convention = Convention::neurological;
    studio.add("a", std::make_shared<const Volume>(std::move(*volume)), 0, 1);
    const Frame frame = studio.draw("axial", 2, 2);  // anterior (y = 1) above
    EXPECT_EQ(pixel(frame, 0, 1), (std::array<int, 3>{10, 20, 30}));
    EXPECT_EQ(pixel(frame, 1, 1), (std::array<int, 3>{40, 50, 60}));
    EXPECT_EQ(pixel(frame, 1, 0), (std::array<int, 3>{100, 110, 120}));
    const auto left = type == VoxelType::rgba32 ? std::array<int, 3>{0, 0, 0} : std::array<int, 3>{70, 80, 90};
    EXPECT_EQ(pixel(frame, 0, 0), left);
  }
}

TEST(Slice, TimeAndComponentAreClamped) {
  ImageInfo info;
  info.timePoints = 2;
  info.components = 2;
  const std::vector<std::uint8_t> bytes{10, 20, 30, 40};  // c0t0 c0t1 c1t0 c1t1
  auto volume = Volume::copyOf(info, std::as_bytes(std::span(bytes)), "4d");
  ASSERT_TRUE(volume);
  Studio studio;
  Layer& layer = studio.add("a", std::make_shared<const Volume>(std::move(*volume)), 0, 255);
  EXPECT_EQ(pixel(studio.draw("axial", 1, 1), 0, 0)[0], 10);
  layer.time = 1;
  EXPECT_EQ(pixel(studio.draw("axial", 1, 1), 0, 0)[0], 20);
  layer.time = 99;
  layer.component = 99;
  EXPECT_EQ(pixel(studio.draw("axial", 1, 1), 0, 0)[0], 40);
}

TEST(Slice, ExtremeImagesAreDrawn) {
  for (const double spacing : {1e-4, 1.0, 1e5}) {
    for (const phantom::Dims& dims : {phantom::Dims{1, 1, 1}, {5, 1, 9}, {64, 64, 1}}) {
      Studio studio;
      studio.add("a",
                 make(VoxelType::uint8, dims, phantom::scaled({spacing, spacing, spacing}, {0, 0, 0}),
                      [](auto, auto, auto) { return 255; }),
                 0, 255);
      for (const char* view : {"axial", "coronal", "sagittal", "3d"}) {
        const Frame frame = studio.draw(view, 33, 31);
        EXPECT_GT(pixel(frame, 16, 15)[0], 50) << view << spacing << dims[0];
      }
    }
  }
}

TEST(Slice, PlacesOutsideOrFarAwayAreBlack) {
  Studio studio;
  studio.add("a", make(VoxelType::uint8, {8, 8, 8}, Affine{}, [](auto, auto, auto) { return 255; }), 0, 255);
  for (const double far : {8.1, 1e3, 1e12, 1e300}) {
    studio.scene.crosshairMm = {far, far, far};
    for (const char* view : {"axial", "coronal", "sagittal"}) {
      const Frame frame = studio.draw(view, 20, 20);
      for (int i = 0; i < 20; ++i) EXPECT_EQ(pixel(frame, i, i), (std::array<int, 3>{0, 0, 0}));
    }
    for (auto& view : studio.scene.views) view.centreMm = Vec3{far * 1000, -far * 1000, far};
    EXPECT_EQ(phantom::meanOf(studio.draw("3d", 20, 20), 0, 0, 20, 20), 0);
  }
}

TEST(Renderer, EmptySceneIsABlackPicture) {
  Studio studio;
  for (const char* view : {"axial", "3d"}) {
    const Frame frame = studio.draw(view, 5, 4);
    ASSERT_EQ(frame.rgba.size(), 80U);
    for (std::size_t i = 0; i < frame.rgba.size(); ++i) EXPECT_EQ(frame.rgba[i], i % 4 == 3 ? 255 : 0);
  }
}

TEST(Renderer, WrongRequestsAreErrors) {
  Studio studio;
  Frame frame;
  RenderRequest request{&studio.scene, "axial", 0, 10, &studio.volumes, 1};
  EXPECT_EQ(studio.renderer->render(request, frame).error().code, ErrorCode::invalidInput);
  request.width = 16385;
  EXPECT_EQ(studio.renderer->render(request, frame).error().code, ErrorCode::invalidInput);
  request.width = 10;
  request.view = "oblique";
  EXPECT_EQ(studio.renderer->render(request, frame).error().code, ErrorCode::notFound);
  EXPECT_FALSE(makeCpuRenderer("mmx"));
}

TEST(Renderer, FramesShrinkAndGrow) {
  Studio studio;
  studio.add("a", make(VoxelType::uint8, {8, 8, 8}, Affine{}, [](auto, auto, auto) { return 255; }), 0, 255);
  for (const auto& [w, h] : {std::pair{300, 200}, {7, 5}, {1, 1}, {513, 3}}) {
    const Frame frame = studio.draw("axial", w, h);
    EXPECT_EQ(frame.rgba.size(), static_cast<std::size_t>(w * h * 4));
    EXPECT_EQ(pixel(frame, w / 2, h / 2)[0], 255);
  }
}

}  // namespace
}  // namespace nora
