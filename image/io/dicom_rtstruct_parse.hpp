// The content of a structure set, from its data set.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_item.hpp"
#include "image/io/dicom_rtstruct_contours.hpp"

#include <string>

namespace nora {

/// Errors: limitExceeded (more than 10000 ROIs).
[[nodiscard]] Result<RtStructureSet> parseStructureSet(const DicomItem& root, const std::string& name);

/// What the structure set is called.
[[nodiscard]] std::string rtLabel(const DicomItem& root);

/// The series that the contours were drawn on; empty if none is named.
[[nodiscard]] std::string rtSourceSeriesUid(const DicomItem& root);

}  // namespace nora
