// Turns the layers of a scene into what the slice kernels draw.
#pragma once

#include "render/kernel/plan.hpp"
#include "render/plan/colour_tables.hpp"
#include "render/renderer.hpp"
#include "render/scene/label_colours.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nora {

/// Keeps its memory and look-up tables from picture to picture. One thread at a time.
class SlicePlanner {
 public:
  /// Layers and look-up tables stay valid until the next call and while the request's volumes live.
  [[nodiscard]] kernel::SlicePlan plan(const RenderRequest& request, const View& view, const ViewGeometry& geometry,
                                       Frame& frame);

 private:
  [[nodiscard]] kernel::SliceLayer placed(const Layer& layer, const Volume& volume, const ViewGeometry& geometry) const;
  void addLayer(const Layer& layer, const std::shared_ptr<const Volume>& shared, const View& view,
                const ViewGeometry& geometry);
  void addSlab(const Volume& volume, const View& view, const ViewGeometry& geometry, kernel::SliceLayer& layer);
  void addModulators(const RenderRequest& request, const ViewGeometry& geometry);
  void addLabelColours(const std::shared_ptr<const Volume>& volume, kernel::SliceLayer& layer);

  struct ColouredVolume {
    std::weak_ptr<const Volume> volume;
    std::unique_ptr<LabelColours> colours;
  };
  std::vector<kernel::SliceLayer> layers_;
  std::vector<const Layer*> sources_;  // of layers_, until the plan is made
  std::vector<std::vector<float>> slabs_;
  std::vector<RampColours> ramps_;
  std::vector<ColouredVolume> labelColours_;
};

}  // namespace nora
