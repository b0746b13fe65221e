// What the key/value pairs of an NRRD file say: diffusion gradients, the labels of a segmentation, further fields.
#pragma once

#include "image/io/nrrd_axes.hpp"
#include "image/io/nrrd_header.hpp"

namespace nora {

/// Sets diffusion, labels, description, unit, modality and fields of the layout's info; adds warnings.
///
/// Diffusion: DWMRI_b-value belongs to the longest of DWMRI_gradient_NNNN; the others have b * (|g| / |longest|)^2.
///            Directions go through the measurement frame into the space of the file and from there to RAS.
///            DWMRI_NEX_NNNN = n: the gradient stands for n images. Source: NA-MIC wiki, "NAMIC Wiki: DTI:Nrrd format".
/// Labels:    SegmentN_Name, _LabelValue, _Color, _Layer of 3D Slicer.
void applyNrrdKeys(const NrrdHeader& header, NrrdLayout& layout);

}  // namespace nora
