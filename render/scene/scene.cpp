#include "render/scene/scene.hpp"

#include "render/scene/colour_map.hpp"
#include "render/scene/json_fields.hpp"

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t maxLayers = 64;
constexpr std::size_t maxViews = 32;
constexpr std::size_t maxNameCharacters = 64;
constexpr std::size_t maxPathBytes = 4096;
constexpr std::size_t maxSeriesBytes = 256;
constexpr std::size_t maxOpacityPoints = 64;
constexpr double minZoom = 0.01;
constexpr double maxZoom = 1000;

constexpr std::array<JsonChoice<Interpolation>, 2> interpolations{
    {{"linear", Interpolation::linear}, {"nearest", Interpolation::nearest}}};
constexpr std::array<JsonChoice<ViewKind>, 2> viewKinds{{{"slice", ViewKind::slice}, {"volume", ViewKind::volume}}};
constexpr std::array<JsonChoice<Plane>, 3> planes{
    {{"axial", Plane::axial}, {"coronal", Plane::coronal}, {"sagittal", Plane::sagittal}}};
constexpr std::array<JsonChoice<Convention>, 2> conventions{
    {{"radiological", Convention::radiological}, {"neurological", Convention::neurological}}};

constexpr std::array<std::string_view, 2> sourceKeys{"path", "series"};
constexpr std::array<std::string_view, 13> layerKeys{
    "id",           "source",        "visible",   "opacity",       "colourMap", "windowLow", "windowHigh",
    "thresholdLow", "thresholdHigh", "symmetric", "interpolation", "time",      "component"};
constexpr std::array<std::string_view, 2> pointKeys{"position", "opacity"};
constexpr std::array<std::string_view, 8> viewKeys{"name",  "kind",       "zoom",         "centreMm",
                                                   "plane", "azimuthDeg", "elevationDeg", "opacityPoints"};
constexpr std::array<std::string_view, 5> sceneKeys{"version", "convention", "crosshairMm", "layers", "views"};

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
  fields.optionalNumber("thresholdLow", layer.thresholdLow);
  fields.optionalNumber("thresholdHigh", layer.thresholdHigh);
  fields.flag("symmetric", layer.symmetric);
  fields.choice("interpolation", layer.interpolation, interpolations);
  fields.whole("time", layer.time);
  fields.whole("component", layer.component);
  fields.end(layerKeys);
  if (!error) layers.push_back(std::move(layer));
}

void readPoint(const json& value, const JsonPlace& place, std::optional<Error>& error,
               std::vector<OpacityPoint>& points) {
  OpacityPoint point;
  JsonFields fields(value, place, error);
  fields.number("position", point.position, 0, 1);
  fields.number("opacity", point.opacity, 0, 1);
  fields.end(pointKeys);
  if (!points.empty() && !(point.position > points.back().position)) {
    fields.complain(fields.at("position"), "positions must rise");
  }
  points.push_back(point);
}

void readView(const json& value, const JsonPlace& place, std::optional<Error>& error, std::vector<View>& views) {
  View view;
  JsonFields fields(value, place, error);
  readName(fields, "name", &View::name, view, views);
  fields.choice("kind", view.kind, viewKinds, true);
  fields.number("zoom", view.zoom, minZoom, maxZoom);
  fields.optionalVector("centreMm", view.centreMm);
  fields.choice("plane", view.plane, planes);
  fields.number("azimuthDeg", view.azimuthDeg);
  fields.number("elevationDeg", view.elevationDeg);
  fields.array("opacityPoints", maxOpacityPoints,
               [&](const json& point, const JsonPlace& at) { readPoint(point, at, error, view.opacityPoints); });
  if (view.opacityPoints.size() == 1) fields.complain(fields.at("opacityPoints"), "one point alone makes no curve");
  fields.end(viewKeys);
  if (!error) views.push_back(std::move(view));
}

json toJson(const Vec3& v) {
  return json::array({v[0], v[1], v[2]});
}
json toJson(const std::optional<double>& v) {
  return v ? json(*v) : json(nullptr);
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
          {"interpolation", nameOf(layer.interpolation, interpolations)},
          {"time", layer.time},
          {"component", layer.component}};
}

json toJson(const View& view) {
  json points = json::array();
  for (const auto& point : view.opacityPoints) {
    points.push_back({{"position", point.position}, {"opacity", point.opacity}});
  }
  return {{"name", view.name},
          {"kind", nameOf(view.kind, viewKinds)},
          {"zoom", view.zoom},
          {"centreMm", view.centreMm ? toJson(*view.centreMm) : json(nullptr)},
          {"plane", nameOf(view.plane, planes)},
          {"azimuthDeg", view.azimuthDeg},
          {"elevationDeg", view.elevationDeg},
          {"opacityPoints", std::move(points)}};
}

}  // namespace

const View* findView(const Scene& scene, const std::string& name) {
  for (const auto& view : scene.views) {
    if (view.name == name) return &view;
  }
  return nullptr;
}

json toJson(const Scene& scene) {
  json layers = json::array();
  for (const auto& layer : scene.layers) layers.push_back(toJson(layer));
  json views = json::array();
  for (const auto& view : scene.views) views.push_back(toJson(view));
  return {{"version", Scene::currentVersion},
          {"convention", nameOf(scene.convention, conventions)},
          {"crosshairMm", toJson(scene.crosshairMm)},
          {"layers", std::move(layers)},
          {"views", std::move(views)}};
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
  fields.end(sceneKeys);
  if (error) return tl::make_unexpected(std::move(*error));
  return scene;
}

}  // namespace nora
