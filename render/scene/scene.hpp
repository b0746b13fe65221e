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

enum class Interpolation : std::uint8_t { linear, nearest, cubic };

/// How an image with three components (a direction, or principal direction) is drawn in slices.
enum class VectorLook : std::uint8_t {
  component,  // one component, as any image
  direction,  // |x| red, |y| green, |z| blue in the patient's axes (left-right, back-front, foot-head)
  sticks,     // a short line along the direction, in its colour
};

/// One point of a transfer function.
struct TransferPoint {
  double value = 0;                                   // in the image's units
  double opacity = 0;                                 // 0..1, of one millimetre
  std::optional<std::array<std::uint8_t, 3>> colour;  // red, green, blue; all points of a function have one, or none

  friend bool operator==(const TransferPoint&, const TransferPoint&) = default;
};

/// How a layer looks in a volume view. Both empty: automatic.
struct Transfer {
  std::string preset;                 // a name of transferPresets()
  std::vector<TransferPoint> points;  // values rise; go before the preset

  friend bool operator==(const Transfer&, const Transfer&) = default;
};

using LayerColour = std::array<std::uint8_t, 3>;  // red, green, blue

/// How a surface is drawn, or values at the vertices of surfaces.
struct SurfaceLook {
  std::optional<LayerColour> colour;  // of the mesh; empty: the file's or a light gray
  std::string data;                   // which values of the file are shown; empty: the first that colours it
  bool bare = false;                  // the mesh without the values of its own file
  std::string on;                     // values: id of the layer they are painted on; empty: every mesh they fit
  bool flat = false;                  // each triangle by its own direction
  double edgePixels = 1.5;            // width of the line along which it meets a slice; 0: not in slices

  friend bool operator==(const SurfaceLook&, const SurfaceLook&) = default;
};

enum class StreamlineColour : std::uint8_t {
  direction,  // |x| red, |y| green, |z| blue of each piece
  ends,       // the same of the way from the first point to the last
  data,       // by values at points or of streamlines
  group,      // each group its colour
  single,
};

/// How streamlines are drawn.
struct StreamlineLook {
  StreamlineColour colourBy = StreamlineColour::direction;
  std::optional<LayerColour> colour;  // single, and what has no value or group; empty: the file's or a light gray
  std::string data;                   // name of the values; empty: the first
  std::vector<std::string> groups;    // only these; empty: all
  double widthPixels = 1.5;           // at least
  double tubeMm = 0;                  // diameter; 0: thin lines
  double minLengthMm = 0;
  double maxLengthMm = 0;  // 0: no limit
  std::int64_t every = 1;  // every n-th streamline of a shuffled order
  double sliceMm = 2;      // slices show what is so near in all; 0: not in slices
  /// Volume views: only what lies within slabMm around a plane through the crosshair; 0: all. Not oblique.
  double slabMm = 0;
  std::uint8_t slabAxis = 2;  // across the slab: 0 left-right, 1 back-front, 2 foot-head

  friend bool operator==(const StreamlineLook&, const StreamlineLook&) = default;
};

/// One image, surface or set of streamlines drawn over those before it.
struct Layer {
  std::string id;  // unique in the scene
  Source source;
  bool visible = true;
  double opacity = 1;                   // 0..1
  std::string colourMap = "gray";       // a name of colour_map.hpp; ignored for RGB images
  std::optional<double> windowLow;      // value of the first colour; both empty: automatic from the statistics
  std::optional<double> windowHigh;     // value of the last colour; not below windowLow: inversion is by colour map
  std::optional<double> thresholdLow;   // values below are transparent
  std::optional<double> thresholdHigh;  // values above are transparent
  bool symmetric = false;               // the map also shows the negative side: colour of |value|, cold for value < 0
  double gamma = 1;                     // the place in the window is raised to 1 / gamma: above 1 is brighter
  Interpolation interpolation = Interpolation::linear;  // label maps: nearest
  double outlinePixels = 0;                             // label maps in slices: only their edges, so wide; 0: filled
  VectorLook vectors = VectorLook::component;
  std::string
      modulatedBy;        // id of a layer whose place in its window (0..1) darkens this one's directions; may be empty
  std::int64_t time = 0;  // clamped to the image's time points
  std::int64_t component = 0;
  // Volume views
  std::optional<bool> inVolume;  // empty: a shape; the first visible image without labels if there is no shape
  Transfer transfer;
  std::optional<double> isoValue;  // of the isosurface; empty: automatic
  // Surfaces and streamlines
  SurfaceLook surface;
  StreamlineLook streamlines;

  friend bool operator==(const Layer&, const Layer&) = default;
};

enum class ViewKind : std::uint8_t { slice, volume };
enum class Plane : std::uint8_t { axial, coronal, sagittal, oblique };
enum class Convention : std::uint8_t { radiological, neurological };
/// What a slab shows of the values across it.
enum class SlabMode : std::uint8_t { maximum, minimum, mean };
/// What a ray shows of the values along it.
enum class VolumeMode : std::uint8_t { shaded, maximum, minimum, mean, isosurface };

/// Cuts away what lies on the side that the normal points to.
struct ClipPlane {
  Vec3 pointMm{};
  Vec3 normal{};  // not zero; any length
  friend bool operator==(const ClipPlane&, const ClipPlane&) = default;
};

/// Cuts away what lies outside; low < high on every axis.
struct CropBox {
  Vec3 lowMm{};
  Vec3 highMm{};
  friend bool operator==(const CropBox&, const CropBox&) = default;
};

enum class MarkerKind : std::uint8_t { point, arrow, box };

/// A thing of its own in volume views; in slices where the plane meets it.
struct Marker {
  MarkerKind kind = MarkerKind::point;
  Vec3 atMm{};        // centre of a point, tail of an arrow, low corner of a box
  Vec3 toMm{};        // head of an arrow, high corner of a box
  double sizeMm = 4;  // diameter of a point, of an arrow's shaft, of a box's edges
  LayerColour colour{255, 210, 60};
  double opacity = 1;

  friend bool operator==(const Marker&, const Marker&) = default;
};

struct View {
  std::string name;  // unique in the scene
  ViewKind kind = ViewKind::slice;
  // Both kinds
  double zoom = 1;               // 1: the background image just fits
  std::optional<Vec3> centreMm;  // world point at the picture's centre; empty: centre of the background image
  // slice: the plane through the crosshair
  Plane plane = Plane::axial;
  Vec3 right{-1, 0, 0};  // oblique: direction of the picture's rows and columns, made orthonormal; not parallel
  Vec3 down{0, -1, 0};
  double slabMm = 0;  // thickness, half of it on either side of the plane; 0: the plane itself
  SlabMode slabMode = SlabMode::maximum;
  // volume: an orthographic camera that looks at the centre
  double azimuthDeg = 0;    // 0: from the front (anterior); 90: from the patient's left
  double elevationDeg = 0;  // positive: from above
  VolumeMode mode = VolumeMode::shaded;
  std::optional<CropBox> crop;
  std::vector<ClipPlane> clipPlanes;  // at most 6
  std::vector<Plane> slices;          // planes through the crosshair that are shown inside; not oblique
  bool showCrop = false;              // the edges of the crop box
  bool orientationCube = false;  // in a corner: red faces look left and right, green back and front, blue up and down

  friend bool operator==(const View&, const View&) = default;
};

struct Scene {
  static constexpr int currentVersion = 1;

  Convention convention = Convention::radiological;
  Vec3 crosshairMm{};
  std::vector<Layer> layers;  // the first is the background
  std::vector<View> views;
  std::vector<Marker> markers;

  friend bool operator==(const Scene&, const Scene&) = default;
};

[[nodiscard]] const View* findView(const Scene& scene, const std::string& name);

[[nodiscard]] nlohmann::json toJson(const Scene& scene);
[[nodiscard]] nlohmann::json toJson(const std::vector<TransferPoint>& points);

/// Errors: invalidInput, with `where` a JSON pointer to the field ("/layers/1/opacity"). Unknown keys are errors, so
/// that a spelling mistake is not silently ignored. Numbers must be finite; counts are limited (64 layers, 32 views).
[[nodiscard]] Result<Scene> sceneFromJson(const nlohmann::json& json);
/// Errors: invalidInput, with `where` below `name`, the field that holds it.
[[nodiscard]] Result<Source> sourceFromJson(const nlohmann::json& json, std::string_view name);

}  // namespace nora
