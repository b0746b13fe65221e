// Times of one renderer, on the CPU or on a GPU: `backend_bench [--backend cpu|cuda|auto] [--size N] [--frames N]
// [--seconds N] [--json FILE]`. Needs nothing but itself, so that it runs on a machine where nora is not built.
#include "benchmarks/phantom.hpp"
#include "render/renderer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nora::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int width = 1280;
constexpr int height = 720;

struct Options {
  std::string backend = "auto";
  std::string json;
  int size = 512;    // voxels along each edge
  int frames = 300;  // most of each measurement
  int seconds = 6;   // after these no further frame is begun
};

[[noreturn]] void stop(const std::string& what) {
  std::fprintf(stderr, "backend_bench: %s\n", what.c_str());
  std::exit(1);
}

Options parse(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) stop(std::string(name) + " needs a value");
    const std::string_view value = argv[i + 1];
    const auto number = [&](int low, int high) {
      int n = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
      if (error != std::errc() || end != value.data() + value.size() || n < low || n > high) {
        stop(std::string(name) + " must be from " + std::to_string(low) + " to " + std::to_string(high));
      }
      return n;
    };
    if (name == "--backend") {
      out.backend = value;
    } else if (name == "--json") {
      out.json = value;
    } else if (name == "--size") {
      out.size = number(16, 1024);
    } else if (name == "--frames") {
      out.frames = number(1, 100000);
    } else if (name == "--seconds") {
      out.seconds = number(1, 3600);
    } else {
      stop("unknown argument " + std::string(name));
    }
  }
  return out;
}

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

/// A slow turn or scroll of one view, or an edit a frame.
class Bench {
 public:
  Bench(const Options& options, std::unique_ptr<Renderer> renderer)
      : options_(options), renderer_(std::move(renderer)), volume_(phantomVolume(options.size)) {
    scene_ = defaultScene(Source{"phantom", ""}, volume_->info());
    volumes_[scene_.layers.front().id] = volume_;
    name_ = std::to_string(options.size) + "^3 int16, " + std::to_string(width) + "x" + std::to_string(height);
  }

  nlohmann::json run() {
    View& camera =
        *std::find_if(scene_.views.begin(), scene_.views.end(), [](const View& v) { return v.name == "3d"; });
    const auto begun = Clock::now();
    draw("3d", 1);
    add("", "first picture: bricks, copies, start of the kernels", {millisecondsSince(begun)}, 0.5, std::nullopt);
    check();
    const auto turn = [&](int i) { camera.azimuthDeg = 20 + i; };
    const bool gpu = renderer_->name().starts_with("cuda");
    addBoth(gpu ? "Q6" : "Q4", "shaded", measure("3d", 1, turn), gpu ? 4.0 : 120.0);
    addBoth("", "shaded while moving (step 2)", measure("3d", 2, turn), std::nullopt);
    const Layer before = scene_.layers.front();
    addBoth("Q7", "edit of the transfer function to the picture", measure("3d", 1, [&](int i) { edit(i); }),
            gpu ? std::optional(10.0) : std::nullopt);
    scene_.layers.front() = before;
    for (const auto& [mode, title] : {std::pair{VolumeMode::maximum, "maximum"}, std::pair{VolumeMode::mean, "mean"},
                                      std::pair{VolumeMode::isosurface, "isosurface"}}) {
      camera.mode = mode;
      addBoth("", title, measure("3d", 1, turn), std::nullopt);
    }
    camera.mode = VolumeMode::shaded;
    for (const char* view : {"axial", "coronal", "sagittal"}) {
      addBoth("", std::string(view) + " slice", measure(view, 1, [&](int i) { scroll(i); }), std::nullopt);
    }
    return rows_;
  }

 private:
  RenderStatistics draw(const std::string& view, double step) {
    const RenderRequest request{&scene_, view, width, height, &volumes_, step};
    const auto drawn = renderer_->render(request, frame_);
    if (!drawn) stop(describe(drawn.error()));
    return *drawn;
  }

  /// A fast wrong picture is no result: it must be the CPU's.
  void check() {
    const auto cpu = makeCpuRenderer();
    Frame expected;
    const RenderRequest request{&scene_, "3d", width, height, &volumes_};
    if (!cpu || !(*cpu)->render(request, expected)) stop("the CPU does not draw");
    double squares = 0;
    std::size_t lit = 0;
    for (std::size_t i = 0; i < expected.rgba.size(); ++i) {
      if (i % 4 == 3) continue;
      const double d = static_cast<double>(expected.rgba[i]) - static_cast<double>(frame_.rgba[i]);
      squares += d * d;
      lit += expected.rgba[i] > 20 ? 1 : 0;
    }
    if (lit < expected.rgba.size() / 20) stop("the picture is nearly black");
    constexpr double same = 99;
    const double decibels =
        squares > 0 ? 10 * std::log10(255.0 * 255 * 0.75 * static_cast<double>(expected.rgba.size()) / squares) : same;
    nlohmann::json row = rowOf("Q8", "likeness to the CPU's picture", decibels, "dB", 45.0);
    row["met"] = decibels >= 45;
    rows_.push_back(row);
    if (decibels < 45) stop("the picture is not the CPU's: " + std::to_string(decibels) + " dB");
  }

  std::vector<double> measure(const std::string& view, double step, const std::function<void(int)>& change) {
    std::vector<double> times;
    for (int i = -3; i < 0; ++i) {
      change(i);
      draw(view, step);
    }
    const auto begun = Clock::now();
    for (int i = 0; i < options_.frames && (i < 3 || millisecondsSince(begun) < options_.seconds * 1000); ++i) {
      change(i);
      const auto start = Clock::now();
      draw(view, step);
      times.push_back(millisecondsSince(start));
    }
    return times;
  }

  /// Moves a slope of the opacity, so that other bricks become visible.
  void edit(int i) {
    Layer& layer = scene_.layers.front();
    const double low = 100 + (i % 40 + 3) * 8;
    layer.transfer = Transfer{"", {{low, 0, {}}, {low + 250, 0.05, {}}, {950, 0.6, {}}}};
  }
  void scroll(int i) {
    const double at = (i * 7 % 100 - 50) * options_.size / 200.0;
    scene_.crosshairMm = {at, at, at};
  }

  nlohmann::json rowOf(const std::string& id, const std::string& what, double value, const char* unit,
                       std::optional<double> target) const {
    nlohmann::json row{{"id", id}, {"name", what + ", " + name_}, {"value", value}, {"unit", unit}};
    row["target"] = target ? nlohmann::json(*target) : nlohmann::json();
    row["met"] = target ? nlohmann::json(value <= *target) : nlohmann::json();
    row["machine"] = renderer_->name();
    return row;
  }
  void add(const std::string& id, const std::string& what, const std::vector<double>& times, double share,
           std::optional<double> target) {
    nlohmann::json row = rowOf(id, what, percentile(times, share), "ms", target);
    row["frames"] = times.size();
    std::fprintf(stderr, "%-4s %-70s %9.3f ms\n", id.c_str(), what.c_str(), row["value"].get<double>());
    rows_.push_back(std::move(row));
  }
  void addBoth(const std::string& id, const std::string& what, const std::vector<double>& times,
               std::optional<double> target) {
    add(id, what + ", p50", times, 0.5, std::nullopt);
    add(id, what + ", p99", times, 0.99, target);
  }

  Options options_;
  std::unique_ptr<Renderer> renderer_;
  std::shared_ptr<const Volume> volume_;
  Scene scene_;
  LayerVolumes volumes_;
  Frame frame_;
  std::string name_;
  nlohmann::json rows_ = nlohmann::json::array();
};

}  // namespace
}  // namespace nora::bench

int main(int argc, char** argv) {
  using namespace nora::bench;
  const Options options = parse(argc, argv);
  auto renderer = nora::makeRenderer(options.backend);
  if (!renderer) stop(nora::describe(renderer.error()));
  std::fprintf(stderr, "%s\n", (*renderer)->name().c_str());
  const std::string rows = Bench(options, std::move(*renderer)).run().dump(1);
  if (options.json.empty()) {
    std::printf("%s\n", rows.c_str());
    return 0;
  }
  std::ofstream file(options.json);
  file << rows << "\n";
  if (!file.flush()) stop("cannot write " + options.json);
  return 0;
}
