// Whole time points that are lost from a series: what is there looks complete, but its times are wrong.
#pragma once

#include "image/io/dicom_header.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nora {

/// A warning, or nothing. `timePoints`: the instance of each time point at one place, in order. A number (temporal
/// position, acquisition, instance) or a time (trigger, acquisition) that grows by the same step and now and then by
/// twice or three times as much tells of a loss, unless `headers`, all slices of the series, have what is missing.
[[nodiscard]] std::string lostTimePoints(const std::vector<DicomHeader>& headers,
                                         std::span<const std::size_t> timePoints);

}  // namespace nora
