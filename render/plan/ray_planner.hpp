// Turns a volume view into what the ray kernels draw.
#pragma once

#include "render/plan/prepared_volume.hpp"
#include "render/plan/segment_table.hpp"
#include "render/plan/skip_field.hpp"
#include "render/plan/slice_planner.hpp"
#include "render/renderer.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace nora {

/// Keeps its memory, bricks and tables from picture to picture. One thread at a time.
class RayPlanner {
 public:
  /// Tables stay valid until the next call and while the request's volumes live.
  [[nodiscard]] kernel::RayPlan plan(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                                     const kernel::Kernels& kernels, Frame& frame);

 private:
  struct Shown {
    const Layer* layer = nullptr;
    std::shared_ptr<const Volume> volume;
  };
  /// What one layer keeps.
  struct Slot {
    SlicePlanner looks;
    TransferFunction transfer;
    SegmentTable segments;
    SkipField skip;
  };
  struct EmbeddedSlice {
    SlicePlanner planner;
    Frame picture;
  };

  void chooseLayers(const RenderRequest& request);
  [[nodiscard]] double chooseStep(const RenderRequest& request, const View& view) const;
  void addLayer(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                const kernel::Kernels& kernels, double stepMm);
  void planKind(const Shown& shown, const ViewGeometry& geometry, const PreparedVolume& prepared, Slot& slot,
                double stepMm, kernel::RayLayer& out) const;
  void planLook(const RenderRequest& request, const Shown& shown, const ViewGeometry& geometry, Slot& slot,
                kernel::RayLayer& out);
  void addSlices(const RenderRequest& request, const View& view, const ViewGeometry& geometry, double stepMm,
                 const Frame& frame);

  PreparedVolumes prepared_;
  std::vector<Shown> shown_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::array<EmbeddedSlice, kernel::mostRaySlices> embedded_;
  Scene one_;  // the scene of one layer, for its look
  Frame lookFrame_;
  std::vector<kernel::RayLayer> layers_;
  kernel::RayPlan rays_;
};

}  // namespace nora
