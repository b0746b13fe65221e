#include "benchmarks/dense_reference.hpp"

#include "benchmarks/bench.hpp"
#include "render/scene/transfer_function.hpp"
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <cmath>

#include <tbb/parallel_for.h>

namespace nora::bench {
namespace {

/// An int16 cube with its transfer function; positions are voxels.
class Body {
 public:
  Body(const Subject& subject, const Scene& scene)
      : edge_(static_cast<int>(subject.volume->dims()[0])),
        voxels_(reinterpret_cast<const std::int16_t*>(subject.volume->frame(0))),
        transfer_(makeTransferFunction(scene.layers.front(), subject.volume->info())) {}

  [[nodiscard]] int edge() const { return edge_; }

  [[nodiscard]] double value(const Vec3& p) const {
    std::array<std::size_t, 3> low{};
    Vec3 f{};
    for (std::size_t a = 0; a < 3; ++a) {
      const double inside = std::clamp(p[a], 0.0, edge_ - 1.0);
      low[a] = static_cast<std::size_t>(std::min(inside, edge_ - 2.0));
      f[a] = inside - static_cast<double>(low[a]);
    }
    const auto n = static_cast<std::size_t>(edge_);
    const std::int16_t* v = voxels_ + (low[2] * n + low[1]) * n + low[0];
    const auto row = [&](std::size_t at) { return v[at] + f[0] * (v[at + 1] - v[at]); };
    const double near = row(0) + f[1] * (row(n) - row(0));
    const double far = row(n * n) + f[1] * (row(n * n + n) - row(n * n));
    return near + f[2] * (far - near);
  }

  /// Place in the tables, 0 to entries - 1.
  [[nodiscard]] double entry(double value) const {
    const Window& w = transfer_.window;
    return std::clamp((value - w.low) / (w.high - w.low), 0.0, 1.0) * (TransferFunction::entries - 1);
  }
  [[nodiscard]] double extinctionPerMm(double entry) const {
    const auto low = std::min(static_cast<std::size_t>(entry), TransferFunction::entries - 2);
    const double f = entry - static_cast<double>(low);
    return transfer_.extinctionPerMm[low] * (1 - f) + transfer_.extinctionPerMm[low + 1] * f;
  }
  [[nodiscard]] Vec3 colour(double entry) const {
    const std::uint32_t c = transfer_.colours[static_cast<std::size_t>(std::lround(entry))];
    return {static_cast<double>(c & 0xffU), static_cast<double>(c >> 8 & 0xffU), static_cast<double>(c >> 16 & 0xffU)};
  }
  /// Window widths a voxel; the axes are the world's.
  [[nodiscard]] Vec3 gradient(const Vec3& p) const {
    const double scale = 0.5 / (transfer_.window.high - transfer_.window.low);
    Vec3 out{};
    for (std::size_t a = 0; a < 3; ++a) {
      Vec3 before = p;
      Vec3 after = p;
      before[a] -= 1;
      after[a] += 1;
      out[a] = (value(after) - value(before)) * scale;
    }
    return out;
  }

 private:
  int edge_;
  const std::int16_t* voxels_;
  TransferFunction transfer_;
};

/// What one sample adds to a white light: its share of the colour, and the gloss.
struct Lit {
  double bright = 0;
  double gloss = 0;
};

Lit lit(const Lamp& lamp, const Vec3& viewer, const Vec3& gradient) {
  constexpr double weakGradient = 0.02;  // of the window, per voxel: less is no surface
  const double squared = dot(gradient, gradient);
  const double surface = squared / (squared + weakGradient * weakGradient);
  const double facing = dot(gradient, viewer) < 0 ? -1 : 1;
  const double cosine =
      std::clamp(facing * dot(gradient, lamp.towards) / std::sqrt(std::max(squared, 1e-20)), 0.0, 1.0);
  const double bright = lamp.even + surface * (lamp.ambient + cosine * lamp.diffuse - lamp.even);
  return {bright, std::pow(cosine, lamp.power) * surface * 255 * lamp.specular};
}

/// `start` and `step` in voxels; `stepMm` long.
Vec3 castRay(const Body& body, const Lamp& lamp, const Vec3& viewer, const Vec3& start, const Vec3& step,
             double stepMm) {
  double enter = 0;
  double leave = 1e9;
  for (std::size_t a = 0; a < 3; ++a) {
    const double low = -0.5 - start[a];
    const double high = body.edge() - 0.5 - start[a];
    if (std::abs(step[a]) < 1e-12) {
      if (low > 0 || high < 0) return {};
      continue;
    }
    enter = std::max(enter, std::min(low / step[a], high / step[a]));
    leave = std::min(leave, std::max(low / step[a], high / step[a]));
  }
  Vec3 colour{};
  double clear = 1;
  for (double n = enter + 0.5; n < leave && clear > 1e-3; n += 1) {
    const Vec3 p = start + step * n;
    const double entry = body.entry(body.value(p));
    const double extinction = body.extinctionPerMm(entry);
    if (!(extinction > 0)) continue;
    const double alpha = 1 - std::exp(-extinction * stepMm);
    const Lit light = lit(lamp, viewer, body.gradient(p));
    colour =
        colour + (body.colour(entry) * light.bright + Vec3{light.gloss, light.gloss, light.gloss}) * (clear * alpha);
    clear *= 1 - alpha;
  }
  return colour;
}

}  // namespace

Lamp lampOf(const ViewGeometry& geometry) {
  constexpr double up = 0.35;
  constexpr double left = 0.25;
  Lamp lamp;
  lamp.towards =
      normalised(geometry.forward * -1 + normalised(geometry.downMm) * -up + normalised(geometry.rightMm) * -left);
  return lamp;
}

std::vector<double> denseReference(const Subject& subject, const Scene& scene, int width, int height, int every,
                                   int oversampled) {
  const auto geometry = viewGeometry(scene, scene.views.front(), &subject.volume->info(), width, height);
  require(geometry.has_value(), "the camera");
  const Body body(subject, scene);
  const Lamp lamp = lampOf(*geometry);
  const double stepMm = spacingMm(subject.volume->worldFromVoxel())[0] / oversampled;
  const Affine& toVoxels = subject.volume->voxelFromWorld();
  const Vec3 step = toVoxels.direction(geometry->forward * stepMm);
  const int columns = (width + every - 1) / every;
  const int rows = (height + every - 1) / every;
  std::vector<double> out(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows) * 3);
  // Rays start on a sphere around everything.
  const double back = length(geometry->rightMm) * (width + height) + stepMm * oversampled * body.edge() * 2;
  tbb::parallel_for(0, rows, [&](int row) {
    for (int column = 0; column < columns; ++column) {
      const Vec3 world = geometry->originMm + geometry->rightMm * (column * every + 0.5) +
                         geometry->downMm * (row * every + 0.5) - geometry->forward * back;
      const Vec3 colour = castRay(body, lamp, geometry->forward * -1, toVoxels.point(world), step, stepMm);
      const auto pixel =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
      std::copy(colour.begin(), colour.end(), out.begin() + static_cast<std::ptrdiff_t>(pixel * 3));
    }
  });
  return out;
}

double psnr(const std::vector<double>& reference, const Frame& frame, int every) {
  double squares = 0;
  std::size_t at = 0;
  for (int y = 0; y < frame.height; y += every) {
    for (int x = 0; x < frame.width; x += every) {
      const auto pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(frame.width) + static_cast<std::size_t>(x);
      for (std::size_t c = 0; c < 3; ++c, ++at) {
        const double difference = reference[at] - frame.rgba[pixel * 4 + c];
        squares += difference * difference;
      }
    }
  }
  require(at == reference.size(), "a reference of another size");
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(at) / std::max(squares, 1e-9));
}

}  // namespace nora::bench
