// One DICOM data set as the plain values that grouping and reading need. Text is converted by DCMTK's character sets.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_item.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace nora {

/// Texts of a data set, in its character set.
class DicomCharacters {
 public:
  /// As SpecificCharacterSet has it; empty: ASCII. Texts of one that is not known are read as UTF-8.
  explicit DicomCharacters(const std::string& specificCharacterSet);
  DicomCharacters(DicomCharacters&&) noexcept;
  DicomCharacters& operator=(DicomCharacters&&) noexcept;
  ~DicomCharacters();

  /// UTF-8, safe to show. `delimiters`: where code extensions end, "\\^=" in names of persons.
  [[nodiscard]] std::string utf8(std::string_view raw, const char* delimiters = "\\") const;

 private:
  struct Converter;
  std::unique_ptr<Converter> converter_;
};

/// One data set; valid while its layout lives. Thread: one at a time. No exception of DCMTK leaves it.
class DicomDataset {
 public:
  /// Loads dictionary, codecs and character sets, so that later no file has to be opened. Once in a process.
  static void prepare();

  DicomDataset(const DicomLayout& layout, std::string name);

  [[nodiscard]] const DicomItem& root() const { return root_; }
  [[nodiscard]] const DicomLayout& layout() const { return *layout_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// With the place of each frame where it has several, and with the reason where the object cannot be shown.
  [[nodiscard]] DicomHeader header() const;
  /// As the data set states it; not checked yet. Rows and columns are those that are stored (all tiles of a mosaic).
  [[nodiscard]] DicomPixelFormat pixelFormat() const;

 private:
  const DicomLayout* layout_;
  std::string name_;
  DicomItem root_;
};

/// Where the frames of the object lie, by functional groups, mosaic tiles or vectors of offsets: fills rows, columns,
/// frames, kinds and places, pixel spacing and frame time, and `unsupported` where they cannot be found out.
/// Source: DICOM PS3.3 C.7.6.16 (functional groups), C.8.4.15 (NM), C.8.8.3 (dose), C.8.12.4 (microscopy).
void placeFrames(const DicomDataset& dataset, DicomHeader& header);

}  // namespace nora
