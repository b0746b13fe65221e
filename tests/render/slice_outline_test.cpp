// Outlines of labels: where they are, how wide, and that they hold together at every zoom.
#include "render/scene/colour_map.hpp"
#include "tests/render/phantoms.hpp"

namespace nora {
namespace {

using phantom::colourOf;
using phantom::make;
using phantom::pixel;
using phantom::Studio;
using phantom::worldOf;

constexpr std::array<int, 3> black{0, 0, 0};

/// 40 x 40 x 3 voxels of 1 mm, centred on 0: a box of label 1 in the left half and one of label 2 beside it.
std::shared_ptr<const Volume> twoBoxes() {
  return make(VoxelType::uint8, {40, 40, 3}, phantom::scaled({1, 1, 1}, {-19.5, -19.5, -1}), [](auto x, auto y, auto) {
    if (y < 10 || y >= 30) return 0;
    return x >= 8 && x < 20 ? 1 : x >= 20 && x < 32 ? 2 : 0;
  });
}

Studio outlined(const std::string& isa, std::shared_ptr<const Volume> volume, double pixels) {
  Studio studio(isa);
  studio.scene.convention = Convention::neurological;
  Layer& layer = studio.add("a", std::move(volume), 0, 2);
  layer.colourMap = "labels";
  layer.outlinePixels = pixels;
  return studio;
}

TEST(Outline, HasTheSameWidthAtEveryZoom) {
  for (const auto& isa : phantom::instructionSets()) {
    for (const int width : {1, 2, 3, 7}) {
      Studio studio = outlined(isa, twoBoxes(), width);
      for (const double zoom : {1.0, 1.37, 2.0, 3.3, 6.9}) {
        studio.scene.views[0].zoom = zoom;
        const Frame frame = studio.draw("axial", 331, 331);
        // Along the middle row: each label has a line at both of its ends.
        std::array<std::array<int, 2>, 2> widths{};
        for (int x = 0; x < 331; ++x) {
          const double mm = worldOf(frame, x, 165)[0];
          const auto p = pixel(frame, x, 165);
          if (p == black) continue;
          const std::size_t label = mm < 0 ? 0 : 1;
          ASSERT_EQ(p, colourOf(mm < 0 ? 1 : 2)) << mm;
          ++widths[label][std::abs(mm) < 6 ? 0 : 1];
        }
        const bool endsShown = zoom < 1.6;
        for (std::size_t label = 0; label < 2; ++label) {
          EXPECT_EQ(widths[label][0], width) << isa << zoom;
          EXPECT_EQ(widths[label][1], endsShown ? width : 0) << isa << zoom;
        }
      }
    }
  }
}

TEST(Outline, IsWhereAnotherLabelIsNear) {
  // Against the definition, pixel by pixel, on a turned grid.
  Affine affine;
  affine.m = {0.9, 0.4, 0, -24, -0.4, 0.9, 0, -8, 0, 0, 1, -1, 0, 0, 0, 1};
  const auto volume = make(VoxelType::int16, {37, 33, 3}, affine,
                           [](auto x, auto y, auto) { return (x / 5 + y / 4) % 3 == 0 ? 0 : (x / 5) * 7 + y / 4 + 1; });
  for (const auto& isa : phantom::instructionSets()) {
    for (const double width : {0.4, 1.0, 1.5, 2.0, 4.3, 16.0}) {
      Studio studio = outlined(isa, volume, width);
      studio.scene.views[0].zoom = 1.9;
      const Frame frame = studio.draw("axial", 140, 120);
      std::vector<std::int64_t> labels;
      for (int i = 0; i < 140 * 120; ++i) {
        const Probe probe = probeAtMm(*volume, worldOf(frame, i % 140, i / 140), 0);
        labels.push_back(probe.inside ? static_cast<std::int64_t>(probe.value) : 0);
      }
      const double radius = std::max(width, 1.0);
      const int most = static_cast<int>(radius);
      int wrong = 0;
      for (int y = most; y < 120 - most; ++y) {
        for (int x = most; x < 140 - most; ++x) {
          const auto at = [&](int px, int py) { return labels[static_cast<std::size_t>(py * 140 + px)]; };
          bool edge = false;
          for (int dy = -most; dy <= most; ++dy) {
            for (int dx = -most; dx <= most; ++dx) {
              edge = edge || (dx * dx + dy * dy <= radius * radius && at(x + dx, y + dy) != at(x, y));
            }
          }
          if (pixel(frame, x, y) != (edge ? colourOf(at(x, y)) : black)) ++wrong;
        }
      }
      EXPECT_LE(wrong, 6) << isa << " " << width;  // positions half way between two voxels
    }
  }
}

TEST(Outline, HoldsTogetherAroundADisc) {
  const auto volume =
      make(VoxelType::uint8, {60, 60, 1}, phantom::scaled({1, 1, 1}, {-29.5, -29.5, 0}), [](auto x, auto y, auto) {
        const double dx = static_cast<double>(x) - 29.5;
        const double dy = static_cast<double>(y) - 29.5;
        return dx * dx + dy * dy < 400 ? 1 : 0;
      });
  for (const double zoom : {0.2, 0.45, 0.8, 1.0, 1.3}) {
    Studio studio = outlined("", volume, 1);
    studio.scene.views[0].zoom = zoom;
    const Frame frame = studio.draw("axial", 301, 301);
    // Water from the corner does not reach the middle; it flows around corners of eight neighbours' lines too little
    // to pass: four directions.
    std::vector<bool> wet(301 * 301);
    std::vector<int> open{0};
    wet[0] = true;
    while (!open.empty()) {
      const int at = open.back();
      open.pop_back();
      for (const auto& [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
        const int x = at % 301 + dx;
        const int y = at / 301 + dy;
        if (x < 0 || y < 0 || x > 300 || y > 300 || wet[static_cast<std::size_t>(y * 301 + x)]) continue;
        if (pixel(frame, x, y) != black) continue;
        wet[static_cast<std::size_t>(y * 301 + x)] = true;
        open.push_back(y * 301 + x);
      }
    }
    EXPECT_FALSE(wet[150 * 301 + 150]) << zoom;
    EXPECT_EQ(pixel(frame, 150, 150), black) << zoom;
  }
}

TEST(Outline, GoesAlongTheImagesBorder) {
  Studio studio = outlined("", make(VoxelType::uint8, {8, 8, 1}, Affine{}, [](auto, auto, auto) { return 5; }), 2);
  studio.scene.views[0].zoom = 0.5;
  const Frame frame = studio.draw("axial", 80, 80);  // the image covers pixels 20 to 59
  for (int i = 0; i < 80; ++i) {
    const bool line = i == 20 || i == 21 || i == 58 || i == 59;
    EXPECT_EQ(pixel(frame, i, 40), line ? colourOf(5) : black) << i;
    EXPECT_EQ(pixel(frame, 40, i), line ? colourOf(5) : black) << i;
  }
}

TEST(Outline, OfMasksKeepsTheirColour) {
  for (const auto& isa : phantom::instructionSets()) {
    Studio studio = outlined(isa, twoBoxes(), 1);
    Layer& layer = studio.scene.layers[0];
    layer.colourMap = "red";
    layer.interpolation = Interpolation::nearest;
    layer.windowHigh = 1;
    const Frame thin = studio.draw("axial", 120, 120);  // the first box: columns 24 to 59, rows 30 to 89
    EXPECT_EQ(pixel(thin, 24, 60), (std::array<int, 3>{255, 0, 0}));
    EXPECT_EQ(pixel(thin, 25, 60), black);
    EXPECT_EQ(pixel(thin, 23, 60), black);
    EXPECT_EQ(pixel(thin, 40, 30), (std::array<int, 3>{255, 0, 0}));
    EXPECT_EQ(pixel(thin, 40, 31), black);
    layer.interpolation = Interpolation::linear;  // values between 0 and 1: no mask
    EXPECT_EQ(pixel(studio.draw("axial", 120, 120), 40, 60), (std::array<int, 3>{255, 0, 0}));
  }
}

TEST(Outline, OfWhatIsNotWholeIsNoOutline) {
  const auto volume = make(VoxelType::float32, {9, 9, 1}, Affine{}, [](auto, auto, auto) { return 0.5; });
  Studio studio = outlined("", volume, 1);
  Layer& layer = studio.scene.layers[0];
  layer.colourMap = "gray";
  layer.interpolation = Interpolation::nearest;
  layer.windowHigh = 1;
  EXPECT_EQ(pixel(studio.draw("axial", 90, 90), 45, 45)[0], 128);
}

}  // namespace
}  // namespace nora
