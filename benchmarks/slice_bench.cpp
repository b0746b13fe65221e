// Slices: ours against a plain scalar loop over the same pixels; the pictures must agree.
#include "benchmarks/bench.hpp"
#include "benchmarks/phantom.hpp"
#include "render/renderer.hpp"

#include <algorithm>
#include <cstdlib>

namespace nora::bench {
namespace {

constexpr int width = 1280;
constexpr int height = 720;

/// What a first version would be: double precision, one pixel at a time.
void naiveSlice(const Volume& volume, const ViewGeometry& geometry, const Window& window, Frame& frame) {
  frame.resize(width, height);
  const auto info = volume.info();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Vec3 mm = geometry.originMm + geometry.rightMm * (x + 0.5) + geometry.downMm * (y + 0.5);
      const double value = volume.trilinear(volume.voxelFromWorld().point(mm));
      const double level = (value - window.low) / (window.high - window.low);
      const auto gray = std::isnan(value) ? std::uint8_t{0}
                                          : static_cast<std::uint8_t>(std::lround(std::clamp(level, 0.0, 1.0) * 255));
      std::uint8_t* pixel = &frame.rgba[(static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)) * 4];
      pixel[0] = pixel[1] = pixel[2] = gray;
      pixel[3] = 255;
    }
  }
}

/// The slower ways to draw one slice, each by itself.
void addWays(Scene scene, const LayerVolumes& volumes, Renderer& renderer, std::vector<Row>& rows) {
  constexpr int rounds = 9;
  constexpr double slabMm = 20;
  Frame frame;
  const auto add = [&](const std::string& what) {
    const RenderRequest request{&scene, "coronal", width, height, &volumes, 1};
    const double time = timeMedian([&] { require(renderer.render(request, frame).has_value(), what); }, rounds);
    rows.push_back({"", "slice 1280x720 of 256^3 int16, " + what, time, "ms", std::nullopt, true, "", std::nullopt});
  };
  Layer& layer = scene.layers.front();
  layer.interpolation = Interpolation::cubic;
  add("cubic");
  for (View& view : scene.views) view.slabMm = slabMm;
  layer.interpolation = Interpolation::linear;
  add("maximum of a 20 mm slab");
  for (View& view : scene.views) view.slabMm = 0;
  layer.interpolation = Interpolation::nearest;
  layer.colourMap = "labels";
  for (const int pixels : {1, 3}) {
    layer.outlinePixels = pixels;
    add("label outlines of " + std::to_string(pixels) + " px");
  }
}

}  // namespace

std::vector<Row> sliceRows() {
  const auto volume = phantomVolume(256);
  Scene scene = defaultScene(Source{"phantom", ""}, volume->info());
  const LayerVolumes volumes{{scene.layers.front().id, volume}};
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  Frame ours;
  Frame naive;
  const RenderRequest request{&scene, "coronal", width, height, &volumes, 1};
  const auto draw = [&] { require((*renderer)->render(request, ours).has_value(), "slice"); };
  draw();
  const Window window = effectiveWindow(scene.layers.front(), volume->info());
  const auto peer = [&] { naiveSlice(*volume, ours.geometry, window, naive); };
  peer();
  int worst = 0;
  for (std::size_t i = 0; i < ours.rgba.size(); ++i) worst = std::max(worst, std::abs(ours.rgba[i] - naive.rgba[i]));
  require(worst <= 1, "the slice differs by " + std::to_string(worst) + " levels from the plain loop");
  const Paired times = timePaired(draw, peer, 15);
  std::vector<Row> rows{{"", "slice 1280x720 of 256^3 int16, " + (*renderer)->name(), times.ours, "ms", std::nullopt,
                         true, "plain scalar loop, one thread", times.peer}};
  addWays(scene, volumes, **renderer, rows);
  return rows;
}

}  // namespace nora::bench
