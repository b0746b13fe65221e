#include "image/io/dicom_layout.hpp"

#include "image/io/dicom_item.hpp"
#include "image/io/dicom_tags.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include <zlib.h>

namespace nora {
namespace {

constexpr std::size_t preambleBytes = 128;
constexpr std::size_t maxDepth = 64;            // of sequences; real files stay below 20
constexpr std::size_t maxElements = 1'000'000;  // in front of the pixel data
constexpr std::size_t maxInflatedHeader = std::size_t{64} << 20;
constexpr std::size_t firstInflated = std::size_t{256} << 10;  // most headers are smaller
constexpr std::uint32_t undefinedLength = 0xFFFFFFFF;
constexpr std::uint32_t itemTag = 0xFFFEE000;
constexpr std::uint32_t itemEndTag = 0xFFFEE00D;
constexpr std::uint32_t sequenceEndTag = 0xFFFEE0DD;
constexpr std::size_t noEnd = std::numeric_limits<std::size_t>::max();

struct Encoding {
  bool explicitVr = true;
  bool bigEndian = false;
};

struct Element {
  std::uint32_t tag = 0;
  std::array<char, 2> vr{};  // zero where implicit
  std::uint32_t length = 0;
  std::size_t value = 0;  // offset

  [[nodiscard]] bool is(std::string_view name) const { return std::string_view(vr.data(), 2) == name; }
};

std::uint32_t byteAt(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]);
}

std::uint32_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count, bool bigEndian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | byteAt(bytes, at + (bigEndian ? i : count - 1 - i));
  return value;
}

bool isUpper(std::uint32_t c) {
  return c >= 'A' && c <= 'Z';
}

bool hasLongLength(const Element& e) {
  static constexpr std::string_view names[] = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ",
                                               "SV", "UC", "UN", "UR", "UT", "UV"};
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view n) { return e.is(n); });
}

/// The element that starts at `at`; empty if its head does not fit.
std::optional<Element> elementAt(std::span<const std::byte> bytes, std::size_t at, Encoding encoding) {
  if (at > bytes.size() || bytes.size() - at < 8) return std::nullopt;
  Element e;
  e.tag = number(bytes, at, 2, encoding.bigEndian) << 16 | number(bytes, at + 2, 2, encoding.bigEndian);
  if (!encoding.explicitVr || e.tag >> 16 == 0xFFFE) {
    e.length = number(bytes, at + 4, 4, encoding.bigEndian);
    e.value = at + 8;
    return e;
  }
  e.vr = {static_cast<char>(bytes[at + 4]), static_cast<char>(bytes[at + 5])};
  if (!hasLongLength(e)) {
    e.length = number(bytes, at + 6, 2, encoding.bigEndian);
    e.value = at + 8;
    return e;
  }
  if (bytes.size() - at < 12) return std::nullopt;
  e.length = number(bytes, at + 8, 4, encoding.bigEndian);
  e.value = at + 12;
  return e;
}

bool isPixelData(std::uint32_t tag) {
  return tag == tag::pixelData || tag == tag::floatPixelData || tag == tag::doublePixelData;
}

/// Follows elements and nested items without recursion up to the pixel data of the outermost level.
class Walk {
 public:
  Walk(std::span<const std::byte> bytes, Encoding encoding, const std::string& name)
      : bytes_(bytes), name_(name), levels_{{bytes.size(), encoding, false}} {}

  Result<std::optional<DicomLayout::Pixels>> run() {
    for (std::size_t count = 0; count < maxElements; ++count) {
      leaveFinishedLevels();
      if (at_ >= bytes_.size() || (levels_.size() == 1 && bytes_.size() - at_ < 8)) return std::nullopt;
      const auto element = elementAt(bytes_, at_, levels_.back().encoding);
      if (!element) return broken();
      if (levels_.size() == 1 && isPixelData(element->tag)) return pixels(*element);
      if (auto r = step(*element); !r) return tl::make_unexpected(r.error());
    }
    return fail(ErrorCode::limitExceeded, "the DICOM file has more than a million elements", name_);
  }

 private:
  struct Level {
    std::size_t end;
    Encoding encoding;
    bool sequence;  // holds items; else holds elements
  };

  tl::unexpected<Error> broken() const {
    return fail(ErrorCode::invalidInput,
                "the DICOM file is cut off or damaged at byte " + std::to_string(at_) + "; copy it again", name_);
  }

  void leaveFinishedLevels() {
    while (levels_.size() > 1 && at_ >= levels_.back().end) levels_.pop_back();
  }

  Result<void> enter(const Element& e, Encoding encoding, bool sequence) {
    if (levels_.size() > maxDepth) {
      return fail(ErrorCode::invalidInput, "the DICOM file nests sequences too deeply", name_);
    }
    const std::size_t end = e.length == undefinedLength ? noEnd : e.value + e.length;
    at_ = e.value;
    levels_.push_back({end, encoding, sequence});
    return {};
  }

  Result<void> step(const Element& e) {
    const Level level = levels_.back();
    if (e.tag == itemEndTag || e.tag == sequenceEndTag) {
      if (levels_.size() > 1 && level.end == noEnd) levels_.pop_back();
      at_ = e.value;
      return {};
    }
    if (e.length != undefinedLength && e.length > bytes_.size() - e.value) return broken();
    if (level.sequence) {
      if (e.tag != itemTag) return broken();
      return enter(e, level.encoding, false);
    }
    if (startsSequence(e)) {
      Encoding encoding = level.encoding;
      if (e.is("UN")) encoding = {false, false};  // PS3.5 6.2.2: UN of undefined length is implicit little endian
      return enter(e, encoding, true);
    }
    if (e.length == undefinedLength) return broken();
    at_ = e.value + e.length;
    return {};
  }

  /// Implicit encoding does not say what is a sequence: the value that starts with an item is taken for one.
  bool startsSequence(const Element& e) const {
    const Encoding encoding = levels_.back().encoding;
    if (e.length == undefinedLength || e.is("SQ")) return true;
    if (encoding.explicitVr || e.length < 8) return false;
    const auto item = elementAt(bytes_, e.value, encoding);
    return item && item->tag == itemTag && (item->length == undefinedLength || item->length <= e.length - 8);
  }

  Result<std::optional<DicomLayout::Pixels>> pixels(const Element& e) {
    DicomLayout::Pixels p;
    p.element = at_;
    p.value = e.value;
    p.words = !e.is("OB");
    p.floatBytes = e.tag == tag::floatPixelData ? 4 : e.tag == tag::doublePixelData ? 8 : 0;
    p.encapsulated = e.length == undefinedLength;
    if (p.encapsulated) return encapsulated(p);
    p.claimed = e.length;
    p.size = std::min<std::size_t>(e.length, bytes_.size() - e.value);
    p.end = p.value + p.size;
    return p;
  }

  Result<std::optional<DicomLayout::Pixels>> encapsulated(DicomLayout::Pixels p) const {
    std::size_t at = p.value;
    while (const auto item = elementAt(bytes_, at, levels_.front().encoding)) {
      if (item->tag == sequenceEndTag) {
        p.end = item->value;
        p.size = p.claimed = at - p.value;
        return p;
      }
      if (item->tag != itemTag || item->length > bytes_.size() - item->value) break;
      at = item->value + item->length;
    }
    p.end = at;  // without its end mark: cut off
    p.size = at - p.value;
    p.claimed = p.size + 1;
    return p;
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::vector<Level> levels_;
  std::size_t at_ = 0;
};

bool hasPrefix(std::span<const std::byte> bytes) {
  return bytes.size() >= preambleBytes + 4 && std::memcmp(bytes.data() + preambleBytes, "DICM", 4) == 0;
}

/// Explicit or implicit, from the first element of a little endian data set.
bool looksExplicit(std::span<const std::byte> bytes, std::size_t at = 0) {
  return bytes.size() >= at + 6 && isUpper(byteAt(bytes, at + 4)) && isUpper(byteAt(bytes, at + 5));
}

std::string textOf(std::span<const std::byte> bytes, const Element& e) {
  std::string text(reinterpret_cast<const char*>(bytes.data()) + e.value, e.length);
  while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.pop_back();
  return text;
}

/// Reads group 2 (always explicit little endian; some old writers made it implicit); returns the offset behind it.
Result<std::size_t> readMeta(std::span<const std::byte> bytes, std::size_t at, DicomLayout& layout,
                             const std::string& name) {
  while (const auto e = elementAt(bytes, at, {looksExplicit(bytes, at), false})) {
    if (e->tag >> 16 != 0x0002) return at;
    if (e->length > bytes.size() - e->value) break;
    if (e->tag == 0x00020002) layout.mediaClassUid = textOf(bytes, *e);
    if (e->tag == 0x00020010) layout.transferSyntaxUid = textOf(bytes, *e);
    at = e->value + e->length;
  }
  return fail(ErrorCode::invalidInput, "the DICOM file is cut off within its meta header; copy it again", name);
}

/// A deflated data set, inflated step by step.
class Inflation {
 public:
  Inflation(std::span<const std::byte> input, const std::string& name) : input_(input), name_(name) {
    ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK;
  }
  ~Inflation() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  /// Goes on until `size` bytes are there, or the end.
  Result<void> until(std::size_t size) {
    if (!ready_) return fail(ErrorCode::internal, "zlib cannot start", name_);
    if (input_.size() < (size - 1) / maxDeflateRatio) size = input_.size() * maxDeflateRatio + maxDeflateRatio;
    std::size_t done = output_.size();
    output_.resize(std::max(size, done));
    int status = Z_OK;
    while (done < size && !ended_) {
      const std::size_t step = std::size_t{1} << 30;  // zlib counts by 32 bits
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input_.data())) + taken_;
      stream_.avail_in = static_cast<uInt>(std::min(input_.size() - taken_, step));
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data()) + done;
      stream_.avail_out = static_cast<uInt>(std::min(size - done, step));
      const auto in = stream_.avail_in, out = stream_.avail_out;
      status = inflate(&stream_, Z_NO_FLUSH);
      taken_ += in - stream_.avail_in;
      done += out - stream_.avail_out;
      ended_ = status != Z_OK;
    }
    output_.resize(done);
    if (status == Z_OK || status == Z_STREAM_END) return {};
    return fail(ErrorCode::invalidInput, "the deflated DICOM data set is cut off or damaged", name_);
  }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return output_; }
  std::vector<std::byte> take() { return std::move(output_); }
  void reserve(std::size_t size) { output_.reserve(size); }

 private:
  std::span<const std::byte> input_;
  const std::string& name_;
  z_stream stream_{};
  std::vector<std::byte> output_;
  std::size_t taken_ = 0;
  bool ready_ = false, ended_ = false;
};

/// Bytes that the pixels of a data set can need, by its rows, columns and frames.
std::size_t pixelBytesNeeded(const DicomLayout& layout) {
  const DicomItem item(layout);
  constexpr std::int64_t int32Max = std::numeric_limits<std::int32_t>::max();
  std::size_t bits = static_cast<std::size_t>(item.integer(tag::rows, 0, 0, 65535));
  const std::int64_t factors[] = {item.integer(tag::columns, 0, 0, 65535), item.integer(tag::samplesPerPixel, 1, 0, 4),
                                  item.integer(tag::bitsAllocated, layout.pixels->floatBytes * 8, 0, 64),
                                  item.integer(tag::numberOfFrames, 1, 0, int32Max)};
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(bits, static_cast<std::size_t>(factor), &bits)) return noEnd / 16;
  }
  return bits / 8 + 2;
}

Result<void> walk(DicomLayout& layout, const std::string& name) {
  auto pixels = Walk(layout.dataset, {layout.explicitVr, layout.bigEndian}, name).run();
  if (!pixels) return tl::make_unexpected(pixels.error());
  layout.pixels = *pixels;
  return {};
}

/// Inflates what is needed and no more: a few kilobytes may claim to be gigabytes.
Result<void> inflateDataset(DicomLayout& layout, const std::string& name, DicomExtent extent) {
  const std::size_t deflated = layout.dataset.size();
  Inflation inflation(layout.dataset, name);
  Result<void> walked;
  for (std::size_t size = firstInflated;; size *= 4) {
    const auto inflated = inflation.until(std::min(size, maxInflatedHeader));
    layout.dataset = inflation.bytes();
    layout.explicitVr = looksExplicit(layout.dataset);
    walked = walk(layout, name);
    if (walked && layout.pixels) break;
    if (!inflated) return inflated;
    if (inflation.ended()) break;
    if (size >= maxInflatedHeader) {
      return fail(ErrorCode::limitExceeded, "the deflated DICOM header is too large", name);
    }
  }
  if (!walked) return walked;
  if (layout.pixels && extent == DicomExtent::all) {
    const auto& p = *layout.pixels;
    const std::size_t size = std::min(p.encapsulated ? noEnd : p.claimed, pixelBytesNeeded(layout));
    if (size > p.size && !inflation.ended()) {
      if (size / maxDeflateRatio > deflated) {
        return fail(ErrorCode::invalidInput, "the deflated pixel data is cut off: it cannot hold all pixels", name);
      }
      inflation.reserve(p.value + size);
      if (auto r = inflation.until(p.value + size); !r) return r;
      layout.dataset = inflation.bytes();
      if (auto r = walk(layout, name); !r) return r;
    }
  }
  layout.inflated = inflation.take();
  layout.dataset = layout.inflated;
  return {};
}

}  // namespace

bool isRestOfDicom(std::span<const std::byte> bytes, std::string_view name) {
  return bytes.size() < preambleBytes + 4 && (name.ends_with(".dcm") || name.ends_with(".DCM"));
}

bool looksLikeDicom(std::span<const std::byte> bytes) {
  if (hasPrefix(bytes)) return true;
  constexpr int wanted = 3;  // ascending elements in a row
  const Encoding encoding{looksExplicit(bytes), false};
  std::size_t at = 0;
  std::uint32_t last = 0;
  for (int i = 0; i < wanted; ++i) {
    const auto e = elementAt(bytes, at, encoding);
    if (!e || e->length > bytes.size() - e->value) return false;
    const std::uint32_t group = e->tag >> 16;
    if (group != 0x0002 && group != 0x0008) return false;
    if (i > 0 && e->tag <= last) return false;
    if (encoding.explicitVr && (!isUpper(byteAt(bytes, at + 4)) || !isUpper(byteAt(bytes, at + 5)))) return false;
    last = e->tag;
    at = e->value + e->length;
  }
  return true;
}

Result<DicomLayout> dicomLayout(std::span<const std::byte> bytes, const std::string& name, DicomExtent extent) {
  if (!looksLikeDicom(bytes)) {
    const bool tooShort = bytes.size() < preambleBytes + 4;
    return fail(ErrorCode::invalidInput,
                tooShort ? "only " + std::to_string(bytes.size()) + " bytes, too few for DICOM: cut off; copy it again"
                         : std::string("not a DICOM file"),
                name);
  }
  DicomLayout layout;
  const auto start = readMeta(bytes, hasPrefix(bytes) ? preambleBytes + 4 : 0, layout, name);
  if (!start) return tl::make_unexpected(start.error());
  layout.dataset = bytes.subspan(*start);
  Result<void> read;
  if (layout.transferSyntaxUid == "1.2.840.10008.1.2.1.99") {
    read = inflateDataset(layout, name, extent);
  } else {
    layout.bigEndian = layout.transferSyntaxUid == "1.2.840.10008.1.2.2";
    // What the bytes say beats what the meta header says: both mistakes are found in real files.
    layout.explicitVr = layout.bigEndian || looksExplicit(layout.dataset);
    read = walk(layout, name);
  }
  if (!read) return tl::make_unexpected(read.error());
  if (layout.transferSyntaxUid.empty()) {
    layout.transferSyntaxUid = layout.explicitVr ? "1.2.840.10008.1.2.1" : "1.2.840.10008.1.2";
  }
  return layout;
}

}  // namespace nora
