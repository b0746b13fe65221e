// Look-up tables of a data set: palettes, modality and VOI LUT.
#pragma once

#include "image/io/dicom_item.hpp"
#include "image/io/dicom_pixels.hpp"

#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Fills format.palette; it stays empty if a table is missing or damaged. Source: DICOM PS3.3 C.7.6.3.1.5, C.7.9.2.
void readPalette(const DicomItem& dataset, DicomPixelFormat& format);

/// The first item of the modality LUT sequence. Source: DICOM PS3.3 C.11.1.
[[nodiscard]] std::optional<DicomTable> modalityTable(const DicomItem& dataset, bool signedPixels);

/// A VOI LUT as a window: the range of values that it maps. Source: DICOM PS3.3 C.11.2.
struct VoiRange {
  std::string name;
  double low = 0, high = 0;
};
[[nodiscard]] std::vector<VoiRange> voiTableRanges(const DicomItem& dataset, bool signedValues);

}  // namespace nora
