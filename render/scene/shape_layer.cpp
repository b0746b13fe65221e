#include "render/scene/shape_layer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace nora {
namespace {

bool canBeDrawn(const AttachedData& data) {
  return data.role == DataRole::colour || data.role == DataRole::label || data.role == DataRole::scalar;
}

const AttachedData* named(const std::vector<AttachedData>& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const AttachedData& data) { return data.name == name && canBeDrawn(data); });
  return at == all.end() ? nullptr : &*at;
}

const AttachedData* firstOf(const std::vector<AttachedData>& all, DataRole role) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const AttachedData& data) { return data.role == role; });
  return at == all.end() ? nullptr : &*at;
}

const AttachedData* firstDrawable(const std::vector<AttachedData>& all) {
  for (const DataRole role : {DataRole::colour, DataRole::label, DataRole::scalar}) {
    if (const AttachedData* found = firstOf(all, role)) return found;
  }
  return nullptr;
}

std::string lowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Of up to so many numbers, evenly chosen.
std::vector<double> sampleOf(const ArrayBlock& arrays, const AttachedData& data, std::int64_t component) {
  constexpr std::int64_t mostSampled = 1 << 16;
  const std::int64_t count = arrays.arrays()[data.array].count;
  const std::int64_t every = std::max<std::int64_t>(1, count / mostSampled);
  std::vector<double> out;
  for (std::int64_t i = 0; i < count; i += every) {
    const double value = arrays.value(data.array, i, component);
    if (std::isfinite(value)) out.push_back(value);
  }
  return out;
}

double quantile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

constexpr double realShare = 0.05;  // of the other sign

/// Folds read well in grays; what is measured from zero in both directions in two colours.
void chooseColours(const AttachedData& data, const std::string& name, Layer& layer) {
  if (data.role == DataRole::label) {
    layer.colourMap = "labels";
  } else if (contains(name, "curv") || contains(name, "sulc")) {
    layer.colourMap = "inverse";
  } else if (data.min < -realShare * data.max && data.max > 0) {  // not by the rounding of what is positive
    layer.colourMap = "hot";
    layer.symmetric = true;
  } else {
    layer.colourMap = "viridis";
  }
}

constexpr std::array<LayerColour, 6> meshColours{
    {{224, 214, 200}, {236, 176, 74}, {104, 176, 222}, {214, 112, 104}, {128, 190, 118}, {176, 142, 206}}};

}  // namespace

std::optional<ShownData> shownData(const Layer& layer, const Surface& surface) {
  const auto& all = surface.info().data;
  if (layer.surface.bare && surface.hasMesh() && layer.surface.on.empty()) return std::nullopt;
  const AttachedData* data = layer.surface.data.empty() ? firstDrawable(all) : named(all, layer.surface.data);
  if (!data) return std::nullopt;
  return ShownData{data, false};
}

std::optional<ShownData> shownData(const Layer& layer, const Tractogram& tracts) {
  const StreamlineLook& look = layer.streamlines;
  if (look.colourBy != StreamlineColour::data) return std::nullopt;
  const auto& points = tracts.info().perPoint;
  const auto& lines = tracts.info().perStreamline;
  if (const AttachedData* data = look.data.empty() ? firstDrawable(points) : named(points, look.data))
    return ShownData{data, false};
  if (const AttachedData* data = look.data.empty() ? firstDrawable(lines) : named(lines, look.data))
    return ShownData{data, true};
  return std::nullopt;
}

std::int64_t shownComponent(const Layer& layer, const AttachedData& data) {
  const std::int64_t wanted = layer.time > 0 ? layer.time : layer.component;
  return std::clamp<std::int64_t>(wanted, 0, std::max<std::int64_t>(data.components, 1) - 1);
}

Window effectiveWindow(const Layer& layer, const AttachedData& data, const ArrayBlock& arrays) {
  constexpr double low = 0.02;
  constexpr double high = 0.98;
  if (layer.windowLow && layer.windowHigh) return {*layer.windowLow, *layer.windowHigh};
  auto values = sampleOf(arrays, data, shownComponent(layer, data));
  if (values.empty()) return {0, 1};
  Window out{quantile(values, low), quantile(values, high)};
  if (layer.symmetric) out = {0, std::max(std::abs(out.low), std::abs(out.high))};
  if (!(out.low < out.high)) out = {data.min, data.max};
  if (!(out.low < out.high)) out.high = out.low + 1;
  return out;
}

std::optional<Bounds> worldBounds(const Content& shape) {
  Bounds bounds;
  if (const auto* surface = std::get_if<Surface>(&shape)) {
    if (!surface->hasMesh()) return std::nullopt;
    bounds = {surface->info().boundsLow, surface->info().boundsHigh};
  } else if (const auto* tracts = std::get_if<Tractogram>(&shape)) {
    if (tracts->info().points == 0) return std::nullopt;
    bounds = {tracts->info().boundsLow, tracts->info().boundsHigh};
  } else {
    return std::nullopt;
  }
  for (std::size_t a = 0; a < 3; ++a) {
    if (!(bounds.low[a] <= bounds.high[a]) || !std::isfinite(bounds.low[a]) || !std::isfinite(bounds.high[a]))
      return std::nullopt;
  }
  return bounds;
}

Layer defaultShapeLayer(const Source& source, const Content& shape, std::size_t ordinal) {
  Layer layer;
  layer.id = "shape";
  layer.source = source;
  const std::string file = lowerCase(source.path.substr(source.path.rfind('/') + 1));
  if (const auto* surface = std::get_if<Surface>(&shape)) {
    const auto shown = shownData(layer, *surface);
    if (surface->hasMesh()) layer.surface.colour = meshColours[ordinal % meshColours.size()];
    if (shown) chooseColours(*shown->data, file + " " + lowerCase(shown->data->name), layer);
  }
  return layer;
}

Scene defaultShapeScene(const Source& source, const Content& shape) {
  Scene scene;
  if (const auto bounds = worldBounds(shape)) scene.crosshairMm = (bounds->low + bounds->high) * 0.5;
  scene.layers.push_back(defaultShapeLayer(source, shape, 0));
  scene.views = usualViews();
  return scene;
}

const AttachedData* dataFor(const Layer& layer, const Surface& values, const SurfaceInfo& mesh) {
  const auto shown = shownData(layer, values);
  if (!shown) return nullptr;
  const SurfaceInfo& info = values.info();
  for (const AttachedData& data : info.data) {
    const std::string& structure = data.structure.empty() ? info.structure : data.structure;
    const std::int64_t count = values.arrays().arrays()[data.array].count;
    const bool some = info.verticesAtLeast && data.role != DataRole::colour && count < mesh.vertices;
    const bool enough = some || count == mesh.vertices;
    const bool same = structure.empty() || mesh.structure.empty() || structure == mesh.structure;
    if (canBeDrawn(data) && data.name == shown->data->name && enough && same) return &data;
  }
  return nullptr;
}

std::string whyNotPainted(const Scene& scene, const Layer& layer,
                          const std::map<std::string, std::shared_ptr<const Content>>& shapes) {
  const auto surfaceOf = [&](const Layer& of) {
    const auto at = shapes.find(of.id);
    return at == shapes.end() ? nullptr : std::get_if<Surface>(at->second.get());
  };
  const Surface* values = surfaceOf(layer);
  if (!values || (values->hasMesh() && layer.surface.on.empty())) return {};
  const auto shown = shownData(layer, *values);
  if (!shown) return "it has no values that can be shown";
  std::string meshes;
  for (const Layer& other : scene.layers) {
    const Surface* mesh = surfaceOf(other);
    if (!mesh || !mesh->hasMesh() || !other.surface.on.empty()) continue;
    if (!layer.surface.on.empty() && layer.surface.on != other.id) continue;
    if (dataFor(layer, *values, mesh->info())) return {};
    meshes += (meshes.empty() ? "" : ", ") + std::to_string(mesh->info().vertices);
  }
  const std::string count = std::to_string(values->arrays().arrays()[shown->data->array].count);
  if (meshes.empty()) return "there is no surface on which its " + count + " values could be shown; open one";
  return "its " + count + " values fit no surface that is open (" + meshes + " vertices, or another hemisphere)";
}

}  // namespace nora
