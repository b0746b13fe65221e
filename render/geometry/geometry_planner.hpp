// Turns the surfaces, streamlines and markers of a scene into what the geometry kernels draw.
#pragma once

#include "render/geometry/marker_meshes.hpp"
#include "render/geometry/prepared_shapes.hpp"
#include "render/kernel/geometry_plan.hpp"
#include "render/plan/colour_tables.hpp"
#include "render/renderer.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Which numbers of a plan (firstId + ...) belong to which layer.
struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::string layer;  // empty: a marker, or what belongs to the view
  std::shared_ptr<const Content> shape;
  std::size_t marker = 0;
};

/// Keeps its memory, normals and orders from picture to picture. One thread at a time.
class GeometryPlanner {
 public:
  /// Empty if the view shows no geometry. Valid until the next call and while the request's shapes live; `nearest` is
  /// not set. Errors: limitExceeded (more than 2^32 triangles and points in one picture).
  [[nodiscard]] Result<std::optional<kernel::GeometryPlan>> plan(const RenderRequest& request, const View& view,
                                                                 const ViewGeometry& geometry);
  [[nodiscard]] const std::vector<IdRange>& ids() const { return ids_; }

 private:
  struct Shapes {
    const RenderRequest& request;
    const View& view;
    const ViewGeometry& geometry;
  };
  void addMesh(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape);
  void addOverlays(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape,
                   kernel::MeshLook& mesh);
  void addOverlay(const Layer& layer, const std::shared_ptr<const Content>& shape, const Surface& values,
                  const Surface& mesh, kernel::MeshLook& out);
  void addLines(const Shapes& in, const Layer& layer, const std::shared_ptr<const Content>& shape);
  [[nodiscard]] const std::vector<std::uint32_t>& within(const std::vector<std::uint32_t>& lines,
                                                         const PreparedShape& prepared, const Vec3& normal, double at,
                                                         double halfMm);
  void colourLines(const Layer& layer, const Tractogram& tracts, PreparedShape& prepared, kernel::LineLook& out);
  void addMarkers(const Shapes& in);
  void addMarkerMesh(const MarkerMesh& mesh, const LayerColour& colour, double opacity,
                     const kernel::GeometryCuts* cuts, float edgePixels, float bias, std::size_t marker);
  void addCorner(const Shapes& in);
  void fillLook(const Layer& layer, const AttachedData& data, const PreparedValues& values, const ArrayBlock& arrays,
                kernel::GeometryValues& out);
  [[nodiscard]] std::uint32_t takeIds(std::uint64_t count, const std::string& layer,
                                      const std::shared_ptr<const Content>& shape, std::size_t marker = 0);
  [[nodiscard]] kernel::GeometryCuts* newCuts() { return &cuts_.emplace_back(); }

  PreparedShapes prepared_;
  std::vector<kernel::MeshLook> meshes_;
  std::vector<kernel::LineLook> lines_;
  std::deque<kernel::GeometryCuts> cuts_;
  std::deque<RampColours> ramps_;
  std::deque<std::vector<std::uint32_t>> orders_;
  std::deque<MarkerMesh> markers_;
  std::vector<IdRange> ids_;
  std::uint64_t nextId_ = 0;
  const kernel::GeometryCuts* viewCuts_ = nullptr;
};

}  // namespace nora
