// Where a NIfTI image lies in RAS millimetres: sform, qform or pixdim, as nibabel chooses them.
#pragma once

#include "base/error.hpp"
#include "image/image_info.hpp"
#include "image/io/nifti_header.hpp"

#include <string>

namespace nora {

/// Sets worldFromVoxel and affineSource of `info`, whose dims are set already, and adds warnings.
///
/// Order:  sform if its code is 1 to 5 and it can be inverted; else qform if its code is 1 to 5; else pixdim, where we
///         follow nibabel (x flipped, the centre of the image at 0) and not "method 1" of nifti1.h, which has no
///         origin.
///         `preferQform` swaps the first two.
///         A qform that puts the image more than 0.01 mm elsewhere than the sform is kept in the field "qform" (or the
///         sform in the field "sform", where the qform is used).
/// Units:  metres and microns are turned into millimetres (nibabel does not); unknown units are taken as millimetres.
/// Errors: invalidInput (a quaternion far from a rotation, no transform that can be inverted).
/// Source: nifti1.h, "3D IMAGE (VOLUME) ORIENTATION AND LOCATION IN SPACE".
[[nodiscard]] Result<void> placeInSpace(const NiftiHeader& header, const std::string& name, bool preferQform,
                                        ImageInfo& info);

}  // namespace nora
