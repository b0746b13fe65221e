// Surfaces and streamlines beside VTK: the same shapes and camera in one run. VTK draws in a program of its own
// (vtk_geometry.cpp).
#include "benchmarks/bench.hpp"
#include "benchmarks/render_subjects.hpp"
#include "image/io/reader_pool.hpp"
#include "render/renderer.hpp"
#include "render/scene/shape_layer.hpp"
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <span>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace nora::bench {
namespace {

using nlohmann::json;
using Shape = std::shared_ptr<const Content>;

constexpr int width = 1280;
constexpr int height = 720;

template <class T>
std::vector<std::byte> bytesOf(const std::vector<T>& numbers) {
  const auto* first = reinterpret_cast<const std::byte*>(numbers.data());
  return {first, first + numbers.size() * sizeof(T)};
}

ArrayBlock blockOf(const ArrayPlan& plan, const std::vector<std::vector<std::byte>>& parts) {
  std::vector<std::byte> bytes(plan.totalBytes().value());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::memcpy(bytes.data() + plan.arrays()[i].offset, parts[i].data(), parts[i].size());
  }
  return ArrayBlock::copyOf(plan.arrays(), bytes, "made").value();
}

/// Curves of 1 mm steps within a brain's size, whose direction turns slowly.
Shape madeTracts(std::size_t lines, std::size_t pointsEach) {
  std::mt19937 random(4711);
  std::normal_distribution<float> normal;
  const auto vector = [&](float size) {
    return Vec3{normal(random) * size, normal(random) * size, normal(random) * size};
  };
  std::vector<float> points;
  points.reserve(lines * pointsEach * 3);
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t l = 0; l < lines; ++l) {
    Vec3 at{normal(random) * 25.0, normal(random) * 32.0, normal(random) * 22.0};
    Vec3 way = normalised(vector(1));
    const Vec3 bend = vector(0.04F);
    for (std::size_t p = 0; p < pointsEach; ++p) {
      for (const double x : at) points.push_back(static_cast<float>(x));
      at = at + way;
      way = normalised(way + bend);
    }
    offsets.push_back(points.size() / 3);
  }
  ArrayPlan plan;
  TractogramInfo info;
  info.format = "made";
  info.streamlines = static_cast<std::int64_t>(lines);
  info.points = static_cast<std::int64_t>(points.size() / 3);
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  measureBounds(points, info.boundsLow, info.boundsHigh);
  auto arrays = blockOf(plan, {bytesOf(points), bytesOf(offsets)});
  return std::make_shared<const Content>(Tractogram::create(info, std::move(arrays), "made").value());
}

/// A sphere with folds, of stacks * stacks * 4 triangles.
Shape madeSurface(int stacks) {
  std::vector<float> points;
  std::vector<std::uint32_t> corners;
  const int sectors = 2 * stacks;
  for (int s = 0; s <= stacks; ++s) {
    for (int t = 0; t < sectors; ++t) {
      const double polar = std::numbers::pi * s / stacks, turn = 2 * std::numbers::pi * t / sectors;
      const double radius =
          70 + 4 * std::sin(11 * polar) * std::sin(13 * turn) + 2 * std::cos(23 * turn + 7 * polar) * std::sin(polar);
      points.push_back(static_cast<float>(radius * std::sin(polar) * std::cos(turn)));
      points.push_back(static_cast<float>(radius * std::sin(polar) * std::sin(turn)));
      points.push_back(static_cast<float>(radius * std::cos(polar)));
    }
  }
  const auto at = [&](int s, int t) { return static_cast<std::uint32_t>(s * sectors + t % sectors); };
  for (int s = 0; s < stacks; ++s) {
    for (int t = 0; t < sectors; ++t) {
      corners.insert(corners.end(),
                     {at(s, t), at(s + 1, t), at(s + 1, t + 1), at(s, t), at(s + 1, t + 1), at(s, t + 1)});
    }
  }
  ArrayPlan plan;
  SurfaceInfo info;
  info.format = "made";
  info.vertices = static_cast<std::int64_t>(points.size() / 3);
  info.triangles = static_cast<std::int64_t>(corners.size() / 3);
  info.points = plan.add(VoxelType::float32, info.vertices, 3);
  info.triangleCorners = plan.add(VoxelType::uint32, info.triangles, 3);
  measureBounds(points, info.boundsLow, info.boundsHigh);
  auto arrays = blockOf(plan, {bytesOf(points), bytesOf(corners)});
  return std::make_shared<const Content>(Surface::create(info, std::move(arrays), "made").value());
}

/// One picture after the other of some shapes.
class Scenery {
 public:
  explicit Scenery(const std::vector<Shape>& shapes) {
    scene_ = defaultShapeScene({}, *shapes.front());
    scene_.layers.clear();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Layer layer = defaultShapeLayer({}, *shapes[i], i);
      layer.id = std::to_string(i);
      layer.surface.colour = layer.streamlines.colour = LayerColour{255, 255, 255};
      layer.streamlines.widthPixels = 1;
      scene_.layers.push_back(layer);
      shapes_[layer.id] = shapes[i];
    }
    auto made = makeRenderer("cpu");
    require(made.has_value(), "there is no renderer");
    renderer_ = std::move(*made);
  }
  [[nodiscard]] Scene& scene() { return scene_; }
  [[nodiscard]] const Frame& frame() const { return frame_; }

  void draw(int w, int h, bool preview, double stepScale = 1) {
    RenderRequest request;
    request.scene = &scene_;
    request.view = "3d";
    request.width = w;
    request.height = h;
    request.volumes = &volumes_;
    request.shapes = &shapes_;
    request.preview = preview;
    request.stepScale = stepScale;
    const auto drawn = renderer_->render(request, frame_);
    require(drawn.has_value(), drawn ? "" : describe(drawn.error()));
  }

 private:
  Scene scene_;
  LayerVolumes volumes_;
  LayerShapes shapes_;
  std::unique_ptr<Renderer> renderer_;
  Frame frame_;
};

/// What the peer drew; zero where it was not built.
struct Peer {
  double milliseconds = 0;
  std::vector<std::uint8_t> rgb;
};

#ifdef NORA_VTK_GEOMETRY
void write(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Peer drawByVtk(const Shape& shape, const Frame& ours, const std::string& kind, double opacity) {
  const auto folder = std::filesystem::temp_directory_path() / ("nora_geometry_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  json picture{{"name", "peer"}, {"kind", kind}, {"opacity", opacity}, {"frames", 3}, {"radiusMm", 0.25}};
  picture["points"] = folder / "points";
  picture["file"] = folder / "picture";
  if (const auto* surface = std::get_if<Surface>(shape.get())) {
    write(folder / "points", std::as_bytes(surface->points()));
    write(folder / "triangles", std::as_bytes(surface->triangles()));
    picture["triangles"] = folder / "triangles";
  } else {
    const auto& tracts = std::get<Tractogram>(*shape);
    write(folder / "points", std::as_bytes(tracts.positions()));
    write(folder / "offsets", std::as_bytes(tracts.offsets()));
    picture["offsets"] = folder / "offsets";
  }
  const ViewGeometry& g = ours.geometry;
  const Vec3 focus = g.originMm + g.rightMm * (width / 2.0) + g.downMm * (height / 2.0);
  json job{{"width", width}, {"height", height}, {"pictures", json::array({picture})}};
  job["focus"] = focus;
  job["position"] = focus - g.forward * 3000;
  job["lamp"] = focus - g.forward * 3000;
  job["up"] = g.downMm * -1;
  job["parallelScale"] = length(g.downMm) * height / 2;
  std::ofstream(folder / "job.json") << job.dump();
  const std::string command = std::string(NORA_VTK_GEOMETRY) + " " + (folder / "job.json").string();
  std::string text;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    std::array<char, 4096> part{};
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
    ::pclose(pipe);
  }
  Peer out;
  const json answer = json::parse(text, nullptr, false);
  require(answer.is_object() && !answer.contains("error"), "VTK: " + text);
  auto times = answer.at("peer").get<std::vector<double>>();
  std::sort(times.begin(), times.end());
  out.milliseconds = times[times.size() / 2];
  std::ifstream file(folder / "picture", std::ios::binary);
  out.rgb.resize(std::size_t{width} * height * 3);
  file.read(reinterpret_cast<char*>(out.rgb.data()), static_cast<std::streamsize>(out.rgb.size()));
  std::filesystem::remove_all(folder);
  return out;
}
#endif

/// Share of the pixels that anything covers in which only one of two pictures shows it.
double disagreement(const Frame& ours, const std::vector<std::uint8_t>& rgb) {
  std::size_t either = 0, one = 0;
  for (std::size_t i = 0; i < rgb.size() / 3; ++i) {
    const bool a = ours.rgba[i * 4] + ours.rgba[i * 4 + 1] + ours.rgba[i * 4 + 2] > 0;
    const bool b = rgb[i * 3] + rgb[i * 3 + 1] + rgb[i * 3 + 2] > 0;
    either += a || b ? 1 : 0;
    one += a != b ? 1 : 0;
  }
  return either > 0 ? static_cast<double>(one) / static_cast<double>(either) : 1;
}

struct Subject {
  std::string name;
  std::vector<Shape> shapes;
  std::string kind;  // for VTK; empty: not compared
  double opacity = 1;
  double mostDisagreement = 1;
  bool isQ9 = false;
};

void addRows(const Subject& subject, std::vector<Row>& rows) {
  constexpr double stillTarget = 400, movingTarget = 10;
  constexpr int rounds = 5;
  Scenery scenery(subject.shapes);
  if (subject.opacity < 1) scenery.scene().layers.front().opacity = subject.opacity;
  scenery.draw(width, height, true);
  Row still{subject.isQ9 ? "Q9" : "", subject.name + ", still 1280x720", 0, "ms"};
  if (subject.isQ9) still.target = stillTarget;
#ifdef NORA_VTK_GEOMETRY
  if (!subject.kind.empty()) {
    const Peer peer = drawByVtk(subject.shapes.front(), scenery.frame(), subject.kind, subject.opacity);
    scenery.draw(width, height, false);
    const double differ = disagreement(scenery.frame(), peer.rgb);
    std::fprintf(stderr, "%s: %.2f %% of the covered pixels differ from VTK's\n", subject.name.c_str(), differ * 100);
    require(differ < subject.mostDisagreement, subject.name + " does not look as VTK draws it");
    still.peer = "VTK " + subject.kind + " on llvmpipe";
    still.peerValue = peer.milliseconds;
  }
#endif
  int turn = 0;
  const auto turned = [&](int w, int h, bool preview, double stepScale) {
    scenery.scene().views.back().azimuthDeg = 30 + 3 * (turn++ % 40);
    scenery.draw(w, h, preview, stepScale);
  };
  still.value = timeMedian([&] { turned(width, height, false, 1); }, rounds);
  rows.push_back(still);
  Row moving{subject.isQ9 ? "Q9" : "", subject.name + ", moving 640x360", 0, "frames/s"};
  moving.smallerIsBetter = false;
  if (subject.isQ9) moving.target = movingTarget;
  moving.value = 1000 / timeMedian([&] { turned(width / 2, height / 2, true, 2); }, rounds * 4);
  rows.push_back(moving);
}

}  // namespace

std::vector<Row> geometryRows() {
  std::vector<Row> rows;
  const Shape tracts = madeTracts(100'000, 60);
  const Shape surface = madeSurface(274);
  addRows({"100 k streamlines, 6 M points", {tracts}, "lines", 1, 0.1, true}, rows);
  addRows({"10 k streamlines as tubes", {madeTracts(10'000, 60)}, "tubes", 1, 1}, rows);
  addRows({"surface of 300 k triangles", {surface}, "surface", 1, 0.01}, rows);
  addRows({"translucent surface", {surface}, "surface", 0.4, 0.01}, rows);
  addRows({"streamlines within a translucent surface", {surface, tracts}, "", 0.4}, rows);
  if (const char* data = std::getenv("NORA_SHARED_DATA")) {
    const std::string path = std::string(data) + "/tracts/stroke.trk.gz";
    ReaderPool pool(NORA_PROGRAM, {});
    std::vector<OpenedFile> files;
    if (auto file = openRegularFile(path, path)) files.push_back(std::move(*file));
    if (!files.empty()) {
      auto read = pool.readContent(files, path, {}, {});
      require(read.has_value(), "cannot read " + path);
      addRows({"36,763 real streamlines", {std::make_shared<const Content>(std::move(*read))}, "lines", 1, 0.1}, rows);
    }
  }
  return rows;
}

}  // namespace nora::bench
