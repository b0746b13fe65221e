// Pictures that are smaller than their view, and pictures that are given up.
#include "tests/render/phantoms.hpp"

#include <chrono>
#include <thread>

namespace nora {
namespace {

using phantom::grayOf;
using phantom::make;
using phantom::pixel;
using phantom::scaled;
using phantom::Studio;
using phantom::worldOf;
using Clock = std::chrono::steady_clock;

struct Size {
  int width, height;
};

Result<Frame> draw(Studio& studio, const std::string& view, Size picture, Size viewport, std::stop_token stop = {}) {
  RenderRequest request;
  request.scene = &studio.scene;
  request.view = view;
  request.width = picture.width;
  request.height = picture.height;
  request.viewWidth = viewport.width;
  request.viewHeight = viewport.height;
  request.volumes = &studio.volumes;
  request.stop = std::move(stop);
  Frame frame;
  const auto drawn = studio.renderer->render(request, frame);
  if (!drawn) return tl::make_unexpected(drawn.error());
  return frame;
}

/// 40 x 30 x 20 mm, brighter to the left, and a bright block in one corner.
std::shared_ptr<const Volume> lopsided() {
  return make(VoxelType::int16, {40, 30, 20}, scaled({1, 1, 1}, {-20, -15, -10}), [](auto x, auto y, auto z) {
    return 10 + 4 * static_cast<double>(x) + (x < 12 && y > 20 && z > 10 ? 800 : 0);
  });
}

TEST(SmallerPicture, ShowsTheMillimetresOfItsViewEdgeToEdge) {
  Studio studio;
  studio.add("a", lopsided(), 0, 200);
  const Size viewport{641, 487};
  for (const View& view : studio.scene.views) {
    const auto full = draw(studio, view.name, viewport, viewport).value().geometry;
    for (const Size picture : {Size{481, 365}, Size{321, 244}, Size{214, 162}}) {
      const auto small = draw(studio, view.name, picture, viewport).value().geometry;
      for (std::size_t a = 0; a < 3; ++a) {
        EXPECT_DOUBLE_EQ(small.originMm[a], full.originMm[a]);
        EXPECT_NEAR(small.rightMm[a] * picture.width, full.rightMm[a] * viewport.width, 1e-10);
        EXPECT_NEAR(small.downMm[a] * picture.height, full.downMm[a] * viewport.height, 1e-10);
        EXPECT_EQ(small.forward[a], full.forward[a]);
      }
    }
  }
}

TEST(SmallerPicture, OfASliceHasTheValuesOfThePlaces) {
  Studio studio;
  studio.add("a", lopsided(), 0, 200);
  for (const Size picture : {Size{160, 120}, Size{53, 41}}) {
    const Frame frame = draw(studio, "axial", picture, {160, 121}).value();
    int compared = 0;
    for (int y = 1; y < picture.height; y += 3) {
      for (int x = 1; x < picture.width; ++x) {
        const double mm = worldOf(frame, x, y)[0];
        if (mm < -19 || mm > 18) continue;
        ++compared;
        EXPECT_NEAR(pixel(frame, x, y)[0], grayOf(10 + 4 * (mm + 20), 0, 200), 1) << x << " " << y;
      }
    }
    EXPECT_GT(compared, 100);
  }
}

/// The brightest part of a picture, 0..1 of its sides.
std::array<double, 2> centreOfLight(const Frame& frame) {
  double sum = 0, across = 0, along = 0;
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const double light = pixel(frame, x, y)[0];
      sum += light;
      across += light * (x + 0.5) / frame.width;
      along += light * (y + 0.5) / frame.height;
    }
  }
  return {across / sum, along / sum};
}

TEST(SmallerPicture, OfAVolumeHasTheBodyInTheSamePlace) {
  Studio studio;
  studio.add("a", lopsided(), 0, 900);
  studio.camera().mode = VolumeMode::maximum;
  const Size viewport{321, 243};
  const auto expected = centreOfLight(draw(studio, "3d", viewport, viewport).value());
  EXPECT_GT(std::abs(expected[0] - 0.5), 0.01) << "a mirrored picture would not be seen";
  for (const Size picture : {Size{241, 182}, Size{161, 122}, Size{107, 81}}) {
    const auto found = centreOfLight(draw(studio, "3d", picture, viewport).value());
    EXPECT_NEAR(found[0], expected[0], 0.15 / picture.width);
    EXPECT_NEAR(found[1], expected[1], 0.15 / picture.height);
  }
}

TEST(SmallerPicture, HasAtMostThePixelsOfItsView) {
  Studio studio;
  for (const Size picture : {Size{65, 48}, Size{64, 49}, Size{0, 48}, Size{64, -1}}) {
    EXPECT_EQ(draw(studio, "axial", picture, {64, 48}).error().code, ErrorCode::invalidInput);
  }
}

TEST(StoppedPicture, IsAnErrorAtOnce) {
  Studio studio;
  studio.add("a", lopsided(), 0, 900);
  std::stop_source stop;
  stop.request_stop();
  for (const View& view : studio.scene.views) {
    const auto drawn = draw(studio, view.name, {64, 48}, {64, 48}, stop.get_token());
    ASSERT_FALSE(drawn) << view.name;
    EXPECT_EQ(drawn.error().code, ErrorCode::cancelled);
  }
}

TEST(StoppedPicture, EndsSoonAndTheNextIsAsEver) {
  Studio studio("scalar");
  studio.add("a", lopsided(), 0, 900);
  studio.camera().mode = VolumeMode::mean;
  const Size size{1200, 1200};
  const auto timed = [&](const std::stop_token& stop, Result<Frame>& out) {
    const auto start = Clock::now();
    out = draw(studio, "3d", size, size, stop);
    return Clock::now() - start;
  };
  Result<Frame> before = fail(ErrorCode::internal, "not drawn");
  Result<Frame> stopped = before;
  Result<Frame> after = before;
  const auto whole = timed({}, before);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(whole / 10);
    stop.request_stop();
  });
  const auto part = timed(stop.get_token(), stopped);
  timed({}, after);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_LT(part, whole / 2);
  EXPECT_EQ(before.value().rgba, after.value().rgba);
}

}  // namespace
}  // namespace nora
