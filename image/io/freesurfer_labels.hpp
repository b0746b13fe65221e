// The built-in look-up table for FreeSurfer's aseg, aparc and wmparc volumes.
#pragma once

#include "image/label_table.hpp"

#include <string>

namespace nora {

/// By the file's name: aseg.mgz, aparc.a2009s+aseg.mgz, sub-1_desc-aparcaseg_dseg.nii.gz, wmparc.mgz.
[[nodiscard]] bool isFreeSurferSegmentation(const std::string& name);

/// Values, names and colours as in FreeSurfer's own table (version 7). Source: FsTutorial/AnatomicalROI.
[[nodiscard]] const LabelTable& freeSurferLabels();

}  // namespace nora
