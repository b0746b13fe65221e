// Volume rendering beside VTK: the same voxels, camera, transfer function, step, and light as far as the models allow,
// in one run. VTK draws in a program of its own (vtk_volume.cpp), between two rounds of ours.
#include "benchmarks/bench.hpp"
#include "benchmarks/dense_reference.hpp"
#include "benchmarks/render_subjects.hpp"
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <nlohmann/json.hpp>

namespace nora::bench {
namespace {

using nlohmann::json;

constexpr int width = 1280;
constexpr int height = 720;
constexpr int oversampled = 4;

/// What the peer drew; empty where it was not built.
struct Peer {
  double fixedMs = 0, gpuMs = 0;
  std::vector<std::uint8_t> fixed, gpu, dense;  // rgba
};

double medianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

#ifdef NORA_VTK_VOLUME
std::vector<std::uint8_t> readPicture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> rgb(std::size_t{width} * height * 3);
  file.read(rgb.data(), static_cast<std::streamsize>(rgb.size()));
  require(static_cast<bool>(file), "VTK's picture is cut short");
  std::vector<std::uint8_t> out;
  out.reserve(rgb.size() / 3 * 4);
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    out.push_back(static_cast<std::uint8_t>(rgb[i]));
    if (i % 3 == 2) out.push_back(255);
  }
  return out;
}

json jobOf(const Subject& subject, const Scene& scene, const std::string& folder) {
  const View& view = scene.views.front();
  const auto geometry = viewGeometry(scene, view, &subject.volume->info(), width, height);
  require(geometry.has_value(), "the camera");
  const Vec3 focus = geometry->originMm + geometry->rightMm * (0.5 * width) + geometry->downMm * (0.5 * height);
  const Lamp lamp = lampOf(*geometry);
  json points = json::array();
  for (const TransferPoint& p : scene.layers.front().transfer.points) {
    points.push_back({p.value, p.opacity, (*p.colour)[0], (*p.colour)[1], (*p.colour)[2]});
  }
  const int edge = static_cast<int>(subject.volume->dims()[0]);
  json job{{"voxels", folder + "/voxels.raw"}, {"edge", edge}, {"width", width}, {"height", height}};
  job["spacingMm"] = spacingMm(subject.volume->worldFromVoxel())[0];
  job["points"] = points;
  job["maximum"] = false;
  job["shaded"] = true;
  job["ambient"] = lamp.ambient;
  job["diffuse"] = lamp.diffuse;
  job["specular"] = lamp.specular;
  job["specularPower"] = lamp.power;
  job["focus"] = focus;
  job["position"] = focus - geometry->forward * 3000;
  job["lamp"] = focus + lamp.towards * 3000;
  job["up"] = geometry->downMm * (-1 / length(geometry->downMm));
  job["parallelScale"] = length(geometry->downMm) * height / 2;
  return job;
}

/// `dense`: also the CPU mapper's picture with shorter steps; `gpu`: also the GPU mapper.
std::optional<Peer> drawPeer(const Subject& subject, const Scene& scene, bool gpu) {
  const auto folder = (std::filesystem::temp_directory_path() / "nora_render_bench").string();
  std::filesystem::create_directories(folder);
  std::ofstream voxels(folder + "/voxels.raw", std::ios::binary);
  voxels.write(reinterpret_cast<const char*>(subject.volume->frame(0)),
               static_cast<std::streamsize>(subject.volume->frameBytes()));
  voxels.close();
  json job = jobOf(subject, scene, folder);
  const auto picture = [&](const char* name, const char* mapper, double step, int frames) {
    job["pictures"].push_back(
        {{"name", name}, {"mapper", mapper}, {"step", step}, {"frames", frames}, {"file", folder + "/" + name}});
  };
  picture("fixed", "fixed", 1, 3);
  picture("dense", "fixed", 1.0 / oversampled, 0);
  if (gpu) picture("gpu", "gpu", 1, 1);
  std::ofstream(folder + "/job.json") << job.dump();
  FILE* pipe = ::popen((NORA_VTK_VOLUME " " + folder + "/job.json").c_str(), "r");
  require(pipe != nullptr, "the peer did not start");
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  ::pclose(pipe);
  const json times = json::parse(text, nullptr, false);
  if (!times.is_object() || times.contains("error")) {
    std::fprintf(stderr, "nora_bench: VTK left out: %s\n", text.c_str());
    return std::nullopt;
  }
  Peer out;
  out.fixedMs = medianOf(times.at("fixed").get<std::vector<double>>());
  out.fixed = readPicture(folder + "/fixed");
  out.dense = readPicture(folder + "/dense");
  if (gpu) out.gpuMs = medianOf(times.at("gpu").get<std::vector<double>>());
  if (gpu) out.gpu = readPicture(folder + "/gpu");
  if (std::getenv("NORA_BENCH_KEEP") == nullptr) std::filesystem::remove_all(folder);
  return out;
}
#else
std::optional<Peer> drawPeer(const Subject&, const Scene&, bool) {
  return std::nullopt;
}
#endif

void addPeerRows(const std::string& what, double still, const std::vector<std::uint8_t>& ours, const Peer& peer,
                 std::vector<Row>& rows) {
  const double ratio = peer.fixedMs / still;
  rows.push_back({"Q4", "times VTK's CPU ray caster, " + what, ratio, "x", 20.0, false, "", {}});
  rows.push_back({"", "still, " + what, still, "ms", {}, true, "vtkFixedPointVolumeRayCastMapper", peer.fixedMs});
  if (!peer.gpu.empty()) {
    rows.push_back({"", "still, " + what, still, "ms", {}, true, "vtkGPUVolumeRayCastMapper, llvmpipe", peer.gpuMs});
    rows.push_back({"",
                    "VTK's GPU mapper against VTK's CPU mapper at 4x, " + what,
                    psnr(peer.gpu, peer.dense),
                    "dB",
                    {},
                    false,
                    "",
                    {}});
  }
  rows.push_back({"",
                  "nora against VTK's CPU mapper at 4x (another light), " + what,
                  psnr(ours, peer.dense),
                  "dB",
                  {},
                  false,
                  "VTK's CPU mapper against itself at 4x",
                  psnr(peer.fixed, peer.dense)});
}

/// The still, the picture in motion, and the peers.
void addRows(const Subject& subject, const Look& look, bool isTarget, bool withPeer, bool gpu, std::vector<Row>& rows) {
  constexpr int everyPixel = 4;
  Stage stage(subject, look);
  const int edge = static_cast<int>(subject.volume->dims()[0]);
  const std::string what = subject.name + " " + std::to_string(edge) + "^3 int16, " + look.name;
  stage.draw(width, height);
  const std::vector<std::uint8_t> still = stage.frame().rgba;
  const auto reference = denseReference(subject, stage.scene(), width, height, everyPixel, oversampled);
  const double right = psnr(reference, stage.frame(), everyPixel);
  require(right > 25, "the volume view is not what the dense reference shows: " + what);
  rows.push_back(
      {"Q4", "against a dense reference at 4x in double precision, " + what, right, "dB", 35.0, false, "", {}});
  stage.draw(width, height, 1.0 / oversampled);
  rows.push_back({"Q4", "against itself at 4x, " + what, psnr(still, stage.frame().rgba), "dB", 35.0, false, "", {}});

  std::vector<double> times;
  const auto round = [&] {
    for (int i = 0; i < 6; ++i) {
      const RenderStatistics s = stage.draw(width, height);
      if (i > 0) times.push_back(static_cast<double>((s.prepare + s.draw).count()) / 1e3);
    }
  };
  round();
  const auto peer = withPeer ? drawPeer(subject, stage.scene(), gpu) : std::nullopt;
  round();
  const double median = medianOf(times);
  const std::optional<double> target = isTarget ? std::optional(120.0) : std::nullopt;
  rows.push_back({isTarget ? "Q4" : "", "shaded still 1280x720, " + what, median, "ms", target, true,
                  "quickest frame, ours", *std::min_element(times.begin(), times.end())});
  if (peer) addPeerRows(what, median, still, *peer, rows);
  const double moving = timeMedian([&] { stage.draw(width / 2, height / 2, 2); }, 9);
  rows.push_back({isTarget ? "Q5" : "",
                  "moving, 640x360, steps of 2 voxels, " + what,
                  1000 / moving,
                  "frames/s",
                  isTarget ? std::optional(25.0) : std::nullopt,
                  false,
                  "",
                  {}});
}

}  // namespace

std::vector<Row> volumeRows() {
  std::vector<Row> rows;
  const Subject ct = ctSubject(512);
  addRows(ct, boneLook(), true, true, true, rows);
  addRows(ct, fleshLook(), true, true, false, rows);
  addRows(ct, fogLook(), false, false, false, rows);
  const Subject t1 = t1Subject(256);
  addRows(t1, brainLook(t1.volume->info()), false, true, true, rows);
  return rows;
}

}  // namespace nora::bench
