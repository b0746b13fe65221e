// Layers whose file holds a surface, values for surfaces, or streamlines: what they show, and how they start.
#pragma once

#include "image/content.hpp"
#include "render/scene/scene.hpp"
#include "render/scene/view_geometry.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace nora {

/// Numbers at the vertices of a surface, at the points of streamlines, or one for each streamline.
struct ShownData {
  const AttachedData* data = nullptr;
  bool perStreamline = false;
};

/// What a surface layer shows of its file: what it names, else the first that can be drawn (colours, then labels, then
/// numbers); nothing if there is none, or the layer is bare.
[[nodiscard]] std::optional<ShownData> shownData(const Layer& layer, const Surface& surface);
/// The same of streamlines; nothing unless they are coloured by data.
[[nodiscard]] std::optional<ShownData> shownData(const Layer& layer, const Tractogram& tracts);

/// The component of the data that a layer shows: its time point, or its component.
[[nodiscard]] std::int64_t shownComponent(const Layer& layer, const AttachedData& data);

/// The window in force: the layer's own, else the 2nd and 98th percentile; of data with both signs as wide to either
/// side.
[[nodiscard]] Window effectiveWindow(const Layer& layer, const AttachedData& data, const ArrayBlock& arrays);

/// World bounds of what a shape draws; nothing of values alone, or where no point is finite.
[[nodiscard]] std::optional<Bounds> worldBounds(const Content& shape);

/// Crosshair in the middle; views axial, coronal, sagittal and 3d.
[[nodiscard]] Scene defaultShapeScene(const Source& source, const Content& shape);

/// `ordinal`: how many shapes there are already; each starts with another colour.
[[nodiscard]] Layer defaultShapeLayer(const Source& source, const Content& shape, std::size_t ordinal);

/// Of the values that a layer shows, those to be painted on a mesh: of the same name, for as many vertices, and not of
/// another structure. nullptr if there are none.
[[nodiscard]] const AttachedData* dataFor(const Layer& layer, const Surface& values, const SurfaceInfo& mesh);

/// Why the values of a layer are not seen on any surface of the scene; empty if they are, or if it has no values alone.
[[nodiscard]] std::string whyNotPainted(const Scene& scene, const Layer& layer,
                                        const std::map<std::string, std::shared_ptr<const Content>>& shapes);

}  // namespace nora
