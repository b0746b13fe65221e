// Images of directions: in whose axes their components are, and how slices show them.
#pragma once

#include "image/volume.hpp"
#include "render/kernel/plan.hpp"
#include "render/scene/scene.hpp"
#include "render/scene/view_geometry.hpp"

namespace nora {

/// True for images of three components, or of one component and three time points (MRtrix stores vectors that way) that
/// are all there.
[[nodiscard]] bool holdsVectors(const Volume& volume);

/// Takes the stored components of a vector to RAS, without changing its length. By what wrote the file:
/// - FSL (NIfTI without a better hint): components lie along the stored axes, the first mirrored if the affine's
///   determinant is positive, as in bvecs files.
/// - MRtrix (MIF, or NIfTI whose description starts with "MRtrix"): RAS, whatever the affine.
/// - ITK, ANTs, DTI-TK (MetaImage; NIfTI with the intent "vector" or "displacement vector", NRRD whose space is
///   left-posterior-superior): left, posterior, superior.
/// - all others: RAS.
[[nodiscard]] Affine worldFromVector(const ImageInfo& info);

/// Fills what Look::direction and Look::sticks need beyond the grid.
void planVectors(const Volume& volume, std::int64_t time, VectorLook look, const ViewGeometry& geometry,
                 kernel::SliceLayer& out);

}  // namespace nora
