// Generated images for the renderer's tests.
#pragma once

#include "image/volume.hpp"
#include "render/renderer.hpp"
#include "render/scene/colour_map.hpp"
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace nora::phantom {

using Dims = std::array<std::int64_t, 3>;

inline Affine scaled(const Vec3& spacing, const Vec3& origin) {
  Affine a;
  for (int i = 0; i < 3; ++i) {
    a(i, i) = spacing[static_cast<std::size_t>(i)];
    a(i, 3) = origin[static_cast<std::size_t>(i)];
  }
  return a;
}

/// Turned and sheared, with the image's centre at the world's.
inline Affine turned(const Affine& scale, const Dims& dims) {
  Affine turn;
  turn.m = {0.96, -0.2, 0.15, 0, 0.25, 0.95, -0.1, 0, -0.12, 0.34, 0.97, 0, 0, 0, 0, 1};
  Affine out = turn * scale;
  const Vec3 middle{static_cast<double>(dims[0] - 1) / 2, static_cast<double>(dims[1] - 1) / 2,
                    static_cast<double>(dims[2] - 1) / 2};
  out.setColumn(3, out.direction(middle) * -1);
  return out;
}

/// An image of `type` whose voxel (x, y, z) stores `stored(x, y, z)`, with its statistics filled in.
template <class Function>
std::shared_ptr<const Volume> make(VoxelType type, const Dims& dims, const Affine& affine, Function stored,
                                   double slope = 1, double inter = 0) {
  ImageInfo info;
  info.dims = dims;
  info.type = type;
  info.worldFromVoxel = affine;
  info.slope = slope;
  info.inter = inter;
  const std::size_t size = bytesPerVoxel(type);
  std::vector<std::byte> bytes(static_cast<std::size_t>(dims[0] * dims[1] * dims[2]) * size);
  std::vector<double> values;
  std::size_t at = 0;
  for (std::int64_t z = 0; z < dims[2]; ++z) {
    for (std::int64_t y = 0; y < dims[1]; ++y) {
      for (std::int64_t x = 0; x < dims[0]; ++x, at += size) {
        const double value = stored(x, y, z);
        visitScalar(type, [&](auto out) {
          out = static_cast<decltype(out)>(value);
          std::memcpy(bytes.data() + at, &out, sizeof out);
        });
        if (std::isfinite(value)) values.push_back(value * slope + inter);
      }
    }
  }
  VoxelStatistics s;
  s.finite = values.size();
  if (!values.empty()) {
    std::sort(values.begin(), values.end());
    s.min = values.front();
    s.max = values.back();
    s.percentile2 = values[values.size() * 2 / 100];
    s.percentile98 = values[values.size() * 98 / 100];
    s.backgroundLevel = (s.min + s.max) / 2;
    s.integral = std::all_of(values.begin(), values.end(), [](double v) { return v == std::floor(v); });
    s.distinct = s.integral ? static_cast<std::uint32_t>(std::set<double>(values.begin(), values.end()).size()) : 0;
  }
  info.statistics = s;
  auto volume = Volume::copyOf(info, bytes, "phantom");
  if (!volume) {
    ADD_FAILURE() << describe(volume.error());
    return nullptr;
  }
  return std::make_shared<const Volume>(std::move(*volume));
}

/// One picture of one or more layers.
/// Points at places 0..1 across the layer's window.
inline Transfer transferAcross(const Layer& layer, const std::vector<std::pair<double, double>>& points) {
  Transfer out;
  for (const auto& [place, opacity] : points) {
    out.points.push_back({*layer.windowLow + place * (*layer.windowHigh - *layer.windowLow), opacity, {}});
  }
  return out;
}

struct Studio {
  Scene scene;
  LayerVolumes volumes;
  LayerShapes shapes;
  std::unique_ptr<Renderer> renderer;

  explicit Studio(const std::string& instructionSet = "") {
    auto made = makeCpuRenderer(instructionSet);
    if (made) renderer = std::move(*made);
    for (const Plane plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
      View view;
      view.plane = plane;
      view.name = plane == Plane::axial ? "axial" : plane == Plane::coronal ? "coronal" : "sagittal";
      scene.views.push_back(view);
    }
    View camera;
    camera.name = "3d";
    camera.kind = ViewKind::volume;
    scene.views.push_back(camera);
  }

  Layer& add(const std::string& id, std::shared_ptr<const Volume> volume, double low, double high) {
    Layer layer;
    layer.id = id;
    layer.windowLow = low;
    layer.windowHigh = high;
    scene.layers.push_back(layer);
    volumes[id] = std::move(volume);
    return scene.layers.back();
  }

  Layer& add(const std::string& id, std::shared_ptr<const Content> shape) {
    Layer layer;
    layer.id = id;
    scene.layers.push_back(layer);
    shapes[id] = std::move(shape);
    return scene.layers.back();
  }

  View& camera() { return scene.views.back(); }

  /// Opacities of one millimetre at places 0..1 across the window of the first layer.
  void opacities(const std::vector<std::pair<double, double>>& points) {
    scene.layers.front().transfer = transferAcross(scene.layers.front(), points);
  }

  [[nodiscard]] RenderRequest ask(const std::string& view, int width, int height, double stepScale = 1) const {
    RenderRequest request;
    request.scene = &scene;
    request.view = view;
    request.width = width;
    request.height = height;
    request.volumes = &volumes;
    request.shapes = &shapes;
    request.stepScale = stepScale;
    return request;
  }

  Frame draw(const std::string& view, int width, int height, double stepScale = 1) {
    Frame frame;
    const RenderRequest request = ask(view, width, height, stepScale);
    const auto drawn = renderer->render(request, frame);
    if (!drawn) ADD_FAILURE() << describe(drawn.error());
    return frame;
  }
};

inline std::array<int, 3> pixel(const Frame& frame, int x, int y) {
  const std::size_t at =
      (static_cast<std::size_t>(y) * static_cast<std::size_t>(frame.width) + static_cast<std::size_t>(x)) * 4;
  return {frame.rgba[at], frame.rgba[at + 1], frame.rgba[at + 2]};
}

inline Vec3 worldOf(const Frame& frame, int x, int y) {
  return frame.geometry.originMm + frame.geometry.rightMm * (x + 0.5) + frame.geometry.downMm * (y + 0.5);
}

inline std::array<int, 3> colourOf(std::int64_t label) {
  const Colour c = labelColour(label);
  return {c[0], c[1], c[2]};
}

/// Gray level that a value must have in a window.
inline int grayOf(double value, double low, double high) {
  return static_cast<int>(std::floor(std::clamp((value - low) / (high - low), 0.0, 1.0) * 255 + 0.5));
}

/// Mean brightness of a rectangle of pixels.
inline double meanOf(const Frame& frame, int x0, int y0, int x1, int y1) {
  double sum = 0;
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) sum += pixel(frame, x, y)[0] + pixel(frame, x, y)[1] + pixel(frame, x, y)[2];
  }
  return sum / (3.0 * (x1 - x0) * (y1 - y0));
}

inline int largestDifference(const Frame& a, const Frame& b) {
  int most = 0;
  for (std::size_t i = 0; i < a.rgba.size(); ++i) most = std::max(most, std::abs(int{a.rgba[i]} - int{b.rgba[i]}));
  return most;
}

/// Peak signal to noise in decibels.
inline double psnr(const Frame& a, const Frame& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgba.size(); ++i) {
    const double d = static_cast<double>(a.rgba[i]) - static_cast<double>(b.rgba[i]);
    sum += i % 4 == 3 ? 0 : d * d;
  }
  const double mean = sum / (static_cast<double>(a.rgba.size()) * 3 / 4);
  return mean > 0 ? 10 * std::log10(255 * 255 / mean) : 99;
}

/// The instruction sets that this processor has.
inline std::vector<std::string> instructionSets() {
  std::vector<std::string> out;
  for (const char* name : {"scalar", "sse4", "avx2", "avx512"}) {
    if (makeCpuRenderer(name)) out.emplace_back(name);
  }
  return out;
}

}  // namespace nora::phantom
