// What nora shows of all that DICOM can be: kinds of objects and transfer syntaxes.
#pragma once

#include "image/io/dicom_header.hpp"

#include <optional>

namespace nora {

/// Why an instance cannot be shown; empty if it can. Source: DICOM PS3.4 B.5 (SOP classes), PS3.6 A (transfer
/// syntaxes).
[[nodiscard]] std::optional<Error> dicomRefusal(const DicomHeader& header);

/// A segmentation or a structure set: one image by itself, drawn over another.
[[nodiscard]] bool isDicomOverlay(const DicomHeader& header);

}  // namespace nora
