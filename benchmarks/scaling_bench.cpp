// How volume rendering goes with threads, voxels, pixels, opacity and modes; and what an edit of the transfer function
// costs.
#include "benchmarks/bench.hpp"
#include "benchmarks/render_subjects.hpp"

#include <algorithm>
#include <thread>

#include <tbb/global_control.h>

namespace nora::bench {
namespace {

constexpr int width = 1280;
constexpr int height = 720;
constexpr int frames = 3;

double timeOf(Stage& stage, int w, int h, double stepScale = 1) {
  return timeMedian([&] { stage.draw(w, h, stepScale); }, frames);
}

Row plain(const std::string& name, double ms) {
  return {"", name, ms, "ms", {}, true, "", {}};
}

void addThreads(const Subject& subject, std::vector<Row>& rows) {
  Stage stage(subject, boneLook());
  std::optional<double> one;
  const unsigned most = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned threads = 1; threads <= most; threads *= 2) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    const double ms = timeOf(stage, width, height);
    rows.push_back({"", "threads: " + std::to_string(threads), ms, "ms", {}, true, one ? "1 thread" : "", one});
    if (!one) one = ms;
  }
}

void addPixels(const Subject& subject, std::vector<Row>& rows) {
  Stage stage(subject, boneLook());
  for (const auto& [w, h] : {std::pair{640, 360}, {1280, 720}, {1920, 1080}}) {
    rows.push_back(plain("pixels: " + std::to_string(w) + "x" + std::to_string(h), timeOf(stage, w, h)));
  }
  stage.scene().views.front().zoom = 1.5;
  rows.push_back(
      plain("pixels: 1280x720, 1.5 times as near, the body cut by the picture", timeOf(stage, width, height)));
}

void addModes(const Subject& subject, std::vector<Row>& rows) {
  for (const auto& [name, mode] : {std::pair{"maximum", VolumeMode::maximum},
                                   {"minimum", VolumeMode::minimum},
                                   {"mean", VolumeMode::mean},
                                   {"isosurface", VolumeMode::isosurface}}) {
    Look look{name, {}};
    look.mode = mode;
    Stage stage(subject, look);
    // The whole range: nothing is bright enough to end a ray early.
    stage.scene().layers.front().windowLow = -1000;
    stage.scene().layers.front().windowHigh = 3000;
    const double still = timeOf(stage, width, height);
    const double moving = timeOf(stage, width / 2, height / 2, 2);
    rows.push_back({"",
                    std::string("mode ") + name + ": still 1280x720 (peer: moving, 640x360, steps of 2)",
                    still,
                    "ms",
                    {},
                    true,
                    "moving",
                    moving});
  }
}

void addSizes(std::vector<Row>& rows) {
  const auto add = [&](const Subject& subject, int edge) {
    for (const Look& look : {boneLook(), fogLook()}) {
      Look shown = look;
      if (subject.volume->info().type == VoxelType::uint8) {
        for (TransferPoint& p : shown.transfer.points) p.value = (p.value + 1000) / 10;
      }
      Stage stage(subject, shown);
      const RenderStatistics first = stage.draw(width, height);
      const double ms = timeOf(stage, width, height);
      rows.push_back({"",
                      "voxels: " + subject.name + " " + std::to_string(edge) + "^3, " + look.name,
                      ms,
                      "ms",
                      {},
                      true,
                      "first picture's preparation",
                      static_cast<double>(first.prepare.count()) / 1e3});
    }
  };
  for (const int edge : {128, 256, 512}) add(madeSubject(edge), edge);
  add(madeSubject(1024, VoxelType::uint8), 1024);
  add(madeSubject(1024), 1024);
}

/// Every frame has another function: its points move, so that other bricks are seen.
void addEdits(const Subject& subject, std::vector<Row>& rows) {
  Stage stage(subject, boneLook());
  stage.draw(width, height);
  std::vector<double> prepare, draw, colours;
  for (int i = 0; i < 11; ++i) {
    for (TransferPoint& p : stage.scene().layers.front().transfer.points) p.value += i % 2 == 0 ? 7 : -5;
    const RenderStatistics s = stage.draw(width, height);
    prepare.push_back(static_cast<double>(s.prepare.count()) / 1e3);
    draw.push_back(static_cast<double>(s.draw.count()) / 1e3);
    (*stage.scene().layers.front().transfer.points.front().colour)[0] ^= 1;
    colours.push_back(static_cast<double>(stage.draw(width, height).prepare.count()) / 1e3);
  }
  const auto median = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  rows.push_back(
      {"Q7", "edit of the transfer function: preparation", median(prepare), "ms", 30.0, true, "drawing", median(draw)});
  rows.push_back({"", "edit of its colours only: preparation", median(colours), "ms", {}, true, "", {}});
}

/// A picture that is given up for a newer one.
void addStopping(const Subject& subject, std::vector<Row>& rows) {
  Stage stage(subject, fogLook());
  const double whole = timeOf(stage, width, height);
  std::vector<double> times;
  for (int i = 0; i < 11; ++i) times.push_back(stage.drawAndStop(width, height, std::chrono::milliseconds(40 + 7 * i)));
  std::sort(times.begin(), times.end());
  rows.push_back({"",
                  "thin fog, given up: until the renderer is back, median",
                  times[times.size() / 2],
                  "ms",
                  {},
                  true,
                  "the whole picture",
                  whole});
  rows.push_back({"", "thin fog, given up: until the renderer is back, longest", times.back(), "ms", {}, true, "", {}});
}

}  // namespace

std::vector<Row> scalingRows() {
  std::vector<Row> rows;
  {
    const Subject ct = ctSubject(512);
    addThreads(ct, rows);
    addPixels(ct, rows);
    addModes(ct, rows);
    addEdits(ct, rows);
    addStopping(ct, rows);
    for (Row& row : rows) row.name = ct.name + " 512^3, " + row.name;
  }
  addSizes(rows);
  return rows;
}

}  // namespace nora::bench
