#include "render/picker.hpp"

#include "render/cpu/kernel_sets.hpp"
#include "render/geometry/geometry_drawer.hpp"
#include "render/geometry/geometry_planner.hpp"
#include "render/plan/ray_planner.hpp"
#include "render/plan/shown_layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nora {
namespace {

constexpr int reach = 2;  // pixels around the one that was meant
constexpr int side = 2 * reach + 1;

/// A place in the view: on the ray through the pixel, so far from the picture's plane.
Vec3 placeAt(const ViewGeometry& g, double x, double y, double depthMm) {
  return g.originMm + g.rightMm * x + g.downMm * y + g.forward * depthMm;
}

/// The same view, of which only a few pixels from (x, y) on are drawn.
ViewGeometry cutOut(ViewGeometry g, double x, double y) {
  g.originMm = g.originMm + g.rightMm * x + g.downMm * y;
  return g;
}

struct Near {
  bool found = false;
  int column = 0;
  int row = 0;
  std::uint64_t key = 0;
};

/// What is at the middle, else what is nearest to it.
Near nearestTo(const std::uint64_t* keys) {
  Near out;
  int best = side * side;
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const std::uint64_t key = keys[row * side + column];
      const int off = (row - reach) * (row - reach) + (column - reach) * (column - reach);
      if (key == kernel::nothingThere || off > best || (off == best && key > out.key)) continue;
      out = {true, column, row, key};
      best = off;
    }
  }
  return out;
}

void nameVertex(const Surface& surface, std::uint32_t triangle, PickHit& hit) {
  const auto corners = surface.triangles().subspan(std::size_t{triangle} * 3, 3);
  double best = 0;
  hit.triangle = triangle;
  for (const std::uint32_t corner : corners) {
    const auto at = surface.points().subspan(std::size_t{corner} * 3, 3);
    const double off = length(Vec3{at[0], at[1], at[2]} - hit.mm);
    if (hit.vertex >= 0 && !(off < best)) continue;
    hit.vertex = corner;
    best = off;
  }
}

void namePoint(const Tractogram& tracts, std::uint32_t piece, PickHit& hit) {
  const auto offsets = tracts.offsets();
  const auto after = std::upper_bound(offsets.begin(), offsets.end(), std::uint64_t{piece});
  hit.streamline = after - offsets.begin() - 1;
  hit.point = piece;
  const auto points = tracts.positions().subspan(std::size_t{piece} * 3);
  if (points.size() < 6) return;
  const Vec3 a{points[0], points[1], points[2]}, b{points[3], points[4], points[5]};
  const Vec3 way = b - a;
  const double squared = dot(way, way);
  const double part = squared > 0 ? std::clamp(dot(hit.mm - a, way) / squared, 0.0, 1.0) : 0;
  hit.mm = a + way * part;
  if (part > 0.5) ++hit.point;
}

struct Found {
  double depthMm = 0;
  PickHit hit;
};

void keepNearer(std::optional<Found>& best, std::optional<Found> other) {
  if (other && (!best || other->depthMm < best->depthMm)) best = std::move(other);
}

bool isCutAway(const View& view, const Vec3& mm) {
  for (std::size_t a = 0; view.crop && a < 3; ++a) {
    if (mm[a] < view.crop->lowMm[a] || mm[a] > view.crop->highMm[a]) return true;
  }
  return std::any_of(view.clipPlanes.begin(), view.clipPlanes.end(),
                     [&](const ClipPlane& plane) { return dot(mm - plane.pointMm, plane.normal) > 0; });
}

std::optional<Found> pickSlices(const RenderRequest& request, const View& view, const ViewGeometry& g, double x,
                                double y) {
  std::optional<Found> best;
  const auto bounds = boundsOf(*request.scene, *request.volumes, nullptr);
  for (const Plane plane : view.slices) {
    const std::size_t axis = plane == Plane::axial ? 2 : plane == Plane::coronal ? 1 : 0;
    const Vec3 start = placeAt(g, x, y, 0);
    if (!bounds || plane == Plane::oblique || std::abs(g.forward[axis]) < 1e-3) continue;
    const double depth = (request.scene->crosshairMm[axis] - start[axis]) / g.forward[axis];
    const Vec3 mm = placeAt(g, x, y, depth);
    bool inside = !isCutAway(view, mm);
    for (std::size_t a = 0; a < 3; ++a) inside = inside && mm[a] >= bounds->low[a] && mm[a] <= bounds->high[a];
    if (!inside) continue;
    Found found{depth, {}};
    found.hit.kind = PickKind::slice;
    found.hit.mm = mm;
    keepNearer(best, found);
  }
  return best;
}

}  // namespace

std::string_view toString(PickKind kind) {
  switch (kind) {
    case PickKind::image: return "image";
    case PickKind::slice: return "slice";
    case PickKind::surface: return "surface";
    case PickKind::streamline: return "tracts";
    case PickKind::marker: break;
  }
  return "marker";
}

struct Picker::State {
  GeometryPlanner geometryPlanner;
  GeometryDrawer drawer;
  RayPlanner rayPlanner;
  Frame frame;
  const kernel::Kernels& kernels = *kernel::findKernels("");

  std::optional<Found> pickGeometry(const RenderRequest& request, const View& view, const ViewGeometry& g, double x,
                                    double y, std::optional<Error>& error);
  std::optional<Found> pickVolume(const RenderRequest& request, const View& view, const ViewGeometry& g, double x,
                                  double y);
  /// What a ray shows of the images up to a depth: its opacity, or a grey where there is no opacity.
  std::array<std::uint8_t, 4> rayUntil(kernel::RayPlan plan, double depthMm);
};

std::optional<Found> Picker::State::pickGeometry(const RenderRequest& request, const View& view, const ViewGeometry& g,
                                                 double x, double y, std::optional<Error>& error) {
  RenderRequest small = request;
  small.width = small.height = side;
  small.stepScale = 1;
  const ViewGeometry around = cutOut(g, std::floor(x) - reach, std::floor(y) - reach);
  View bare = view;
  bare.orientationCube = false;
  bare.showCrop = false;
  const auto plan = geometryPlanner.plan(small, bare, around);
  if (!plan) {
    error = plan.error();
    return std::nullopt;
  }
  if (!*plan) return std::nullopt;
  const Near near = nearestTo(drawer.numbers(**plan));
  if (!near.found) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(near.key);
  const auto& ids = geometryPlanner.ids();
  const auto range = std::find_if(ids.begin(), ids.end(), [&](const IdRange& r) { return number - r.first < r.count; });
  if (range == ids.end()) return std::nullopt;
  const bool slice = view.kind == ViewKind::slice;
  const double depth = slice ? 0 : kernel::depthOfKey(near.key);
  Found found{depth, {}};
  PickHit& hit = found.hit;
  hit.mm = placeAt(around, near.column + 0.5, near.row + 0.5, depth);
  hit.layer = range->layer;
  const std::uint32_t own = number - range->first;
  if (!range->shape) {
    hit.kind = PickKind::marker;
    hit.marker = static_cast<std::int64_t>(range->marker);
  } else if (const auto* surface = std::get_if<Surface>(range->shape.get())) {
    hit.kind = PickKind::surface;
    nameVertex(*surface, own, hit);
  } else if (const auto* tracts = std::get_if<Tractogram>(range->shape.get())) {
    hit.kind = PickKind::streamline;
    namePoint(*tracts, own, hit);
  }
  return found;
}

std::array<std::uint8_t, 4> Picker::State::rayUntil(kernel::RayPlan plan, double depthMm) {
  std::array<std::uint8_t, 4> out{};
  if (plan.cutCount == kernel::mostRayCuts) --plan.cutCount;
  plan.cuts[plan.cutCount++] = {-depthMm * plan.geometry.stepsPerMm, 0, 0, 1};
  plan.rgba = out.data();
  kernels.drawRays(plan, kernel::Tile{0, 0, 1, 1});
  return out;
}

std::optional<Found> Picker::State::pickVolume(const RenderRequest& request, const View& view, const ViewGeometry& g,
                                               double x, double y) {
  constexpr int halvings = 24;
  constexpr int leastOpacity = 26;  // of 255
  RenderRequest small = request;
  small.width = small.height = 1;
  small.stepScale = 1;
  frame.resize(1, 1);
  View bare = view;
  bare.slices.clear();
  const ViewGeometry one = cutOut(g, x - 0.5, y - 0.5);
  kernel::RayPlan plan = rayPlanner.plan(small, bare, one, kernels, frame);
  const auto bounds = boundsOf(*request.scene, *request.volumes, nullptr);
  if (plan.layerCount == 0 || !bounds || view.mode == VolumeMode::mean) return std::nullopt;
  const bool opacity = view.mode == VolumeMode::shaded || view.mode == VolumeMode::isosurface;
  plan.alpha = opacity ? kernel::RayAlpha::opacity : kernel::RayAlpha::opaque;
  const Vec3 middle = (bounds->low + bounds->high) * 0.5;
  const double centre = dot(middle - one.originMm, one.forward);
  const double radius = length(bounds->high - bounds->low);
  double low = centre - radius, high = centre + radius;
  const auto whole = rayUntil(plan, high);
  if (opacity && whole[3] < leastOpacity) return std::nullopt;
  if (!opacity && whole == rayUntil(plan, low)) return std::nullopt;
  for (int i = 0; i < halvings; ++i) {
    const double half = (low + high) / 2;
    const auto there = rayUntil(plan, half);
    const bool reached = opacity ? there[3] * 2 >= whole[3] : there == whole;
    (reached ? high : low) = half;
  }
  Found found{high, {}};
  found.hit.kind = PickKind::image;
  found.hit.mm = placeAt(one, 0.5, 0.5, high);
  for (const Layer& layer : request.scene->layers) {
    const auto* volume = drawableOf(layer, *request.volumes);
    if (!volume || !layer.visible || !found.hit.layer.empty()) continue;
    const Vec3 voxel = (*volume)->voxelFromWorld().point(found.hit.mm);
    bool inside = layer.inVolume.value_or(true);
    for (std::size_t a = 0; a < 3; ++a)
      inside = inside && voxel[a] > -1 && voxel[a] < static_cast<double>((*volume)->dims()[a]);
    if (inside) found.hit.layer = layer.id;
  }
  return found;
}

Picker::Picker() : state_(std::make_unique<State>()) {}
Picker::~Picker() = default;

Result<std::optional<PickHit>> Picker::pick(const RenderRequest& request, double x, double y) {
  if (!request.scene || !request.volumes) return fail(ErrorCode::internal, "a request without a scene or volumes");
  const View* view = findView(*request.scene, request.view);
  if (!view) return fail(ErrorCode::notFound, "the scene has no such view", request.view);
  const auto bounds = boundsOf(*request.scene, *request.volumes, request.shapes);
  const auto geometry = viewGeometry(*request.scene, *view, bounds, request.width, request.height);
  if (!geometry) return tl::make_unexpected(geometry.error());
  std::optional<Error> error;
  std::optional<Found> best = state_->pickGeometry(request, *view, *geometry, x, y, error);
  if (error) return tl::make_unexpected(std::move(*error));
  if (view->kind == ViewKind::volume) {
    keepNearer(best, pickSlices(request, *view, *geometry, x, y));
    keepNearer(best, state_->pickVolume(request, *view, *geometry, x, y));
  }
  if (!best) return std::optional<PickHit>();
  return std::optional(std::move(best->hit));
}

}  // namespace nora
