// Sequences of a DICOM data set: items within items, as values that know nothing of DCMTK. For objects whose content is
// nested: functional groups, segments, contours.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// A data set or an item of a sequence. A tag is group << 16 | element.
/// Owner: the DicomDataset that it came from; it must outlive the item.
class DicomItem {
 public:
  /// Raw text in the data set's character set as UTF-8, made safe to show.
  using Localise = std::function<std::string(const std::string& raw)>;

  /// `item` is a DcmItem of DCMTK.
  DicomItem(void* item, const Localise& localise) : item_(item), localise_(&localise) {}

  [[nodiscard]] bool has(std::uint32_t tag) const;
  /// A text with all its values and the backslashes between; empty if absent. Codes, UIDs.
  [[nodiscard]] std::string text(std::uint32_t tag) const;
  /// The same for names and descriptions.
  [[nodiscard]] std::string localised(std::uint32_t tag) const;
  /// Value number `index`, written as text or binary.
  [[nodiscard]] std::optional<double> number(std::uint32_t tag, unsigned long index = 0) const;
  /// The same, if it is a whole number within 32 bits.
  [[nodiscard]] std::optional<std::int64_t> integer(std::uint32_t tag, unsigned long index = 0) const;
  /// All values; NaN for one that is no number.
  [[nodiscard]] std::vector<double> numbers(std::uint32_t tag) const;
  /// The items of a sequence; empty if there is none.
  [[nodiscard]] std::vector<DicomItem> items(std::uint32_t tag) const;
  /// The first item of a sequence.
  [[nodiscard]] std::optional<DicomItem> item(std::uint32_t tag) const;

 private:
  void* item_;
  const Localise* localise_;
};

}  // namespace nora
