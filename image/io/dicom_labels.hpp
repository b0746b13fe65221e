// What tells the stacks of one DICOM series apart, and the names that say so.
#pragma once

#include "image/io/dicom_header.hpp"

#include <string>
#include <vector>

namespace nora {

/// Magnitude, phase, real or imaginary, from the third value of ImageType on; empty if it is not said.
[[nodiscard]] std::string componentOf(const DicomHeader& header);

/// What grouping needs of one frame, as if it were an instance of its own.
[[nodiscard]] DicomHeader headerOfFrame(const DicomHeader& header, std::size_t frame);

/// Names each stack of a series by what tells it from the others: "T1 (echo 2, 7.38 ms)", "Dixon (W)". No two names are
/// the same.
void labelStacks(const std::vector<DicomHeader>& headers, std::vector<DicomStack>& stacks);

}  // namespace nora
