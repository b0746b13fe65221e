#include "image/io/dicom_item.hpp"

#include "image/io/dicom_text.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

namespace nora {
namespace {

constexpr std::uint32_t undefinedLength = 0xFFFFFFFF;
constexpr std::uint32_t itemTag = 0xFFFEE000;
constexpr std::uint32_t itemEndTag = 0xFFFEE00D;
constexpr std::uint32_t sequenceEndTag = 0xFFFEE0DD;
constexpr std::size_t maxDepth = 64;  // as dicomLayout

struct Encoding {
  bool explicitVr;
  bool bigEndian;
};

std::uint64_t loadNumber(std::span<const std::byte> bytes, std::size_t at, std::size_t count, bool bigEndian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + (bigEndian ? i : count - 1 - i)]);
  }
  return value;
}

bool isOneOf(std::string_view vr, std::string_view list) {
  for (std::size_t at = 0; at < list.size(); at += 3) {
    if (list.substr(at, 2) == vr) return true;
  }
  return false;
}

constexpr std::string_view longVrs = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
constexpr std::string_view textVrs = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT";

struct Head {
  std::uint32_t tag = 0, length = 0;
  std::array<char, 2> vr{};
  std::size_t value = 0;
};

/// The element that starts at `at`; empty if its head does not fit.
std::optional<Head> headAt(std::span<const std::byte> bytes, std::size_t at, Encoding e) {
  if (at > bytes.size() || bytes.size() - at < 8) return std::nullopt;
  Head head;
  head.tag = static_cast<std::uint32_t>(loadNumber(bytes, at, 2, e.bigEndian) << 16 |
                                        loadNumber(bytes, at + 2, 2, e.bigEndian));
  head.value = at + 8;
  if (!e.explicitVr || head.tag >> 16 == 0xFFFE) {
    head.length = static_cast<std::uint32_t>(loadNumber(bytes, at + 4, 4, e.bigEndian));
    return head;
  }
  head.vr = {static_cast<char>(bytes[at + 4]), static_cast<char>(bytes[at + 5])};
  if (!isOneOf({head.vr.data(), 2}, longVrs)) {
    head.length = static_cast<std::uint32_t>(loadNumber(bytes, at + 6, 2, e.bigEndian));
    return head;
  }
  if (bytes.size() - at < 12) return std::nullopt;
  head.length = static_cast<std::uint32_t>(loadNumber(bytes, at + 8, 4, e.bigEndian));
  head.value = at + 12;
  return head;
}

/// Where a value of undefined length that starts at `at` ends (in front of its end mark), and what follows it.
struct End {
  std::size_t value = 0, next = 0;
};
std::optional<End> endOf(std::span<const std::byte> bytes, std::size_t at, Encoding e, bool sequence) {
  struct Level {
    bool sequence;
    Encoding encoding;
  };
  std::vector<Level> levels{{sequence, e}};
  while (const auto head = headAt(bytes, at, levels.back().encoding)) {
    if (head->tag == itemEndTag || head->tag == sequenceEndTag) {
      levels.pop_back();
      if (levels.empty()) return End{at, head->value};
      at = head->value;
      continue;
    }
    if (head->length != undefinedLength) {
      if (head->length > bytes.size() - head->value) return std::nullopt;
      at = head->value + head->length;
      continue;
    }
    if (levels.size() > maxDepth) return std::nullopt;
    const bool unknown = head->vr == std::array<char, 2>{'U', 'N'};  // PS3.5 6.2.2: implicit little endian inside
    levels.push_back({!levels.back().sequence, unknown ? Encoding{false, false} : levels.back().encoding});
    at = head->value;
  }
  return std::nullopt;
}

struct Known {
  std::uint32_t tag;
  char vr[3];
};

/// Representations of the elements that are no text, for implicit data sets and elements of VR UN. Source: PS3.6.
constexpr Known binaryElements[] = {
    {0x00186012, "US"}, {0x00186024, "US"}, {0x00186026, "US"}, {0x0018602C, "FD"}, {0x0018602E, "FD"},
    {0x00189082, "FD"}, {0x00189087, "FD"}, {0x00189089, "FD"}, {0x00209057, "UL"}, {0x00209128, "UL"},
    {0x00209153, "FD"}, {0x00209156, "US"}, {0x00209157, "UL"}, {0x00209165, "AT"}, {0x00209301, "FD"},
    {0x00209302, "FD"}, {0x0020930D, "FD"}, {0x00280002, "US"}, {0x00280006, "US"}, {0x00280010, "US"},
    {0x00280011, "US"}, {0x00280100, "US"}, {0x00280101, "US"}, {0x00280102, "US"}, {0x00280103, "US"},
    {0x00281101, "US"}, {0x00281102, "US"}, {0x00281103, "US"}, {0x00283002, "US"}, {0x00480001, "FL"},
    {0x00480002, "FL"}, {0x00480006, "UL"}, {0x00480007, "UL"}, {0x0048021E, "SL"}, {0x0048021F, "SL"},
    {0x00620004, "US"}, {0x0062000B, "US"}, {0x0062000D, "US"}, {0x0062000E, "US"}, {0x00280106, "US"},
    {0x00540080, "US"}, {0x00540081, "US"}, {0x00480302, "UL"}, {0x00480303, "UL"}, {0x00280107, "US"},
    {0x00280008, "IS"}, {0x00280120, "US"}, {0x00280121, "US"}, {0x00280122, "FL"}, {0x00280123, "FD"}};

std::size_t widthOf(std::string_view vr) {
  if (isOneOf(vr, "US SS OW")) return 2;
  if (isOneOf(vr, "UL SL FL OL OF AT")) return 4;
  if (isOneOf(vr, "FD OD UV SV OV")) return 8;
  return 0;
}

std::optional<double> binaryNumber(std::span<const std::byte> bytes, std::size_t at, std::string_view vr, bool big) {
  const std::size_t width = widthOf(vr);
  const std::uint64_t bits = loadNumber(bytes, at, width, big);
  double value = static_cast<double>(bits);
  if (vr == "SS") value = static_cast<std::int16_t>(bits);
  if (vr == "SL") value = static_cast<std::int32_t>(bits);
  if (vr == "SV") value = static_cast<double>(static_cast<std::int64_t>(bits));
  if (isOneOf(vr, "FL OF")) value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  if (isOneOf(vr, "FD OD")) value = std::bit_cast<double>(bits);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string_view withoutPadding(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

}  // namespace

DicomItem::DicomItem(const DicomLayout& layout) : DicomItem(layout.header(), layout.explicitVr, layout.bigEndian) {}

DicomItem::DicomItem(std::span<const std::byte> bytes, bool explicitVr, bool bigEndian)
    : bytes_(bytes), explicitVr_(explicitVr), bigEndian_(bigEndian) {
  index();
}

void DicomItem::index() {
  const Encoding encoding{explicitVr_, bigEndian_};
  std::size_t at = 0;
  while (const auto head = headAt(bytes_, at, encoding)) {
    Element e{head->tag, head->vr, head->value, head->length, false};
    std::size_t next = 0;
    if (head->length == undefinedLength) {
      e.implicitInside = e.vr == std::array<char, 2>{'U', 'N'};
      const auto end = endOf(bytes_, head->value, e.implicitInside ? Encoding{false, false} : encoding, true);
      if (!end) return;
      e.size = end->value - e.value;
      next = end->next;
    } else {
      if (head->length > bytes_.size() - head->value) return;
      next = head->value + head->length;
    }
    if (head->tag >> 16 != 0xFFFE) elements_.push_back(e);
    at = next;
  }
}

const DicomItem::Element* DicomItem::find(std::uint32_t tag) const {
  const auto found = std::find_if(elements_.begin(), elements_.end(), [&](const Element& e) { return e.tag == tag; });
  return found == elements_.end() ? nullptr : &*found;
}

std::string_view DicomItem::vrOf(const Element& element) const {
  const std::string_view stated(element.vr.data(), 2);
  if (element.vr[0] != '\0' && stated != "UN") return stated;
  const auto known = std::find_if(std::begin(binaryElements), std::end(binaryElements),
                                  [&](const Known& k) { return k.tag == element.tag; });
  if (known != std::end(binaryElements)) return {known->vr, 2};
  return element.tag >> 16 & 1 ? std::string_view() : std::string_view("LO");
}

std::string_view DicomItem::raw(std::uint32_t tag) const {
  const Element* e = find(tag);
  if (e == nullptr) return {};
  const std::string_view vr = vrOf(*e);
  if (!vr.empty() && !isOneOf(vr, textVrs)) return {};
  return withoutPadding({reinterpret_cast<const char*>(bytes_.data()) + e->value, e->size});
}

std::string DicomItem::text(std::uint32_t tag) const {
  return cleanedText(raw(tag));
}

std::optional<double> DicomItem::number(std::uint32_t tag, std::size_t index) const {
  const auto all = numbers(tag, index + 1);
  return index < all.size() ? std::optional(all[index]) : std::nullopt;
}

std::vector<double> DicomItem::numbers(std::uint32_t tag, std::size_t most, std::string_view unknownVr) const {
  std::vector<double> values;
  const Element* e = find(tag);
  if (e == nullptr) return values;
  std::string_view vr = vrOf(*e);
  if (vr.empty()) vr = unknownVr;
  if (const std::size_t width = widthOf(vr); width > 0) {
    for (std::size_t at = 0; at + width <= e->size && values.size() < most; at += width) {
      const auto value = binaryNumber(bytes_, e->value + at, vr, bigEndian_);
      if (!value) break;
      values.push_back(*value);
    }
    return values;
  }
  if (!vr.empty() && !isOneOf(vr, textVrs)) return values;
  std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + e->value, e->size);
  while (values.size() < most) {
    const std::size_t end = text.find('\\');
    const auto value = numberOfText(text.substr(0, end));
    if (!value) break;
    values.push_back(*value);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return values;
}

std::int64_t DicomItem::integer(std::uint32_t tag, std::int64_t fallback, std::int64_t low, std::int64_t high) const {
  const auto value = number(tag);
  if (!value || !(*value >= static_cast<double>(low) && *value <= static_cast<double>(high))) return fallback;
  return static_cast<std::int64_t>(*value);
}

std::uint32_t DicomItem::tagValue(std::uint32_t tag) const {
  const Element* e = find(tag);
  if (e == nullptr || e->size < 4) return 0;
  return static_cast<std::uint32_t>(loadNumber(bytes_, e->value, 2, bigEndian_) << 16 |
                                    loadNumber(bytes_, e->value + 2, 2, bigEndian_));
}

std::span<const std::byte> DicomItem::bytes(std::uint32_t tag) const {
  const Element* e = find(tag);
  return e == nullptr ? std::span<const std::byte>() : bytes_.subspan(e->value, e->size);
}

std::vector<std::uint16_t> DicomItem::words(std::uint32_t tag) const {
  const auto value = bytes(tag);
  std::vector<std::uint16_t> words(value.size() / 2);
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<std::uint16_t>(loadNumber(value, i * 2, 2, bigEndian_));
  }
  return words;
}

std::vector<DicomItem> DicomItem::items(std::uint32_t tag, std::size_t most) const {
  std::vector<DicomItem> items;
  const Element* e = find(tag);
  if (e == nullptr) return items;
  const auto value = bytes_.subspan(e->value, e->size);
  const Encoding encoding = e->implicitInside ? Encoding{false, false} : Encoding{explicitVr_, bigEndian_};
  std::size_t at = 0;
  while (items.size() < most) {
    const auto head = headAt(value, at, encoding);
    if (!head || head->tag != itemTag) break;
    std::size_t size = head->length;
    if (head->length == undefinedLength) {
      const auto end = endOf(value, head->value, encoding, false);
      if (!end) break;
      size = end->value - head->value;
      at = end->next;
    } else {
      if (size > value.size() - head->value) break;
      at = head->value + size;
    }
    items.push_back(DicomItem(value.subspan(head->value, size), encoding.explicitVr, encoding.bigEndian));
  }
  return items;
}

DicomItem DicomItem::first(std::uint32_t tag) const {
  auto found = items(tag, 1);
  return found.empty() ? DicomItem() : std::move(found.front());
}

std::uint32_t DicomItem::privateTag(std::uint16_t group, std::string_view creator, std::uint8_t element) const {
  for (const Element& e : elements_) {
    const std::uint32_t block = e.tag & 0xFFFF;
    if (e.tag >> 16 != group || block < 0x10 || block > 0xFF) continue;
    const std::string_view name(reinterpret_cast<const char*>(bytes_.data()) + e.value, e.size);
    if (!name.starts_with(creator)) continue;
    const std::uint32_t tag = static_cast<std::uint32_t>(group) << 16 | block << 8 | element;
    if (has(tag)) return tag;
  }
  return 0;
}

}  // namespace nora
