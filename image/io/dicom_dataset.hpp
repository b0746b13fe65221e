// The adapter to DCMTK: elements of one data set as plain values, and compressed frames decoded.
#pragma once

#include "base/error.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

/// One parsed data set. Values are copied out of the file's bytes; the layout is needed only while parsing.
/// Thread: one at a time. No exception of DCMTK leaves it.
class DicomDataset {
 public:
  DicomDataset(DicomDataset&&) noexcept;
  DicomDataset& operator=(DicomDataset&&) noexcept;
  ~DicomDataset();

  /// Loads dictionary, codecs and character sets, so that later no file has to be opened. Once in a process.
  static void prepare();

  enum class Part { header, all };
  /// Errors: invalidInput (DCMTK's reason), limitExceeded.
  [[nodiscard]] static Result<DicomDataset> parse(const DicomLayout& layout, Part part, const std::string& name);

  [[nodiscard]] DicomHeader header() const;
  /// As the data set states it; not checked yet.
  [[nodiscard]] DicomPixelFormat pixelFormat() const;

  /// Decodes the only frame of encapsulated pixel data (of a data set parsed as a whole), in native byte order.
  /// `format` is changed to what the decoder made: colour model, planes. Errors: unsupported, invalidInput.
  [[nodiscard]] Result<std::vector<std::byte>> decodeFrame(DicomPixelFormat& format);

 private:
  struct Parsed;
  explicit DicomDataset(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace nora
