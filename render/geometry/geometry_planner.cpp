#include "render/geometry/geometry_planner.hpp"

#include "render/plan/grid.hpp"
#include "render/plan/shown_layers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nora {
namespace {

constexpr LayerColour plainColour{224, 214, 200};
constexpr std::uint64_t mostIds = std::uint64_t{1} << 32;
/// Points of a layer's streamlines that previews show at most.
constexpr double previewPoints = 1'500'000;

kernel::Linear linear(const Vec3& direction, double at0) {
  return {static_cast<float>(direction[0]), static_cast<float>(direction[1]), static_cast<float>(direction[2]),
          static_cast<float>(at0)};
}

void copyTo(float* out, const Vec3& v) {
  std::transform(v.begin(), v.end(), out, [](double x) { return static_cast<float>(x); });
}

kernel::ScreenMap screenMap(const ViewGeometry& g) {
  const Vec3 right = g.rightMm * (1 / dot(g.rightMm, g.rightMm));
  const Vec3 down = g.downMm * (1 / dot(g.downMm, g.downMm));
  return {linear(right, -dot(g.originMm, right)), linear(down, -dot(g.originMm, down)),
          linear(g.forward, -dot(g.originMm, g.forward))};
}

/// Cuts away the side to which the normal points, by column, row and depth.
void addCut(const Vec3& point, const Vec3& normal, const ViewGeometry& g, kernel::GeometryCuts& out) {
  if (out.count == kernel::mostGeometryCuts || !(length(normal) > 0)) return;
  const Vec3 n = normalised(normal);
  const Vec3 terms{dot(g.rightMm, n), dot(g.downMm, n), dot(g.forward, n)};
  out.cuts[out.count++] = linear(terms, dot(g.originMm - point, n));
}

void addViewCuts(const View& view, const ViewGeometry& g, kernel::GeometryCuts& out) {
  for (std::size_t a = 0; view.crop && a < 3; ++a) {
    Vec3 axis{};
    axis[a] = 1;
    addCut(view.crop->highMm, axis, g, out);
    addCut(view.crop->lowMm, axis * -1, g, out);
  }
  for (const ClipPlane& plane : view.clipPlanes) addCut(plane.pointMm, plane.normal, g, out);
}

/// What lies farther than `halfMm` from a plane.
void addSlab(const Vec3& point, const Vec3& normal, double halfMm, const ViewGeometry& g, kernel::GeometryCuts& out) {
  addCut(point + normal * halfMm, normal, g, out);
  addCut(point - normal * halfMm, normal * -1, g, out);
}

kernel::LineColour colourOf(StreamlineColour by) {
  switch (by) {
    case StreamlineColour::ends: return kernel::LineColour::endToEnd;
    case StreamlineColour::data: return kernel::LineColour::points;
    case StreamlineColour::group: return kernel::LineColour::lines;
    case StreamlineColour::single: return kernel::LineColour::single;
    case StreamlineColour::direction: break;
  }
  return kernel::LineColour::direction;
}

double pixelMm(const ViewGeometry& g) {
  return length(g.rightMm);
}

/// Pixels of a picture for each of the view that it fills.
double pictureScale(const RenderRequest& request) {
  return request.viewWidth > 0 ? static_cast<double>(request.width) / request.viewWidth : 1;
}

/// How many of the shuffled streamlines a picture on the way to the still shows.
std::uint64_t sampleSize(const RenderRequest& request, const Tractogram& tracts) {
  const auto& info = tracts.info();
  const double perLine =
      static_cast<double>(info.points) / static_cast<double>(std::max<std::int64_t>(1, info.streamlines));
  const double points = previewPoints / std::max(1.0, request.stepScale);
  return static_cast<std::uint64_t>(std::max(1.0, points / std::max(1.0, perLine)));
}

/// The more pieces there are the thinner they have to be: a picture must not take minutes.
double mostPixelsWide(const kernel::LineLook& lines) {
  constexpr double work = 4e8;  // pieces * pixels across
  const auto pieces = static_cast<double>(std::max<std::uint64_t>(1, lines.drawnCount)) * 64;
  return std::clamp(work / pieces, 4.0, 2048.0);
}

bool isShown(const Layer& layer, const View& view) {
  const bool volume = view.kind == ViewKind::volume;
  return layer.visible && layer.opacity > 0 && (!volume || layer.inVolume.value_or(true));
}

}  // namespace

std::uint32_t GeometryPlanner::takeIds(std::uint64_t count, const std::string& layer,
                                       const std::shared_ptr<const Content>& shape, std::size_t marker) {
  const std::uint64_t first = nextId_;
  nextId_ += count;
  if (nextId_ <= mostIds)
    ids_.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(count), layer, shape, marker});
  return static_cast<std::uint32_t>(first);
}

void GeometryPlanner::fillLook(const Layer& layer, const AttachedData& data, const PreparedValues& values,
                               const ArrayBlock& arrays, kernel::GeometryValues& out) {
  constexpr float noLimit = std::numeric_limits<float>::infinity();
  const ArrayInfo& info = arrays.arrays()[data.array];
  const std::size_t width = bytesPerVoxel(info.type);
  if (values.padded.empty()) {
    out.stored = storedAs(info.type);
    const bool colour = data.role == DataRole::colour;
    out.values = arrays.bytesOf(data.array).data() + (colour ? 0 : static_cast<std::size_t>(values.component) * width);
    out.components = static_cast<int>(info.components);
  } else {
    out.stored = kernel::Stored::float32;
    out.values = reinterpret_cast<const std::byte*>(values.padded.data());
    out.components = 1;
  }
  kernel::SliceLayer& look = out.look;
  look.opacity = static_cast<float>(layer.opacity);
  look.thresholdLow = layer.thresholdLow ? static_cast<float>(*layer.thresholdLow) : -noLimit;
  look.thresholdHigh = layer.thresholdHigh ? static_cast<float>(*layer.thresholdHigh) : noLimit;
  if (data.role == DataRole::colour) {
    look.look = kernel::Look::colour;
    return;
  }
  if (data.role == DataRole::label || isLabels(layer)) {
    look.look = kernel::Look::labels;
    look.colours = packedLabelPalette();
    if (values.colours) {
      look.labelKeys = values.colours->keys();
      look.labelColours = values.colours->colours();
      look.labelShift = values.colours->shift();
      look.labelProbes = values.colours->probes();
    }
    return;
  }
  look.symmetric = layer.symmetric;
  const bool own = layer.windowLow && layer.windowHigh;
  const Window window = heldWindow(own ? Window{*layer.windowLow, *layer.windowHigh} : values.automatic);
  look.windowLow = static_cast<float>(window.low);
  look.indexPerValue = static_cast<float>(perWidth(255, window));
  look.gammaExponent = static_cast<float>(1 / layer.gamma);
  fillRamp(layer, ramps_.emplace_back());
  look.colours = ramps_.back().data();
}

void GeometryPlanner::addOverlay(const Layer& layer, const std::shared_ptr<const Content>& shape, const Surface& values,
                                 const Surface& mesh, kernel::MeshLook& out) {
  const AttachedData* data = dataFor(layer, values, mesh.info());
  if (!data || out.overlayCount == kernel::mostOverlays) return;
  const auto count = static_cast<std::size_t>(mesh.info().vertices);
  const PreparedValues& prepared = prepared_.get(shape).values(layer, *data, values.arrays(), count);
  fillLook(layer, *data, prepared, values.arrays(), out.overlays[out.overlayCount++]);
}

/// The values of the mesh's own file, then those of layers that are painted on it.
void GeometryPlanner::addOverlays(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape,
                                  kernel::MeshLook& mesh) {
  const auto& surface = std::get<Surface>(*shape);
  if (!layer.surface.bare) {
    Layer own = layer;
    own.opacity = 1;  // the mesh lets light through, not its paint
    addOverlay(own, shape, surface, surface, mesh);
  }
  for (const Layer& other : in.request.scene->layers) {
    const auto* values = shapeOf(other, *in.request.shapes);
    const auto* painted = values ? std::get_if<Surface>(values->get()) : nullptr;
    if (!painted || &other == &layer || !isShown(other, in.view)) continue;
    const bool asked = other.surface.on == layer.id;
    if (asked || (other.surface.on.empty() && !painted->hasMesh())) addOverlay(other, *values, *painted, surface, mesh);
  }
}

void GeometryPlanner::addMesh(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape) {
  const auto& surface = std::get<Surface>(*shape);
  const bool slice = in.view.kind == ViewKind::slice;
  if (!surface.hasMesh() || !layer.surface.on.empty() || (slice && !(layer.surface.edgePixels > 0))) return;
  const auto triangles = surface.triangles();
  kernel::MeshLook mesh;
  mesh.shape.points = surface.points().data();
  mesh.shape.triangles = triangles.data();
  mesh.shape.triangleCount = static_cast<std::uint32_t>(triangles.size() / 3);
  mesh.shape.firstId = takeIds(mesh.shape.triangleCount, layer.id, shape);
  mesh.shape.cuts = viewCuts_;
  if (slice) {
    constexpr double over = 1000;  // millimetres: edges lie over streamlines, and the later over the earlier
    mesh.shape.edgePixels = static_cast<float>(std::max(layer.surface.edgePixels * pictureScale(in.request), 1.0));
    mesh.shape.bias = static_cast<float>(-over - static_cast<double>(meshes_.size()));
  }
  mesh.colour = packed(layer.surface.colour.value_or(plainColour));
  mesh.opacity = static_cast<float>(layer.opacity);
  if (!layer.surface.flat) mesh.normals = prepared_.get(shape).normals().data();
  addOverlays(in, layer, shape, mesh);
  meshes_.push_back(mesh);
}

/// Of some lines those whose box comes near enough to a plane.
const std::vector<std::uint32_t>& GeometryPlanner::within(const std::vector<std::uint32_t>& lines,
                                                          const PreparedShape& prepared, const Vec3& normal, double at,
                                                          double halfMm) {
  auto& out = orders_.emplace_back();
  for (const std::uint32_t line : lines) {
    const auto& box = prepared.boxes()[line];
    double middle = -at;
    double reach = halfMm;
    for (std::size_t a = 0; a < 3; ++a) {
      middle += normal[a] * (static_cast<double>(box[a]) + box[a + 3]) / 2;
      reach += std::abs(normal[a]) * (static_cast<double>(box[a + 3]) - box[a]) / 2;
    }
    if (std::abs(middle) <= reach) out.push_back(line);
  }
  return out;
}

void GeometryPlanner::colourLines(const Layer& layer, const Tractogram& tracts, PreparedShape& prepared,
                                  kernel::LineLook& out) {
  out.by = colourOf(layer.streamlines.colourBy);
  if (layer.streamlines.colourBy == StreamlineColour::group) {
    const LabelColours& colours = prepared.groupColours();
    out.values.values = reinterpret_cast<const std::byte*>(prepared.groupOfLine().data());
    out.values.stored = kernel::Stored::int32;
    out.values.look.look = kernel::Look::labels;
    out.values.look.colours = packedLabelPalette();
    out.values.look.labelKeys = colours.keys();
    out.values.look.labelColours = colours.colours();
    out.values.look.labelShift = colours.shift();
    out.values.look.labelProbes = colours.probes();
    return;
  }
  if (layer.streamlines.colourBy != StreamlineColour::data) return;
  const auto shown = shownData(layer, tracts);
  if (!shown) {
    out.by = kernel::LineColour::direction;
    return;
  }
  out.by = shown->perStreamline ? kernel::LineColour::lines : kernel::LineColour::points;
  const auto& info = tracts.info();
  const auto count = static_cast<std::size_t>(shown->perStreamline ? info.streamlines : info.points);
  Layer own = layer;
  own.opacity = 1;
  const PreparedValues& values = prepared.values(own, *shown->data, tracts.arrays(), count);
  fillLook(own, *shown->data, values, tracts.arrays(), out.values);
}

void GeometryPlanner::addLines(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape) {
  const auto& tracts = std::get<Tractogram>(*shape);
  const StreamlineLook& look = layer.streamlines;
  const bool slice = in.view.kind == ViewKind::slice;
  const double slabMm = slice ? look.sliceMm : look.slabMm;
  if ((slice && !(slabMm > 0)) || tracts.info().points == 0) return;
  PreparedShape& prepared = prepared_.get(shape);
  const auto* chosen = &prepared.chosen({look.groups, look.minLengthMm, look.maxLengthMm, look.every});
  const kernel::GeometryCuts* cuts = viewCuts_;
  if (slabMm > 0) {
    kernel::GeometryCuts* own = newCuts();
    if (viewCuts_) *own = *viewCuts_;
    Vec3 normal = in.geometry.forward;
    Vec3 point = in.geometry.originMm;
    if (!slice) {
      normal = {};
      normal[look.slabAxis] = 1;
      point = in.request.scene->crosshairMm;
    }
    addSlab(point, normal, slabMm / 2, in.geometry, *own);
    chosen = &within(*chosen, prepared, normal, dot(point, normal), slabMm / 2);
    cuts = own;
  }
  kernel::LineLook out;
  out.shape.points = tracts.positions().data();
  out.shape.offsets = tracts.offsets().data();
  out.shape.order = chosen->data();
  out.shape.cuts = cuts;
  out.lineCount = tracts.offsets().size() - 1;
  out.drawnCount = chosen->size();
  if (in.request.preview && !slice) out.drawnCount = std::min(out.drawnCount, sampleSize(in.request, tracts));
  out.shape.firstId = takeIds(static_cast<std::uint64_t>(tracts.info().points), layer.id, shape);
  const double tubePixels = look.tubeMm / pixelMm(in.geometry);
  const double widthPixels = std::max(1.0, look.widthPixels * pictureScale(in.request));
  out.shape.widthPixels = static_cast<float>(std::min(std::max(widthPixels, tubePixels), mostPixelsWide(out)));
  out.shape.radiusMm = static_cast<float>(slice ? 0 : std::max(look.tubeMm, widthPixels * pixelMm(in.geometry)) / 2);
  out.shape.dots = slice;
  out.colour = packed(look.colour.value_or(plainColour));
  out.opacity = static_cast<float>(layer.opacity);
  colourLines(layer, tracts, prepared, out);
  lines_.push_back(out);
}

void GeometryPlanner::addMarkerMesh(const MarkerMesh& mesh, const LayerColour& colour, double opacity,
                                    const kernel::GeometryCuts* cuts, float edgePixels, float bias,
                                    std::size_t marker) {
  kernel::MeshLook out;
  out.shape.points = mesh.points.data();
  out.shape.triangles = mesh.triangles.data();
  out.shape.triangleCount = static_cast<std::uint32_t>(mesh.triangles.size() / 3);
  out.shape.firstId = takeIds(out.shape.triangleCount, {}, nullptr, marker);
  out.shape.cuts = cuts;
  out.shape.edgePixels = edgePixels;
  out.shape.bias = bias;
  out.normals = mesh.normals.data();
  out.colour = packed(colour);
  out.opacity = static_cast<float>(opacity);
  meshes_.push_back(out);
}

void GeometryPlanner::addMarkers(const Shapes& in) {
  constexpr float edge = 1.5F;
  constexpr float over = -2000;
  const bool slice = in.view.kind == ViewKind::slice;
  for (std::size_t m = 0; m < in.request.scene->markers.size(); ++m) {
    const Marker& marker = in.request.scene->markers[m];
    addMarkerMesh(markers_.emplace_back(meshOf(marker)), marker.colour, marker.opacity, viewCuts_, slice ? edge : 0,
                  slice ? over : 0, m);
  }
}

/// What belongs to the view itself: the crop box's edges, and the cube that tells how the patient lies.
void GeometryPlanner::addCorner(const Shapes& in) {
  if (in.view.kind != ViewKind::volume) return;
  constexpr LayerColour boxColour{120, 190, 255};
  constexpr double boxPixels = 1.5;
  const std::size_t none = in.request.scene->markers.size();
  if (in.view.crop && in.view.showCrop) {
    const double width = boxPixels * pixelMm(in.geometry);
    addMarkerMesh(markers_.emplace_back(boxEdges(in.view.crop->lowMm, in.view.crop->highMm, width)), boxColour, 1,
                  nullptr, 0, 0, none);
  }
  if (!in.view.orientationCube) return;
  constexpr std::array<LayerColour, 3> colours{{{214, 84, 78}, {96, 178, 88}, {84, 128, 222}}};
  constexpr double share = 0.07;  // of the shorter side
  constexpr float nearest = -1e5F;
  const double pixels = std::max(16.0, share * std::min(in.request.width, in.request.height));
  const double edgeMm = pixels * pixelMm(in.geometry);
  const Vec3 corner = in.geometry.originMm + in.geometry.rightMm * (pixels * 1.3) +
                      in.geometry.downMm * (in.request.height - pixels * 1.3);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    addMarkerMesh(markers_.emplace_back(cubeFaces(corner, edgeMm, axis)), colours[axis], 1, nullptr, 0, nearest, none);
  }
}

Result<std::optional<kernel::GeometryPlan>> GeometryPlanner::plan(const RenderRequest& request, const View& view,
                                                                  const ViewGeometry& geometry) {
  meshes_.clear();
  lines_.clear();
  cuts_.clear();
  ramps_.clear();
  orders_.clear();
  markers_.clear();
  ids_.clear();
  nextId_ = 0;
  viewCuts_ = nullptr;
  if (view.kind == ViewKind::volume && (view.crop || !view.clipPlanes.empty())) {
    kernel::GeometryCuts* cuts = newCuts();
    addViewCuts(view, geometry, *cuts);
    viewCuts_ = cuts;
  }
  const Shapes in{request, view, geometry};
  for (const Layer& layer : request.scene->layers) {
    const auto* shape = request.shapes ? shapeOf(layer, *request.shapes) : nullptr;
    if (!shape || !isShown(layer, view)) continue;
    if (std::holds_alternative<Surface>(**shape)) addMesh(in, layer, *shape);
    if (std::holds_alternative<Tractogram>(**shape)) addLines(in, layer, *shape);
  }
  addMarkers(in);
  addCorner(in);
  if (nextId_ > mostIds) {
    return fail(ErrorCode::limitExceeded, "more than 4,294,967,295 triangles and points cannot be drawn at once");
  }
  if (meshes_.empty() && lines_.empty()) return std::nullopt;
  kernel::GeometryPlan out;
  out.width = request.width;
  out.height = request.height;
  out.map = screenMap(geometry);
  out.lit = view.kind == ViewKind::volume;
  copyTo(out.viewer, geometry.forward * -1);
  copyTo(out.light, lampOf(geometry));
  out.meshes = meshes_.data();
  out.meshCount = static_cast<int>(meshes_.size());
  out.lines = lines_.data();
  out.lineCount = static_cast<int>(lines_.size());
  return out;
}

}  // namespace nora
