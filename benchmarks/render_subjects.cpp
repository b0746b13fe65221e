#include "benchmarks/render_subjects.hpp"

#include "app/local_images.hpp"
#include "benchmarks/bench.hpp"
#include "image/statistics.hpp"
#include "render/scene/transfer_presets.hpp"
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <stop_token>
#include <thread>

#include <tbb/parallel_for.h>

namespace nora::bench {
namespace {

std::size_t voxelsOf(int edge) {
  return static_cast<std::size_t>(edge) * static_cast<std::size_t>(edge) * static_cast<std::size_t>(edge);
}

template <class Stored, class ValueAt>
std::vector<Stored> filled(int edge, const ValueAt& valueAt) {
  std::vector<Stored> out(voxelsOf(edge));
  tbb::parallel_for(0, edge, [&](int z) {
    std::size_t at = static_cast<std::size_t>(z) * static_cast<std::size_t>(edge) * static_cast<std::size_t>(edge);
    for (int y = 0; y < edge; ++y) {
      for (int x = 0; x < edge; ++x, ++at) out[at] = static_cast<Stored>(std::lround(valueAt(x, y, z)));
    }
  });
  return out;
}

template <class Stored>
std::shared_ptr<const Volume> cubeOf(const std::vector<Stored>& voxels, int edge, double spacingMm, VoxelType type,
                                     const std::string& modality) {
  ImageInfo info;
  info.format = "generated";
  info.dims = {edge, edge, edge};
  info.type = type;
  info.modality = modality;
  for (int a = 0; a < 3; ++a) {
    info.worldFromVoxel(a, a) = spacingMm;
    info.worldFromVoxel(a, 3) = -0.5 * spacingMm * (edge - 1);
  }
  const auto bytes = std::as_bytes(std::span(voxels));
  info.statistics = computeStatistics(info, bytes);
  auto volume = Volume::copyOf(info, bytes, "benchmark");
  require(volume.has_value(), "the volume could not be made");
  return std::make_shared<const Volume>(std::move(*volume));
}

/// `stretched`: every axis fills the cube; else millimetres stay what they are.
Subject resampled(const std::string& name, const Volume& source, int edge, bool stretched) {
  const Bounds bounds = worldBounds(source.info());
  const Vec3 size = bounds.high - bounds.low;
  const double longest = std::max({size[0], size[1], size[2]});
  const Vec3 field = stretched ? size : Vec3{longest, longest, longest};
  const Vec3 start = (bounds.low + bounds.high) * 0.5 - field * 0.5;
  const double air = source.info().statistics ? source.info().statistics->min : 0;
  const auto valueAt = [&](int x, int y, int z) {
    const Vec3 place{(x + 0.5) / edge, (y + 0.5) / edge, (z + 0.5) / edge};
    Vec3 world = start;
    for (std::size_t a = 0; a < 3; ++a) world[a] += place[a] * field[a];
    const double value = source.trilinear(source.voxelFromWorld().point(world));
    return std::isfinite(value) ? std::clamp(value, -32768.0, 32767.0) : air;
  };
  const double spacing = (stretched ? size[0] : longest) / edge;
  const auto voxels = filled<std::int16_t>(edge, valueAt);
  return {name, cubeOf(voxels, edge, spacing, VoxelType::int16, source.info().modality)};
}

/// Null if there is no such image.
std::shared_ptr<const Volume> readImage(const std::string& path) {
  ReaderPool pool(NORA_PROGRAM, ReaderPool::Limits{});
  const auto images = openLocal(pool, path);
  if (!images || images->empty()) return nullptr;
  auto volume = pool.read(images->front().files, path, readOptions(images->front()), {});
  return volume ? std::make_shared<const Volume>(std::move(*volume)) : nullptr;
}

std::string pathOf(const char* variable, const std::string& otherwise) {
  const char* named = std::getenv(variable);
  return named != nullptr ? named : otherwise;
}

std::string sharedData() {
  return pathOf("NORA_SHARED_DATA", NORA_SOURCE_DIR "/../shared/data");
}

/// A whole number of no pattern, the same for the same voxel.
std::uint32_t scrambled(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  std::uint32_t h = x * 0x9E3779B1U ^ y * 0x85EBCA77U ^ z * 0xC2B2AE3DU;
  h ^= h >> 15;
  h *= 0x2C1B3C6DU;
  h ^= h >> 12;
  h *= 0x297A2D39U;
  return h ^ h >> 15;
}

/// Hounsfield units of a trunk with lungs, spine, ribs and vessels; u, v, w from -1 to 1.
double bodyHu(double u, double v, double w) {
  const double trunk = std::hypot(u / 0.92, v / 0.7);
  if (trunk > 1) return -1000;
  if (trunk > 0.93) return -90;  // fat
  const double rib = std::sin(w * 14 + u * u * 3);
  if (trunk > 0.86 && trunk < 0.91 && rib > 0.55) return 550;
  if (std::hypot(u / 0.14, (v + 0.48) / 0.12) < 1) return 350 + 250 * std::cos(w * 25);  // spine
  const double lung = std::min(std::hypot(u - 0.45, v / 1.3, w / 2), std::hypot(u + 0.45, v / 1.3, w / 2));
  if (lung > 0.34) return 45;
  const double tree = std::abs(std::sin(19 * u + 3 * w) * std::sin(17 * v) * std::sin(13 * w + 2 * u));
  return tree > 0.86 ? 60 : -860;
}

Look lookOf(const std::string& name, const std::string& preset) {
  Look out{name, {}};
  out.transfer.points = findTransferPreset(preset)->points;
  return out;
}

}  // namespace

Subject madeSubject(int edge, VoxelType type) {
  constexpr double noiseHu = 24;
  const auto huAt = [&](int x, int y, int z) {
    const auto at = [&](int i) { return (i + 0.5) / edge * 2 - 1; };
    const std::uint32_t random =
        scrambled(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(z));
    double noise = 0;  // of four bytes: nearly Gaussian
    for (int byte = 0; byte < 4; ++byte) noise += (random >> (8 * byte) & 0xffU) / 255.0 - 0.5;
    return bodyHu(at(x), at(y), at(z)) + noise * noiseHu * std::sqrt(3.0);
  };
  const double spacing = 358.0 / edge;
  const std::string name = "CT (generated)";
  if (type == VoxelType::int16) {
    return {name, cubeOf(filled<std::int16_t>(edge, huAt), edge, spacing, type, "CT")};
  }
  // Eight bits: -1000..1550 HU in steps of 10.
  const auto byteAt = [&](int x, int y, int z) { return std::clamp((huAt(x, y, z) + 1000) / 10, 0.0, 255.0); };
  return {name + " uint8", cubeOf(filled<std::uint8_t>(edge, byteAt), edge, spacing, VoxelType::uint8, "CT")};
}

Subject ctSubject(int edge) {
  const auto image = readImage(pathOf("NORA_BENCH_CT", sharedData() + "/dicom/ct_lidc_0314"));
  return image ? resampled("CT", *image, edge, true) : madeSubject(edge);
}

Subject t1Subject(int edge) {
  const std::string sample = NORA_SOURCE_DIR "/tests/data/demo/sub-01/anat/sub-01_T1w.nii.gz";
  const auto image = readImage(pathOf("NORA_BENCH_T1", sample));
  require(image != nullptr, "no T1 to draw");
  return resampled("T1", *image, edge, false);
}

Look boneLook() {
  return lookOf("bone", "ct-bone");
}

Look fleshLook() {
  return lookOf("translucent flesh", "ct-muscle");
}

/// Everything but air, so thin that every ray crosses the whole body.
Look fogLook() {
  using Rgb = std::array<std::uint8_t, 3>;
  Look out{"thin fog", {}};
  out.transfer.points = {{-950, 0, Rgb{90, 120, 200}},
                         {-700, 0.0015, Rgb{90, 120, 200}},
                         {40, 0.003, Rgb{220, 120, 90}},
                         {300, 0.012, Rgb{250, 230, 200}},
                         {1500, 0.03, Rgb{255, 255, 255}}};
  return out;
}

Look brainLook(const ImageInfo& info) {
  Look out{"T1", {}};
  out.transfer.points = pointsFor(*findTransferPreset("mr-t1"), info);
  return out;
}

Scene sceneOf(const Subject& subject, const Look& look) {
  constexpr double wholeVolume = 1;  // as a session starts
  Scene scene = defaultScene(Source{subject.name, ""}, subject.volume->info());
  scene.layers.front().transfer = look.transfer;
  View view;
  view.name = "3d";
  view.kind = ViewKind::volume;
  view.zoom = wholeVolume;
  view.azimuthDeg = 30;
  view.elevationDeg = 20;
  view.mode = look.mode;
  scene.views = {view};
  return scene;
}

Stage::Stage(const Subject& subject, const Look& look) : subject_(subject), scene_(sceneOf(subject, look)) {
  volumes_[scene_.layers.front().id] = subject.volume;
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  renderer_ = std::move(*renderer);
}

RenderStatistics Stage::draw(int width, int height, double stepScale) {
  const RenderRequest request{&scene_, "3d", width, height, &volumes_, stepScale};
  const auto statistics = renderer_->render(request, frame_);
  require(statistics.has_value(), statistics ? "" : describe(statistics.error()));
  return *statistics;
}

double Stage::drawAndStop(int width, int height, std::chrono::milliseconds after) {
  using Clock = std::chrono::steady_clock;
  RenderRequest request{&scene_, "3d", width, height, &volumes_};
  std::stop_source stop;
  request.stop = stop.get_token();
  Clock::time_point asked;
  std::jthread other([&] {
    std::this_thread::sleep_for(after);
    asked = Clock::now();
    stop.request_stop();
  });
  const auto drawn = renderer_->render(request, frame_);
  const auto back = Clock::now();
  other.join();
  require(!drawn && drawn.error().code == ErrorCode::cancelled, "a picture was finished that was given up");
  return std::chrono::duration<double, std::milli>(back - asked).count();
}

double psnr(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  require(a.size() == b.size() && !a.empty(), "pictures of different sizes");
  double squares = 0;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i % 4 == 3) continue;  // alpha
    const double difference = static_cast<double>(a[i]) - b[i];
    squares += difference * difference;
    ++counted;
  }
  if (squares == 0) return 99;
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(counted) / squares);
}

}  // namespace nora::bench
