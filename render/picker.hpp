// Picking: what lies under a pixel of a view, from the numbers of triangles and streamlines and from the rays
// themselves, not from colours.
#pragma once

#include "render/renderer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nora {

enum class PickKind : std::uint8_t { image, slice, surface, streamline, marker };
[[nodiscard]] std::string_view toString(PickKind kind);

struct PickHit {
  PickKind kind = PickKind::image;
  Vec3 mm{};                     // RAS
  std::string layer;             // empty: a slice or a marker
  std::int64_t vertex = -1;      // surface: the nearest of the triangle
  std::int64_t triangle = -1;    // surface
  std::int64_t streamline = -1;  // its number in the file
  std::int64_t point = -1;       // of all points: the nearer end of the piece
  std::int64_t marker = -1;      // its place in the scene
};

/// Keeps what it prepared from pick to pick.
class Picker {
 public:
  Picker();
  ~Picker();

  /// `x`, `y`: pixels from the left top corner of the request's view. The nearest of: surfaces and streamlines (also
  /// those up to two pixels away, if there is nothing at the pixel itself), embedded slices, and images: where a ray
  /// has gathered half of its opacity, or meets its extreme. Nothing: empty. Errors: as Renderer::render.
  /// Thread: one at a time.
  [[nodiscard]] Result<std::optional<PickHit>> pick(const RenderRequest& request, double x, double y);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nora
