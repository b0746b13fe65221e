// Where the pixels of a view lie in the world. The renderers, the page (through the frame header) and tests share it.
#pragma once

#include "base/error.hpp"
#include "image/volume.hpp"
#include "render/scene/scene.hpp"

namespace nora {

/// An affine map from pixel to world: world = origin + right * x + down * y, pixel centres at x + 0.5, y + 0.5 (so that
/// (0, 0) is the top left corner of the picture). `forward` is the unit direction away from the viewer.
/// Slices: the picture lies in the plane through the crosshair. Volume views: orthographic rays start here and run both
/// ways.
struct ViewGeometry {
  Vec3 originMm{};
  Vec3 rightMm{};  // one pixel to the right
  Vec3 downMm{};   // one pixel down
  Vec3 forward{};

  friend bool operator==(const ViewGeometry&, const ViewGeometry&) = default;
};

/// World bounds (RAS mm) of the outer voxel faces of an image.
struct Bounds {
  Vec3 low{};
  Vec3 high{};
};
[[nodiscard]] Bounds worldBounds(const ImageInfo& info);

/// Radiological: the patient's right is at the left of axial and coronal pictures; neurological: mirrored.
/// Sagittal pictures have anterior at the left in radiological and neurological convention alike.
/// Axial pictures have anterior up; coronal and sagittal ones superior up.
/// At zoom 1 the background's bounds (or a 200 mm cube without one) fit the picture.
/// Errors: invalidInput (size < 1 or > 16384).
[[nodiscard]] Result<ViewGeometry> viewGeometry(const Scene& scene, const View& view,
                                                const std::optional<Bounds>& background, int width, int height);
[[nodiscard]] Result<ViewGeometry> viewGeometry(const Scene& scene, const View& view, const ImageInfo* background,
                                                int width, int height);

/// axial, coronal, sagittal and 3d.
[[nodiscard]] std::vector<View> usualViews();

/// A scene with one layer for an image and the views axial, coronal, sagittal and 3d; crosshair on the voxel in the
/// image's middle: the same place whatever the order in which the voxels are stored.
[[nodiscard]] Scene defaultScene(const Source& source, const ImageInfo& info);

/// The layer with which an image is added: background or overlay look (label maps nearest and "labels", signed maps
/// symmetric, statistics thresholded, ...), from its statistics, intent and name.
[[nodiscard]] Layer defaultLayer(const Source& source, const ImageInfo& info, bool asOverlay);

/// True of CT: by its modality or, where none is stated, by its values.
[[nodiscard]] bool isCt(const ImageInfo& info);

/// The window in force: the layer's own, else the file's proposal, else from the statistics.
struct Window {
  double low = 0;
  double high = 1;
};
[[nodiscard]] Window effectiveWindow(const Layer& layer, const ImageInfo& info);

/// The window within what the kernels, which calculate in single precision, can tell apart.
[[nodiscard]] Window heldWindow(const Window& window);

}  // namespace nora
