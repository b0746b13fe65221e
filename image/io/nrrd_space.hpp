// Where an NRRD image lies in RAS millimetres.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/io/nrrd_axes.hpp"
#include "image/io/nrrd_header.hpp"

#include <string>

namespace nora {

/// RAS from the axes of a space: signs, as no space of NRRD turns.
struct NrrdSpace {
  Vec3 signs{-1, -1, 1};
  bool anatomical = true;  // the space has a meaning in the body; else LPS is a guess, as ITK guesses
};

/// By the field "space" (long and short names, with time too).
[[nodiscard]] NrrdSpace nrrdSpace(const NrrdHeader& header);

/// Sets worldFromVoxel, affineSource and timeStepSeconds; adds warnings.
///
/// Space:  directions and origin in RAS, LAS, LPS; scanner-xyz is the scanner's LPS (the patient's for head first,
///         supine); spaces without a meaning in the body are read as LPS with a warning, as ITK reads them.
/// Before: spacings and axis mins (NRRD0001 to 0003) have no orientation: LPS without a rotation, as ITK reads them,
///         and a warning.
/// Units:  "space units" other than millimetres are converted.
/// Errors: invalidInput (an axis of space without a direction, directions that span no volume).
[[nodiscard]] Result<void> placeNrrd(const NrrdHeader& header, const std::string& name, NrrdLayout& layout);

}  // namespace nora
