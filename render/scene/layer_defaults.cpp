// How an image looks when it is first shown: its layer, its window, its scene. Guesses from statistics, intent and
// name.
#include "render/scene/view_geometry.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>

namespace nora {
namespace {

constexpr std::uint32_t maxUnnamedLabels = 48;  // without a hint in intent or name
// Label maps are made of plateaus. Measured, neighbours that are equal: 0.85 to 1 in eight atlases and segmentations,
// at most 0.27 in twenty images.
constexpr double namedPlateaus = 0.4;
constexpr double unnamedPlateaus = 0.7;
constexpr double overlayOpacity = 0.6;
constexpr double labelOpacity = 0.5;
constexpr double scoreThreshold = 2.3;  // the usual cluster-forming height of t and z maps

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view fileName(std::string_view path) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Lower-case words of a file name: split where letters end and before a capital that follows a small letter.
std::vector<std::string> wordsOf(std::string_view name) {
  std::vector<std::string> words(1);
  char before = 0;
  for (const char c : name) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    const bool camel =
        std::isupper(static_cast<unsigned char>(c)) != 0 && std::islower(static_cast<unsigned char>(before)) != 0;
    if ((!letter || camel) && !words.back().empty()) words.emplace_back();
    if (letter) words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    before = c;
  }
  return words;
}

bool namesLabels(std::string_view path) {
  static constexpr std::array<std::string_view, 26> hints{
      "seg", "dseg", "aseg",   "segmentation", "label",    "labels",  "labelmap", "atlas",          "aparc",
      "aal", "parc", "wmparc", "parcellation", "parcels",  "mask",    "masks",    "ribbon",         "brainmask",
      "roi", "rois", "lesion", "lesions",      "brodmann", "tissues", "filled",   "hypointensities"};
  for (const auto& word : wordsOf(fileName(path))) {
    if (std::find(hints.begin(), hints.end(), word) != hints.end()) return true;
  }
  return false;
}

/// A table of labels or the intent decides. A name ("aparc", "dseg", "mask") must be borne out by plateaus:
/// brainmask.mgz is an image of the brain. Without any hint only integers that are few and lie in plateaus are labels.
bool isLabelImage(const Source& source, const ImageInfo& info) {
  if (isColour(info.type) || !info.statistics) return false;
  if (info.components > 1 && !info.labels) return false;  // vectors; labels that overlap are components
  const auto& s = *info.statistics;
  if (!s.integral || s.distinct < 2) return false;
  if (info.labels || lower(info.intent).find("label") != std::string::npos) return true;
  if (namesLabels(source.path)) return s.distinct == 2 || s.plateaus >= namedPlateaus;
  return !isFloat(info.type) && s.distinct <= maxUnnamedLabels && s.plateaus >= unnamedPlateaus;
}

bool isScore(const ImageInfo& info) {
  const std::string intent = lower(info.intent);
  for (const std::string_view name : {"t test", "ttest", "t-test", "z score", "zscore", "z-score"}) {
    if (intent.find(name) != std::string::npos) return true;
  }
  return false;
}

bool isSignedMap(const ImageInfo& info) {
  if (!info.statistics) return false;
  const auto& s = *info.statistics;
  return s.min < 0 && s.max > 0 && (isScore(info) || !s.integral);
}

/// Principal directions: the intent or, where there is none, three components that are those of unit vectors. Fields of
/// displacements are no directions.
bool isDirections(const ImageInfo& info) {
  constexpr double unit = 1.001;  // as stored
  constexpr double spread = 0.7;  // of a brain the axes reach both ends
  constexpr std::int64_t axes = 3;
  const bool hasAxes = info.components == axes || (info.components == 1 && info.timePoints == axes);
  if (!hasAxes || isColour(info.type)) return false;
  for (const auto& [name, value] : info.fields) {
    if (name == "intent" && value.find("displacement") != std::string::npos) return false;
  }
  if (info.components == axes && lower(info.intent) == "vector") return true;
  if (!isFloat(info.type) || !info.statistics || info.statistics->finite == 0) return false;
  const auto& s = *info.statistics;
  return s.min >= -unit && s.max <= unit && s.min < -spread && s.max > spread;
}

/// The file wants its lowest values white (DICOM MONOCHROME1).
bool isInverse(const ImageInfo& info) {
  return info.windowLow && info.windowHigh && *info.windowLow > *info.windowHigh;
}

/// Letters, digits, '.', '-' and '_' only, so that it is safe wherever a scene travels.
std::string layerId(std::string_view path) {
  constexpr std::size_t longest = 64;
  std::string id;
  for (const char c : fileName(path).substr(0, longest)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    id += plain ? c : '_';
  }
  return id.empty() ? "image" : id;
}

void styleSignedMap(const ImageInfo& info, Layer& layer) {
  const auto& s = *info.statistics;
  const double most = std::max(std::abs(s.min), std::abs(s.max));
  double threshold = std::max(std::abs(s.percentile2), std::abs(s.percentile98));
  if (isScore(info) && most > scoreThreshold) threshold = scoreThreshold;
  if (!(threshold < most)) threshold = most / 2;
  layer.colourMap = "hot";
  layer.symmetric = true;
  layer.thresholdLow = threshold;
  layer.windowLow = 0;
  layer.windowHigh = most;
}

void styleLabels(const ImageInfo& info, bool asOverlay, Layer& layer) {
  const auto& s = *info.statistics;
  layer.interpolation = Interpolation::nearest;
  if (asOverlay) layer.opacity = labelOpacity;
  if (s.distinct > 2 || info.labels) {
    layer.colourMap = "labels";
    return;
  }
  layer.colourMap = asOverlay ? "red" : "gray";
  layer.windowLow = s.min;
  layer.windowHigh = s.max;
  if (asOverlay) layer.thresholdLow = (s.min + s.max) / 2;
}

/// The centre of the voxel in the middle; of two, the one further to the right, front or top. So it is the same place
/// in whatever order the voxels are stored, and no slice runs along a border of voxels.
Vec3 middleOf(const ImageInfo& info) {
  const std::string code = orientationCode(info.worldFromVoxel);
  Vec3 voxel{};
  for (std::size_t a = 0; a < 3; ++a) {
    const bool backwards = code[a] == 'L' || code[a] == 'P' || code[a] == 'I';
    voxel[a] = static_cast<double>((info.dims[a] - (backwards ? 1 : 0)) / 2);
  }
  return info.worldFromVoxel.point(voxel);
}

Window wantedWindow(const Layer& layer, const ImageInfo& info) {
  if (layer.windowLow && layer.windowHigh) return {*layer.windowLow, *layer.windowHigh};
  if (info.windowLow && info.windowHigh && *info.windowLow != *info.windowHigh && !layer.symmetric) {
    return {std::min(*info.windowLow, *info.windowHigh), std::max(*info.windowLow, *info.windowHigh)};
  }
  if (!info.statistics || info.statistics->finite == 0) return {0, 1};
  const auto& s = *info.statistics;
  if (layer.symmetric) {
    const double high = std::max(std::abs(s.min), std::abs(s.max));
    const double low = layer.thresholdLow ? std::min(std::abs(*layer.thresholdLow), high) : 0;
    if (low < high) return {low, high};
  }
  constexpr Window softTissueHu{-160, 240};
  if (isCt(info) && s.max > softTissueHu.low) return softTissueHu;
  // Two percent may be clipped at either end; a tenth of headroom keeps bright fat and vessels apart from white.
  constexpr double headroom = 0.1;
  const double high = std::min(s.percentile98 + headroom * (s.percentile98 - s.percentile2), s.max);
  if (s.percentile2 < high) return {s.percentile2, high};
  if (s.min < s.max) return {s.min, s.max};
  return {s.min - 0.5, s.min + 0.5};
}

}  // namespace

/// Air of CT is -1000 HU, padding -1024, -2000 or -3024. Files without a modality show it by their values.
bool isCt(const ImageInfo& info) {
  if (!info.modality.empty()) return info.modality == "CT";
  return info.statistics && info.statistics->integral && info.statistics->min <= -900 &&
         info.statistics->min >= -4096 && info.statistics->max >= 300 && info.statistics->backgroundLevel < 0;
}

Window heldWindow(const Window& window) {
  constexpr double most = 1e37;  // a tenth of what a float can hold, so that widths and places can be reckoned with
  return {std::clamp(window.low, -most, most), std::clamp(window.high, -most, most)};
}

Window effectiveWindow(const Layer& layer, const ImageInfo& info) {
  return heldWindow(wantedWindow(layer, info));
}

Layer defaultLayer(const Source& source, const ImageInfo& info, bool asOverlay) {
  Layer layer;
  layer.id = layerId(source.path);
  layer.source = source;
  if (isColour(info.type)) {
    if (asOverlay) layer.opacity = overlayOpacity;
    return layer;
  }
  if (isLabelImage(source, info)) {
    styleLabels(info, asOverlay, layer);
    return layer;
  }
  if (isDirections(info)) {
    layer.vectors = VectorLook::direction;
    return layer;
  }
  if (!asOverlay) {
    if (isInverse(info)) layer.colourMap = "inverse";
    return layer;
  }
  if (isSignedMap(info)) {
    styleSignedMap(info, layer);
    return layer;
  }
  layer.colourMap = "hot";
  layer.opacity = overlayOpacity;
  if (info.statistics && info.statistics->finite > 0) layer.thresholdLow = info.statistics->backgroundLevel;
  return layer;
}

std::vector<View> usualViews() {
  constexpr double azimuthDeg = 30;
  constexpr double elevationDeg = 20;
  struct Named {
    const char* name;
    Plane plane;
  };
  std::vector<View> views;
  for (const Named& slice :
       {Named{"axial", Plane::axial}, {"coronal", Plane::coronal}, {"sagittal", Plane::sagittal}}) {
    View view;
    view.name = slice.name;
    view.plane = slice.plane;
    views.push_back(view);
  }
  View camera;
  camera.name = "3d";
  camera.kind = ViewKind::volume;
  camera.azimuthDeg = azimuthDeg;
  camera.elevationDeg = elevationDeg;
  views.push_back(camera);
  return views;
}

Scene defaultScene(const Source& source, const ImageInfo& info) {
  Scene scene;
  scene.crosshairMm = middleOf(info);
  scene.layers.push_back(defaultLayer(source, info, false));
  scene.views = usualViews();
  if (scene.layers[0].vectors == VectorLook::direction) {  // one component as a volume says nothing
    scene.layers[0].inVolume = false;
    scene.views.back().slices = {Plane::axial, Plane::coronal, Plane::sagittal};
  }
  return scene;
}

}  // namespace nora
