#include "image/io/dicom_items.hpp"

#include "image/io/dicom_text.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cmath>
#include <limits>

namespace nora {
namespace {

DcmTagKey keyOf(std::uint32_t tag) {
  return {static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xFFFF)};
}

DcmElement* elementOf(void* item, std::uint32_t tag) {
  DcmElement* element = nullptr;
  return static_cast<DcmItem*>(item)->findAndGetElement(keyOf(tag), element).good() ? element : nullptr;
}

std::string rawText(void* item, std::uint32_t tag) {
  DcmElement* element = elementOf(item, tag);
  OFString value;
  if (element == nullptr || element->getOFStringArray(value).bad()) return {};
  return {value.c_str(), value.length()};
}

}  // namespace

bool DicomItem::has(std::uint32_t tag) const {
  return elementOf(item_, tag) != nullptr;
}

std::string DicomItem::text(std::uint32_t tag) const {
  return cleanedText(rawText(item_, tag));
}

std::string DicomItem::localised(std::uint32_t tag) const {
  return (*localise_)(rawText(item_, tag));
}

std::optional<double> DicomItem::number(std::uint32_t tag, unsigned long index) const {
  DcmElement* element = elementOf(item_, tag);
  OFString value;
  if (element == nullptr || element->getOFString(value, index).bad()) return std::nullopt;
  return numberOfText({value.c_str(), value.length()});
}

std::optional<std::int64_t> DicomItem::integer(std::uint32_t tag, unsigned long index) const {
  const auto value = number(tag, index);
  constexpr double limit = std::numeric_limits<std::int32_t>::max();
  if (!value || std::abs(*value) > limit || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::vector<double> DicomItem::numbers(std::uint32_t tag) const {
  const std::string all = rawText(item_, tag);
  std::vector<double> values;
  std::size_t at = 0;
  while (!all.empty() && at != std::string::npos) {
    const std::size_t end = all.find('\\', at);
    const std::string_view one = std::string_view(all).substr(at, end == std::string::npos ? end : end - at);
    values.push_back(numberOfText(one).value_or(std::numeric_limits<double>::quiet_NaN()));
    at = end == std::string::npos ? end : end + 1;
  }
  return values;
}

std::vector<DicomItem> DicomItem::items(std::uint32_t tag) const {
  std::vector<DicomItem> found;
  auto* sequence = dynamic_cast<DcmSequenceOfItems*>(elementOf(item_, tag));
  if (sequence == nullptr || sequence->ident() == EVR_pixelSQ) return found;
  // By nextInContainer: DCMTK's getItem counts from the front each time.
  for (DcmObject* next = sequence->nextInContainer(nullptr); next != nullptr; next = sequence->nextInContainer(next)) {
    if (auto* item = dynamic_cast<DcmItem*>(next)) found.emplace_back(item, *localise_);
  }
  return found;
}

std::optional<DicomItem> DicomItem::item(std::uint32_t tag) const {
  auto* sequence = dynamic_cast<DcmSequenceOfItems*>(elementOf(item_, tag));
  if (sequence == nullptr || sequence->card() == 0) return std::nullopt;
  auto* first = dynamic_cast<DcmItem*>(sequence->nextInContainer(nullptr));
  return first == nullptr ? std::nullopt : std::optional(DicomItem(first, *localise_));
}

}  // namespace nora
