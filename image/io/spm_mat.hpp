// The .mat file that SPM99 and SPM2 write beside an Analyze image: where it lies, left and right included. An own
// parser, because two small matrices are all that is wanted of MATLAB's formats.
#pragma once

#include "image/affine.hpp"
#include "image/io/file_reader.hpp"

#include <string>
#include <vector>

namespace nora {

struct SpmPlace {
  Affine worldFromVoxel;              // RAS mm; voxels count from 0
  std::string variable;               // "mat" or "M"
  std::vector<std::string> warnings;  // several matrices in `mat`
};

/// True for the name of such a file.
[[nodiscard]] bool isSpmMatName(const std::string& name);

/// Reads `mat`, or else `M`: 4 x 4, from voxels that count from 1.
///
/// `mat` (SPM2): as it stands; of several, one a volume, the first.
/// `M` (SPM99): the image is stored with x to the left and M does not say so; its x is mirrored.
/// Formats: MATLAB level 4, either byte order; level 5, compressed or not.
/// Errors: invalidInput (no MATLAB file, cut, no such matrix, no transform); unsupported (MATLAB 7.3).
/// Source: MathWorks, "MAT-File Format"; spm_vol_ana and spm_get_space as nibabel's spm99analyze follows them.
[[nodiscard]] Result<SpmPlace> readSpmMat(const InputFile& file);

}  // namespace nora
