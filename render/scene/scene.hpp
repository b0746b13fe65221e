// Scene: the one value that says what is shown and how. Page, command line, tests and benchmarks all speak it.
// Its JSON form is documented in docs/SCENE.md.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// Where a layer's image comes from. `series` names one stack of a DICOM series ("UID" or "UID#number") below `path`.
struct Source {
  std::string path;  // relative to the served folder (server) or to the scene file (command line)
  std::string series;

  friend bool operator==(const Source&, const Source&) = default;
};

enum class Interpolation : std::uint8_t { linear, nearest };

/// One image drawn over those before it.
struct Layer {
  std::string id;  // unique in the scene
  Source source;
  bool visible = true;
  double opacity = 1;                   // 0..1
  std::string colourMap = "gray";       // a name of colour_map.hpp; ignored for RGB images
  std::optional<double> windowLow;      // value of the first colour; both empty: automatic from the statistics
  std::optional<double> windowHigh;     // value of the last colour; high < low inverts the map
  std::optional<double> thresholdLow;   // values below are transparent
  std::optional<double> thresholdHigh;  // values above are transparent
  bool symmetric = false;               // the map also shows the negative side: colour of |value|, cold for value < 0
  Interpolation interpolation = Interpolation::linear;  // label maps: nearest
  std::int64_t time = 0;                                // clamped to the image's time points
  std::int64_t component = 0;

  friend bool operator==(const Layer&, const Layer&) = default;
};

enum class ViewKind : std::uint8_t { slice, volume };
enum class Plane : std::uint8_t { axial, coronal, sagittal };
enum class Convention : std::uint8_t { radiological, neurological };

/// One point of a transfer function: position 0..1 across the layer's window, opacity 0..1 of one millimetre.
struct OpacityPoint {
  double position = 0;
  double opacity = 0;
  friend bool operator==(const OpacityPoint&, const OpacityPoint&) = default;
};

struct View {
  std::string name;  // unique in the scene
  ViewKind kind = ViewKind::slice;
  // Both kinds
  double zoom = 1;               // 1: the background image just fits
  std::optional<Vec3> centreMm;  // world point at the picture's centre; empty: centre of the background image
  // slice: the plane through the crosshair
  Plane plane = Plane::axial;
  // volume: an orthographic camera that looks at the centre
  double azimuthDeg = 0;                    // 0: from the front (anterior); 90: from the patient's left
  double elevationDeg = 0;                  // positive: from above
  std::vector<OpacityPoint> opacityPoints;  // empty: automatic

  friend bool operator==(const View&, const View&) = default;
};

struct Scene {
  static constexpr int currentVersion = 1;

  Convention convention = Convention::radiological;
  Vec3 crosshairMm{};
  std::vector<Layer> layers;  // the first is the background
  std::vector<View> views;

  friend bool operator==(const Scene&, const Scene&) = default;
};

[[nodiscard]] const View* findView(const Scene& scene, const std::string& name);

[[nodiscard]] nlohmann::json toJson(const Scene& scene);

/// Errors: invalidInput, with `where` a JSON pointer to the field ("/layers/1/opacity"). Unknown keys are errors, so
/// that a spelling mistake is not silently ignored. Numbers must be finite; counts are limited (64 layers, 32 views).
[[nodiscard]] Result<Scene> sceneFromJson(const nlohmann::json& json);

}  // namespace nora
