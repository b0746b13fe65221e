#include "render/scene/scene.hpp"

#include "render/scene/colour_map.hpp"
#include "render/scene/json_fields.hpp"
#include "render/scene/transfer_presets.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxLayers = 64;
constexpr std::size_t maxViews = 32;
constexpr std::size_t maxNameCharacters = 64;
constexpr std::size_t maxPathBytes = 4096;
constexpr std::size_t maxSeriesBytes = 256;
constexpr std::size_t maxTransferPoints = 64;
constexpr std::size_t maxClipPlanes = 6;
constexpr std::size_t maxSlices = 3;
constexpr double minGamma = 0.05;
constexpr double maxGamma = 20;
constexpr double maxOutlinePixels = 16;
constexpr double maxSlabMm = 10000;
constexpr std::size_t maxMarkers = 1024;
constexpr std::size_t maxGroups = 256;
constexpr double maxEdgePixels = 16;
constexpr double maxLinePixels = 32;
constexpr double maxTubeMm = 100;
constexpr double maxLengthMm = 1e6;
constexpr double maxMarkerMm = 1e4;
constexpr double minZoom = 0.01;
constexpr double maxZoom = 1000;

constexpr std::array<JsonChoice<Interpolation>, 3> interpolations{
    {{"linear", Interpolation::linear}, {"nearest", Interpolation::nearest}, {"cubic", Interpolation::cubic}}};
constexpr std::array<JsonChoice<VectorLook>, 3> vectorLooks{
    {{"component", VectorLook::component}, {"direction", VectorLook::direction}, {"sticks", VectorLook::sticks}}};
constexpr std::array<JsonChoice<SlabMode>, 3> slabModes{
    {{"maximum", SlabMode::maximum}, {"minimum", SlabMode::minimum}, {"mean", SlabMode::mean}}};
constexpr std::array<JsonChoice<VolumeMode>, 5> volumeModes{{{"shaded", VolumeMode::shaded},
                                                             {"maximum", VolumeMode::maximum},
                                                             {"minimum", VolumeMode::minimum},
                                                             {"mean", VolumeMode::mean},
                                                             {"isosurface", VolumeMode::isosurface}}};
constexpr std::array<JsonChoice<ViewKind>, 2> viewKinds{{{"slice", ViewKind::slice}, {"volume", ViewKind::volume}}};
constexpr std::array<JsonChoice<Plane>, 4> planes{
    {{"axial", Plane::axial}, {"coronal", Plane::coronal}, {"sagittal", Plane::sagittal}, {"oblique", Plane::oblique}}};
constexpr std::array<JsonChoice<Convention>, 2> conventions{
    {{"radiological", Convention::radiological}, {"neurological", Convention::neurological}}};

constexpr std::array<JsonChoice<StreamlineColour>, 5> streamlineColours{{{"direction", StreamlineColour::direction},
                                                                         {"ends", StreamlineColour::ends},
                                                                         {"data", StreamlineColour::data},
                                                                         {"group", StreamlineColour::group},
                                                                         {"single", StreamlineColour::single}}};
constexpr std::array<JsonChoice<std::uint8_t>, 3> slabPlanes{{{"axial", 2}, {"coronal", 1}, {"sagittal", 0}}};
constexpr std::array<JsonChoice<MarkerKind>, 3> markerKinds{
    {{"point", MarkerKind::point}, {"arrow", MarkerKind::arrow}, {"box", MarkerKind::box}}};
constexpr std::array<JsonChoice<bool>, 2> shadings{{{"smooth", false}, {"flat", true}}};

constexpr std::array<std::string_view, 2> sourceKeys{"path", "series"};
constexpr std::array<std::string_view, 22> layerKeys{
    "id",           "source",        "visible",   "opacity",  "colourMap",     "windowLow",     "windowHigh",
    "thresholdLow", "thresholdHigh", "symmetric", "gamma",    "interpolation", "outlinePixels", "vectors",
    "modulatedBy",  "time",          "component", "inVolume", "transfer",      "isoValue",      "surface",
    "streamlines"};
constexpr std::array<std::string_view, 6> surfaceKeys{"colour", "data", "bare", "on", "shading", "edgePixels"};
constexpr std::array<std::string_view, 12> streamlineKeys{"colourBy",    "colour",  "data",        "groups",
                                                          "widthPixels", "tubeMm",  "minLengthMm", "maxLengthMm",
                                                          "every",       "sliceMm", "slabMm",      "slabPlane"};
constexpr std::array<std::string_view, 6> markerKeys{"kind", "atMm", "toMm", "sizeMm", "colour", "opacity"};
constexpr std::array<std::string_view, 2> transferKeys{"preset", "points"};
constexpr std::array<std::string_view, 3> pointKeys{"value", "opacity", "colour"};
constexpr std::array<std::string_view, 17> viewKeys{
    "name",       "kind",         "zoom", "centreMm", "plane",      "right",  "down",     "slabMm",         "slabMode",
    "azimuthDeg", "elevationDeg", "mode", "crop",     "clipPlanes", "slices", "showCrop", "orientationCube"};
constexpr std::array<std::string_view, 2> clipKeys{"pointMm", "normal"};
constexpr std::array<std::string_view, 2> cropKeys{"lowMm", "highMm"};
constexpr std::array<std::string_view, 6> sceneKeys{"version", "convention", "crosshairMm",
                                                    "layers",  "views",      "markers"};

template <class Enum, std::size_t n>
const char* nameOf(Enum value, const std::array<JsonChoice<Enum>, n>& choices) {
  for (const auto& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return choices[0].name;
}

/// A required name of 1..64 characters that no earlier item has.
template <class Item>
void readName(JsonFields& fields, std::string_view key, std::string Item::*member, Item& out,
              const std::vector<Item>& earlier) {
  constexpr std::size_t maxUtf8Bytes = 4;
  fields.text(key, out.*member, maxNameCharacters * maxUtf8Bytes, true);
  if (fields.failed()) return;
  std::size_t characters = 0;
  for (const char c : out.*member) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  if (characters < 1 || characters > maxNameCharacters)
    fields.complain(fields.at(key), "1 to 64 characters are expected");
  for (const auto& item : earlier) {
    if (item.*member == out.*member) return fields.complain(fields.at(key), "this name is used twice");
  }
}

void readSource(const json& value, const JsonPlace& place, std::optional<Error>& error, Source& source) {
  JsonFields fields(value, place, error);
  fields.text("path", source.path, maxPathBytes, true);
  fields.text("series", source.series, maxSeriesBytes);
  fields.end(sourceKeys);
}

/// "#rrggbb", absent or null.
void readColour(JsonFields& fields, std::string_view key, std::optional<LayerColour>& out) {
  constexpr std::size_t length = 7;
  constexpr int hexadecimal = 16;
  std::string text;
  fields.optionalText(key, text, length);
  if (text.empty() || fields.failed()) return;
  unsigned value = 0;
  const auto parsed = std::from_chars(text.data() + 1, text.data() + text.size(), value, hexadecimal);
  if (text.size() != length || text[0] != '#' || parsed.ec != std::errc() || parsed.ptr != text.data() + length) {
    return fields.complain(fields.at(key), "a colour looks like #ffcc00");
  }
  out = {static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 8U),
         static_cast<std::uint8_t>(value)};
}

void readPoint(const json& value, const JsonPlace& place, std::optional<Error>& error,
               std::vector<TransferPoint>& points) {
  TransferPoint point;
  JsonFields fields(value, place, error);
  fields.requiredNumber("value", point.value);
  fields.number("opacity", point.opacity, 0, 1);
  readColour(fields, "colour", point.colour);
  fields.end(pointKeys);
  if (!points.empty() && !(point.value > points.back().value)) {
    fields.complain(fields.at("value"), "values must rise");
  }
  if (!points.empty() && point.colour.has_value() != points.front().colour.has_value()) {
    fields.complain(fields.at("colour"), "either all points have a colour, or none");
  }
  points.push_back(point);
}

void readTransfer(const json& value, const JsonPlace& place, std::optional<Error>& error, Transfer& transfer) {
  JsonFields fields(value, place, error);
  fields.text("preset", transfer.preset, maxNameCharacters);
  if (!fields.failed() && !transfer.preset.empty() && !findTransferPreset(transfer.preset)) {
    fields.complain(fields.at("preset"), "there is no such preset");
  }
  fields.array("points", maxTransferPoints,
               [&](const json& point, const JsonPlace& at) { readPoint(point, at, error, transfer.points); });
  if (transfer.points.size() == 1) fields.complain(fields.at("points"), "one point alone makes no curve");
  fields.end(transferKeys);
}

void readSurface(const json& value, const JsonPlace& place, std::optional<Error>& error, SurfaceLook& out) {
  JsonFields fields(value, place, error);
  readColour(fields, "colour", out.colour);
  fields.text("data", out.data, maxPathBytes);
  fields.flag("bare", out.bare);
  fields.text("on", out.on, maxNameCharacters * 4);
  fields.choice("shading", out.flat, shadings);
  fields.number("edgePixels", out.edgePixels, 0, maxEdgePixels);
  fields.end(surfaceKeys);
}

void readStreamlines(const json& value, const JsonPlace& place, std::optional<Error>& error, StreamlineLook& out) {
  JsonFields fields(value, place, error);
  fields.choice("colourBy", out.colourBy, streamlineColours);
  readColour(fields, "colour", out.colour);
  fields.text("data", out.data, maxPathBytes);
  fields.array("groups", maxGroups, [&](const json& name, const JsonPlace& at) {
    if (!name.is_string()) return fields.complain(at, "the name of a group is expected");
    out.groups.push_back(name.get<std::string>());
  });
  fields.number("widthPixels", out.widthPixels, 1, maxLinePixels);
  fields.number("tubeMm", out.tubeMm, 0, maxTubeMm);
  fields.number("minLengthMm", out.minLengthMm, 0, maxLengthMm);
  fields.number("maxLengthMm", out.maxLengthMm, 0, maxLengthMm);
  fields.whole("every", out.every);
  if (out.every < 1) fields.complain(fields.at("every"), "1 or more is expected");
  fields.number("sliceMm", out.sliceMm, 0, maxSlabMm);
  fields.number("slabMm", out.slabMm, 0, maxSlabMm);
  fields.choice("slabPlane", out.slabAxis, slabPlanes);
  fields.end(streamlineKeys);
}

void readMarker(const json& value, const JsonPlace& place, std::optional<Error>& error, std::vector<Marker>& out) {
  constexpr double minMarkerMm = 1e-3;
  Marker marker;
  std::optional<LayerColour> colour;
  JsonFields fields(value, place, error);
  fields.choice("kind", marker.kind, markerKinds, true);
  fields.vector("atMm", marker.atMm);
  fields.vector("toMm", marker.toMm);
  fields.number("sizeMm", marker.sizeMm, minMarkerMm, maxMarkerMm);
  readColour(fields, "colour", colour);
  fields.number("opacity", marker.opacity, 0, 1);
  fields.end(markerKeys);
  marker.colour = colour.value_or(marker.colour);
  out.push_back(marker);
}

void readLayer(const json& value, const JsonPlace& place, std::optional<Error>& error, std::vector<Layer>& layers) {
  Layer layer;
  JsonFields fields(value, place, error);
  readName(fields, "id", &Layer::id, layer, layers);
  fields.object("source",
                [&](const json& source, const JsonPlace& at) { readSource(source, at, error, layer.source); });
  fields.flag("visible", layer.visible);
  fields.number("opacity", layer.opacity, 0, 1);
  fields.text("colourMap", layer.colourMap, maxNameCharacters);
  if (!fields.failed() && layer.colourMap != "labels" && !findColourMap(layer.colourMap)) {
    fields.complain(fields.at("colourMap"), "there is no such colour map");
  }
  fields.optionalNumber("windowLow", layer.windowLow);
  fields.optionalNumber("windowHigh", layer.windowHigh);
  if (layer.windowLow.has_value() != layer.windowHigh.has_value()) {
    fields.complain(fields.at(layer.windowLow ? "windowHigh" : "windowLow"),
                    "a window needs both of its ends, or none");
  }
  if (layer.windowLow && layer.windowHigh && *layer.windowLow > *layer.windowHigh) {
    fields.complain(fields.at("windowLow"),
                    "the low end of the window is above its high end; the colour map \"inverse\" turns colours round");
  }
  fields.optionalNumber("thresholdLow", layer.thresholdLow);
  fields.optionalNumber("thresholdHigh", layer.thresholdHigh);
  fields.flag("symmetric", layer.symmetric);
  fields.number("gamma", layer.gamma, minGamma, maxGamma);
  fields.choice("interpolation", layer.interpolation, interpolations);
  fields.number("outlinePixels", layer.outlinePixels, 0, maxOutlinePixels);
  fields.choice("vectors", layer.vectors, vectorLooks);
  fields.text("modulatedBy", layer.modulatedBy, maxNameCharacters * 4);
  fields.whole("time", layer.time);
  fields.whole("component", layer.component);
  fields.optionalFlag("inVolume", layer.inVolume);
  fields.optionalObject("transfer", [&](const json& transfer, const JsonPlace& at) {
    readTransfer(transfer, at, error, layer.transfer);
  });
  fields.optionalNumber("isoValue", layer.isoValue);
  fields.optionalObject(
      "surface", [&](const json& surface, const JsonPlace& at) { readSurface(surface, at, error, layer.surface); });
  fields.optionalObject("streamlines", [&](const json& streamlines, const JsonPlace& at) {
    readStreamlines(streamlines, at, error, layer.streamlines);
  });
  fields.end(layerKeys);
  if (!error) layers.push_back(std::move(layer));
}

void readClipPlane(const json& value, const JsonPlace& place, std::optional<Error>& error,
                   std::vector<ClipPlane>& out) {
  ClipPlane plane;
  JsonFields fields(value, place, error);
  fields.vector("pointMm", plane.pointMm);
  fields.vector("normal", plane.normal);
  const double size = length(plane.normal);
  if (!(size > 0 && std::isfinite(size))) fields.complain(fields.at("normal"), "a direction is expected, not zero");
  fields.end(clipKeys);
  out.push_back(plane);
}

void readCrop(const json& value, const JsonPlace& place, std::optional<Error>& error, std::optional<CropBox>& out) {
  CropBox box;
  JsonFields fields(value, place, error);
  fields.vector("lowMm", box.lowMm);
  fields.vector("highMm", box.highMm);
  for (std::size_t a = 0; a < 3; ++a) {
    if (!(box.lowMm[a] < box.highMm[a])) fields.complain(fields.at("highMm"), "must lie above lowMm on every axis");
  }
  fields.end(cropKeys);
  out = box;
}

void readShownSlice(const json& value, const JsonPlace& place, std::optional<Error>& error, std::vector<Plane>& out) {
  for (const auto& choice : planes) {
    if (choice.value == Plane::oblique || !value.is_string() || value.get_ref<const std::string&>() != choice.name) {
      continue;
    }
    out.push_back(choice.value);
    return;
  }
  error = Error{ErrorCode::invalidInput, "expected is one of axial coronal sagittal", place.pointer()};
}

void readView(const json& value, const JsonPlace& place, std::optional<Error>& error, std::vector<View>& views) {
  constexpr double leastSine = 1e-6;
  View view;
  JsonFields fields(value, place, error);
  readName(fields, "name", &View::name, view, views);
  fields.choice("kind", view.kind, viewKinds, true);
  fields.number("zoom", view.zoom, minZoom, maxZoom);
  fields.optionalVector("centreMm", view.centreMm);
  fields.choice("plane", view.plane, planes);
  fields.vector("right", view.right);
  fields.vector("down", view.down);
  if (!(length(cross(normalised(view.right), normalised(view.down))) > leastSine)) {
    fields.complain(fields.at("down"), "right and down must be two directions, neither zero nor parallel");
  }
  fields.number("slabMm", view.slabMm, 0, maxSlabMm);
  fields.choice("slabMode", view.slabMode, slabModes);
  fields.number("azimuthDeg", view.azimuthDeg);
  fields.number("elevationDeg", view.elevationDeg);
  fields.choice("mode", view.mode, volumeModes);
  fields.optionalObject("crop", [&](const json& box, const JsonPlace& at) { readCrop(box, at, error, view.crop); });
  fields.array("clipPlanes", maxClipPlanes,
               [&](const json& plane, const JsonPlace& at) { readClipPlane(plane, at, error, view.clipPlanes); });
  fields.array("slices", maxSlices,
               [&](const json& plane, const JsonPlace& at) { readShownSlice(plane, at, error, view.slices); });
  fields.flag("showCrop", view.showCrop);
  fields.flag("orientationCube", view.orientationCube);
  fields.end(viewKeys);
  if (!error) views.push_back(std::move(view));
}

json toJson(const Vec3& v) {
  return json::array({v[0], v[1], v[2]});
}
json toJson(const std::optional<double>& v) {
  return v ? json(*v) : json(nullptr);
}

json toJson(const Transfer& transfer) {
  return {{"preset", transfer.preset}, {"points", nora::toJson(transfer.points)}};
}

json toJson(const std::optional<LayerColour>& colour) {
  if (!colour) return nullptr;
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", (*colour)[0], (*colour)[1], (*colour)[2]);
  return text.data();
}

json toJson(const SurfaceLook& look) {
  return {{"colour", toJson(look.colour)},
          {"data", look.data},
          {"bare", look.bare},
          {"on", look.on},
          {"shading", nameOf(look.flat, shadings)},
          {"edgePixels", look.edgePixels}};
}

json toJson(const StreamlineLook& look) {
  return {{"colourBy", nameOf(look.colourBy, streamlineColours)},
          {"colour", toJson(look.colour)},
          {"data", look.data},
          {"groups", look.groups},
          {"widthPixels", look.widthPixels},
          {"tubeMm", look.tubeMm},
          {"minLengthMm", look.minLengthMm},
          {"maxLengthMm", look.maxLengthMm},
          {"every", look.every},
          {"sliceMm", look.sliceMm},
          {"slabMm", look.slabMm},
          {"slabPlane", nameOf(look.slabAxis, slabPlanes)}};
}

json toJson(const Marker& marker) {
  return {{"kind", nameOf(marker.kind, markerKinds)},
          {"atMm", toJson(marker.atMm)},
          {"toMm", toJson(marker.toMm)},
          {"sizeMm", marker.sizeMm},
          {"colour", toJson(std::optional(marker.colour))},
          {"opacity", marker.opacity}};
}

json toJson(const Layer& layer) {
  return {{"id", layer.id},
          {"source", {{"path", layer.source.path}, {"series", layer.source.series}}},
          {"visible", layer.visible},
          {"opacity", layer.opacity},
          {"colourMap", layer.colourMap},
          {"windowLow", toJson(layer.windowLow)},
          {"windowHigh", toJson(layer.windowHigh)},
          {"thresholdLow", toJson(layer.thresholdLow)},
          {"thresholdHigh", toJson(layer.thresholdHigh)},
          {"symmetric", layer.symmetric},
          {"gamma", layer.gamma},
          {"interpolation", nameOf(layer.interpolation, interpolations)},
          {"outlinePixels", layer.outlinePixels},
          {"vectors", nameOf(layer.vectors, vectorLooks)},
          {"modulatedBy", layer.modulatedBy},
          {"time", layer.time},
          {"component", layer.component},
          {"inVolume", layer.inVolume ? json(*layer.inVolume) : json(nullptr)},
          {"transfer", toJson(layer.transfer)},
          {"isoValue", toJson(layer.isoValue)},
          {"surface", toJson(layer.surface)},
          {"streamlines", toJson(layer.streamlines)}};
}

json toJson(const View& view) {
  json clipPlanes = json::array();
  for (const auto& plane : view.clipPlanes) {
    clipPlanes.push_back({{"pointMm", toJson(plane.pointMm)}, {"normal", toJson(plane.normal)}});
  }
  json slices = json::array();
  for (const Plane plane : view.slices) slices.push_back(nameOf(plane, planes));
  json crop;
  if (view.crop) crop = {{"lowMm", toJson(view.crop->lowMm)}, {"highMm", toJson(view.crop->highMm)}};
  return {{"name", view.name},
          {"kind", nameOf(view.kind, viewKinds)},
          {"zoom", view.zoom},
          {"centreMm", view.centreMm ? toJson(*view.centreMm) : json(nullptr)},
          {"plane", nameOf(view.plane, planes)},
          {"right", toJson(view.right)},
          {"down", toJson(view.down)},
          {"slabMm", view.slabMm},
          {"slabMode", nameOf(view.slabMode, slabModes)},
          {"azimuthDeg", view.azimuthDeg},
          {"elevationDeg", view.elevationDeg},
          {"mode", nameOf(view.mode, volumeModes)},
          {"crop", std::move(crop)},
          {"clipPlanes", std::move(clipPlanes)},
          {"slices", std::move(slices)},
          {"showCrop", view.showCrop},
          {"orientationCube", view.orientationCube}};
}

}  // namespace

const View* findView(const Scene& scene, const std::string& name) {
  for (const auto& view : scene.views) {
    if (view.name == name) return &view;
  }
  return nullptr;
}

json toJson(const std::vector<TransferPoint>& points) {
  json out = json::array();
  for (const auto& point : points) {
    out.push_back({{"value", point.value}, {"opacity", point.opacity}});
    if (point.colour) out.back()["colour"] = toJson(point.colour);
  }
  return out;
}

json toJson(const Scene& scene) {
  json layers = json::array();
  for (const auto& layer : scene.layers) layers.push_back(toJson(layer));
  json views = json::array();
  for (const auto& view : scene.views) views.push_back(toJson(view));
  json markers = json::array();
  for (const auto& marker : scene.markers) markers.push_back(toJson(marker));
  return {{"version", Scene::currentVersion},
          {"convention", nameOf(scene.convention, conventions)},
          {"crosshairMm", toJson(scene.crosshairMm)},
          {"layers", std::move(layers)},
          {"views", std::move(views)},
          {"markers", std::move(markers)}};
}

Result<Source> sourceFromJson(const json& value, std::string_view name) {
  std::optional<Error> error;
  Source source;
  const JsonPlace root;
  readSource(value, JsonPlace{&root, name}, error, source);
  if (error) return tl::make_unexpected(*error);
  return source;
}

Result<Scene> sceneFromJson(const json& document) {
  Scene scene;
  std::optional<Error> error;
  const JsonPlace root;
  JsonFields fields(document, root, error);
  std::int64_t version = 0;
  fields.whole("version", version, true);
  if (version != Scene::currentVersion) fields.complain(fields.at("version"), "only version 1 is known");
  fields.choice("convention", scene.convention, conventions);
  fields.vector("crosshairMm", scene.crosshairMm);
  fields.array("layers", maxLayers,
               [&](const json& layer, const JsonPlace& at) { readLayer(layer, at, error, scene.layers); });
  fields.array("views", maxViews,
               [&](const json& view, const JsonPlace& at) { readView(view, at, error, scene.views); });
  fields.array("markers", maxMarkers,
               [&](const json& marker, const JsonPlace& at) { readMarker(marker, at, error, scene.markers); });
  fields.end(sceneKeys);
  if (error) return tl::make_unexpected(std::move(*error));
  return scene;
}

}  // namespace nora
