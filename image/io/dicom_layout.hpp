// Where the parts of a DICOM file lie: meta header, data set, pixel data. The first look at untrusted bytes, before
// DCMTK sees them: lengths that leave the file and bottomless nesting end here.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Source: DICOM PS3.5 section 7 (encoding of elements), PS3.10 section 7 (file meta information).
struct DicomLayout {
  struct Pixels {
    std::size_t element = 0;  // offset of the element in `dataset`
    std::size_t value = 0;    // offset of its value
    std::size_t size = 0;     // bytes of the value that are there
    std::size_t claimed = 0;  // bytes that the element claims; equal to size unless the file is cut off
    std::size_t end = 0;      // offset behind the element
    bool encapsulated = false;
    bool words = false;  // VR OW: 16-bit words, which matters for big endian
    int floatBytes = 0;  // 4: Float Pixel Data, 8: Double Float Pixel Data; 0: integers
  };

  std::string transferSyntaxUid;  // as stated or, without a meta header, as guessed
  std::string mediaClassUid;      // MediaStorageSOPClassUID; empty without a meta header
  bool explicitVr = false;        // how the data set really is encoded
  bool bigEndian = false;
  std::span<const std::byte> dataset;  // from its first element; inflated if it was deflated
  std::optional<Pixels> pixels;        // (7FE0,0010), (7FE0,0008) or (7FE0,0009) of the outermost level
  std::vector<std::byte> inflated;     // owner of `dataset` where it was deflated

  /// The data set in front of the pixel data.
  [[nodiscard]] std::span<const std::byte> header() const { return pixels ? dataset.first(pixels->element) : dataset; }
  /// With the pixel data, without what trails behind it.
  [[nodiscard]] std::span<const std::byte> withPixels() const { return pixels ? dataset.first(pixels->end) : dataset; }
};

inline constexpr char dicomDirectoryClassUid[] = "1.2.840.10008.1.3.10";

/// True if the bytes have the DICOM prefix, or start without it with several plausible elements of group 2 or 8.
[[nodiscard]] bool looksLikeDicom(std::span<const std::byte> bytes);

/// True of a file named .dcm that is too short to hold the prefix: empty, or what is left of a broken copy.
[[nodiscard]] bool isRestOfDicom(std::span<const std::byte> bytes, std::string_view name);

/// How much of a deflated data set is inflated: what is in front of the pixel data, or all. Where `header` is asked
/// for, the pixels may say that fewer bytes are there than the file holds.
enum class DicomExtent { header, all };

/// A deflated data set is inflated only as far as its rows, columns and frames need.
/// Errors: invalidInput (not DICOM; an element leaves the file; nested too deeply), limitExceeded (too many elements;
/// a deflated header of more than 64 MiB). The spans point into `bytes`.
[[nodiscard]] Result<DicomLayout> dicomLayout(std::span<const std::byte> bytes, const std::string& name,
                                              DicomExtent extent = DicomExtent::all);

}  // namespace nora
