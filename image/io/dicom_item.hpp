// The elements of one data set or sequence item as plain values, straight from the file's bytes. Own parser because
// DCMTK copies every element: the functional groups of ten thousand frames took it seconds and hundreds of megabytes.
#pragma once

#include "image/io/dicom_layout.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// A view: valid while the DicomLayout that it came from lives. Cheap to copy by its number of elements.
/// Tags are 0xGGGGEEEE. Source: DICOM PS3.5 section 7; value representations of implicit data sets by PS3.6.
class DicomItem {
 public:
  DicomItem() = default;
  /// The outermost level, in front of the pixel data. The layout has been checked by dicomLayout.
  explicit DicomItem(const DicomLayout& layout);

  [[nodiscard]] bool has(std::uint32_t tag) const { return find(tag) != nullptr; }
  /// All values with their backslashes, as stored, without padding; of text elements only, else empty.
  [[nodiscard]] std::string_view raw(std::uint32_t tag) const;
  /// The same, safe to show: valid UTF-8 (other character sets: DicomDataset::header), no control characters.
  [[nodiscard]] std::string text(std::uint32_t tag) const;
  /// Value number `index` of a number, text (DS, IS) or binary; empty if it is not there or not finite.
  [[nodiscard]] std::optional<double> number(std::uint32_t tag, std::size_t index = 0) const;
  /// All numbers, at most `most`; stops in front of the first that is none. `unknownVr`: how to read a private element
  /// whose representation the file does not say.
  [[nodiscard]] std::vector<double> numbers(std::uint32_t tag, std::size_t most = 65536,
                                            std::string_view unknownVr = {}) const;
  /// Exactly the first N numbers, or empty.
  template <std::size_t N>
  [[nodiscard]] std::optional<std::array<double, N>> array(std::uint32_t tag) const {
    std::array<double, N> values{};
    const auto found = numbers(tag, N);
    if (found.size() < N) return std::nullopt;
    for (std::size_t i = 0; i < N; ++i) values[i] = found[i];
    return values;
  }
  /// A whole number between `low` and `high`, or `fallback`.
  [[nodiscard]] std::int64_t integer(std::uint32_t tag, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high) const;
  /// An attribute tag (AT) as 0xGGGGEEEE, or 0.
  [[nodiscard]] std::uint32_t tagValue(std::uint32_t tag) const;
  /// The value as stored.
  [[nodiscard]] std::span<const std::byte> bytes(std::uint32_t tag) const;
  /// 16-bit words of the value (OW, US, ...), in native byte order.
  [[nodiscard]] std::vector<std::uint16_t> words(std::uint32_t tag) const;
  /// Items of a sequence, at most `most`; empty if it is none.
  [[nodiscard]] std::vector<DicomItem> items(std::uint32_t tag, std::size_t most = 1'000'000) const;
  /// The first item of a sequence; an item without elements if there is none.
  [[nodiscard]] DicomItem first(std::uint32_t tag) const;

  /// The tag of a private element, by its group, the beginning of its creator's name and its last two digits:
  /// privateTag(0x0029, "SIEMENS CSA HEADER", 0x10) is 0x00291010 where that creator has block 10. 0: not there.
  [[nodiscard]] std::uint32_t privateTag(std::uint16_t group, std::string_view creator, std::uint8_t element) const;

  struct Element {
    std::uint32_t tag = 0;
    std::array<char, 2> vr{};  // zero where implicit
    std::size_t value = 0;     // offset in bytes_
    std::size_t size = 0;      // bytes of the value; of a sequence of undefined length without its end mark
    bool implicitInside = false;
  };
  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }

 private:
  DicomItem(std::span<const std::byte> bytes, bool explicitVr, bool bigEndian);
  void index();
  [[nodiscard]] const Element* find(std::uint32_t tag) const;
  [[nodiscard]] std::string_view vrOf(const Element& element) const;
  [[nodiscard]] std::optional<double> numberAt(const Element& element, std::string_view vr, std::size_t index) const;

  std::span<const std::byte> bytes_;
  bool explicitVr_ = true;
  bool bigEndian_ = false;
  std::vector<Element> elements_;
};

}  // namespace nora
