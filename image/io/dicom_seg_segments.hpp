// The segments that a DICOM segmentation names: labels, colours, codes.
#pragma once

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_item.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Source: DICOM PS3.3 C.8.20.2 and C.8.20.4.
struct Segment {
  std::int64_t number = 0;
  std::string label, description;
  std::string category, type, region;  // meanings of the codes; else their values
  std::string algorithm;               // "SEMIAUTOMATIC SlicerEditor"
  std::optional<std::array<std::uint8_t, 3>> colour;
};

/// Each number once, in the order of the file. At most 65536.
[[nodiscard]] std::vector<Segment> segmentsOf(const DicomItem& dataset, const DicomCharacters& characters);

/// "Liver, Tissue, SEMIAUTOMATIC SlicerEditor"
[[nodiscard]] std::string textOf(const Segment& segment);

/// The series that was segmented; empty if none is named. Of several the one with the most images.
[[nodiscard]] std::string segSourceSeriesUid(const DicomItem& dataset);

/// sRGB from CIELab as DICOM stores it (three 16-bit numbers; white point D50).
/// Source: DICOM PS3.3 C.10.7.1.1, ICC.1:2010 annex E (Bradford), IEC 61966-2-1.
[[nodiscard]] std::array<std::uint8_t, 3> srgbFromDicomLab(const std::array<std::uint16_t, 3>& lab);

}  // namespace nora
