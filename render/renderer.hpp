// Renderer: Scene -> Frame. One interface for every backend.
#pragma once

#include "base/error.hpp"
#include "image/content.hpp"
#include "render/scene/scene.hpp"
#include "render/scene/view_geometry.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// A picture: width * height pixels of four bytes, red, green, blue, 255; top row first, no padding.
struct Frame {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;
  ViewGeometry geometry;

  /// Keeps its memory when the new size fits.
  void resize(int w, int h) {
    width = w;
    height = h;
    rgba.resize(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 4);
  }
};

/// Layer id -> its volume. A layer without one (still loading, failed) is left out of the picture.
using LayerVolumes = std::map<std::string, std::shared_ptr<const Volume>>;

/// Layer id -> its surface, values for surfaces, or streamlines.
using LayerShapes = std::map<std::string, std::shared_ptr<const Content>>;

struct RenderRequest {
  const Scene* scene = nullptr;
  std::string view;
  int width = 0;  // of the picture, pixels
  int height = 0;
  const LayerVolumes* volumes = nullptr;
  /// 1: the still, the same bytes every time. Larger: longer ray steps while moving.
  double stepScale = 1;
  /// The view that the picture fills, pixels, where that is larger: the picture shows the same millimetres, edge to
  /// edge, with larger pixels. 0: the picture's own size.
  int viewWidth = 0;
  int viewHeight = 0;
  /// Once it is requested the drawing ends within a tile, as an Error (cancelled).
  std::stop_token stop = {};
  const LayerShapes* shapes = nullptr;  // null: none
  /// A picture on the way to the still: of many streamlines a fair sample (the fewer, the larger stepScale), edges as
  /// they come.
  bool preview = false;
};

struct RenderStatistics {
  std::chrono::microseconds prepare{};  // look-up tables, bricks
  std::chrono::microseconds draw{};
  std::uint64_t samples = 0;             // volume samples taken
  std::uint64_t skipped = 0;             // ray steps inside images that were jumped over
  std::chrono::microseconds geometry{};  // of draw: surfaces and streamlines
};

class Renderer {
 public:
  virtual ~Renderer() = default;

  /// Draws one view of the scene; an unknown view, a zero or huge size (over 16384) is an Error. If it was stopped the
  /// frame holds nothing that may be shown. A GPU is asked between pictures only: its longest take milliseconds.
  /// Thread: one call at a time per Renderer; uses all cores inside.
  [[nodiscard]] virtual Result<RenderStatistics> render(const RenderRequest& request, Frame& frame) = 0;

  /// "cpu (avx512)", ...
  [[nodiscard]] virtual std::string name() const = 0;
};

/// The CPU renderer with the best instruction set of this machine, or the named one (sse4, avx2, avx512; for tests).
[[nodiscard]] Result<std::unique_ptr<Renderer>> makeCpuRenderer(const std::string& instructionSet = "");

/// The renderer that a name means. "cpu"; "cuda": an NVIDIA GPU, or an Error that says why there is none; "auto": that
/// if there is one, else the CPU. With a GPU, the CPU still draws every picture that the GPU cannot (no memory, lost),
/// and the log says why; name() is that of what drew the last picture. `deviceImageBytes`: of the GPU's memory for
/// images; 0: most of what is free. Errors: invalidInput (another name), unsupported (no such GPU, driver or build).
[[nodiscard]] Result<std::unique_ptr<Renderer>> makeRenderer(const std::string& backend,
                                                             std::size_t deviceImageBytes = 0);

}  // namespace nora
