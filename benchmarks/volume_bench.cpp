// Shaded volume rendering: times of the still and of a picture in motion. The peer (VTK) comes with the render stage's
// full comparison.
#include "benchmarks/bench.hpp"
#include "benchmarks/phantom.hpp"
#include "render/renderer.hpp"

namespace nora::bench {

std::vector<Row> volumeRows() {
  std::vector<Row> rows;
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  for (const int size : {256, 512}) {
    const auto volume = phantomVolume(size);
    const Scene scene = defaultScene(Source{"phantom", ""}, volume->info());
    const LayerVolumes volumes{{scene.layers.front().id, volume}};
    Frame frame;
    const auto draw = [&](int width, int height, double stepScale) {
      const RenderRequest request{&scene, "3d", width, height, &volumes, stepScale};
      require((*renderer)->render(request, frame).has_value(), "volume view");
    };
    draw(1280, 720, 1);
    std::size_t lit = 0;
    for (std::size_t i = 0; i < frame.rgba.size(); i += 4) lit += frame.rgba[i] > 20 ? 1 : 0;
    require(lit > frame.rgba.size() / 4 / 20, "the volume view is nearly black");
    const std::string name = std::to_string(size) + "^3 int16, " + (*renderer)->name();
    const bool isTarget = size == 512;
    rows.push_back({isTarget ? "Q4" : "", "shaded DVR still 1280x720, " + name, timeMedian([&] { draw(1280, 720, 1); }, 7), "ms",
                    isTarget ? std::optional(120.0) : std::nullopt});
    const double moving = timeMedian([&] { draw(640, 360, 2); }, 9);
    rows.push_back({isTarget ? "Q5" : "", "shaded DVR moving 640x360, " + name, 1000 / moving, "frames/s",
                    isTarget ? std::optional(25.0) : std::nullopt, false});
  }
  return rows;
}

}  // namespace nora::bench
