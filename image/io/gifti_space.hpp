// Where the points of a GIFTI surface lie in the world.
#pragma once

#include "image/affine.hpp"
#include "image/io/gifti_xml.hpp"
#include "image/surface.hpp"

namespace nora {

/// Decides the space of the points, says it in `info` (space, fields, warnings), and gives what brings them to RAS mm.
///
/// A DataSpace that is a world (scanner, Talairach, MNI, aligned) is left as it is. A matrix that leads to the scanner
/// is applied. FreeSurfer's mris_convert writes tkRAS points and the volume's geometry as meta data ("VolGeom..."):
/// they are brought to the scanner as for FreeSurfer's own files, unless Workbench moved the points since (its
/// provenance says so, the geometry then is stale). A matrix to Talairach is not applied: the subject's images are not
/// there.
[[nodiscard]] Affine worldFromGifti(const GiftiXml& xml, const GiftiArray& points, SurfaceInfo& info);

}  // namespace nora
