#include "image/io/dicom_seg_pixels.hpp"

#include "image/io/dicom_item.hpp"
#include "image/io/dicom_tags.hpp"

#include <cstring>

namespace nora {
namespace {

constexpr std::size_t bitsAWord = 64;
constexpr std::int64_t maxFrames = 2147483647;

DicomPixelFormat formatOf(const DicomLayout& layout, const DicomItem& item) {
  DicomPixelFormat format;
  format.rows = item.integer(tag::rows, 0, 0, 65535);
  format.columns = item.integer(tag::columns, 0, 0, 65535);
  format.samples = item.integer(tag::samplesPerPixel, 1, 0, 65535);
  format.bitsAllocated = static_cast<int>(item.integer(tag::bitsAllocated, 0, 0, 65535));
  format.bitsStored = static_cast<int>(item.integer(tag::bitsStored, format.bitsAllocated, 0, 65535));
  format.highBit = static_cast<int>(item.integer(tag::highBit, format.bitsStored - 1, 0, 65535));
  format.bigEndian = layout.bigEndian;
  format.words = layout.pixels && layout.pixels->words;
  format.photometric = "MONOCHROME2";  // the stored values are wanted, also of a palette
  return format;
}

}  // namespace

Result<SegPixels> SegPixels::open(const DicomLayout& layout, const std::string& name) {
  SegPixels pixels;
  const DicomItem item(layout);
  pixels.layout_ = &layout;
  pixels.name_ = name;
  pixels.format_ = formatOf(layout, item);
  pixels.frames_ = static_cast<std::size_t>(item.integer(tag::numberOfFrames, 1, 0, maxFrames));
  if (auto r = pixels.check(); !r) return tl::make_unexpected(r.error());
  return pixels;
}

Result<void> SegPixels::check() {
  const auto invalid = [&](const std::string& what) { return fail(ErrorCode::invalidInput, what, name_); };
  if (!layout_->pixels) return invalid("the segmentation has no pixel data");
  if (format_.rows < 1 || format_.columns < 1 || frames_ < 1) return invalid("the segmentation has no pixels");
  if (format_.samples != 1) return invalid("a segmentation of more than one sample a pixel");
  if (format_.bitsAllocated == 1) {
    format_.bitsStored = 1;
    format_.highBit = 0;
  } else if (auto r = checkPixelFormat(format_, name_); !r) {
    return r;
  }
  if (format_.bitsAllocated > 16) return invalid("a segmentation of more than 16 bits a pixel");
  const auto& pixels = *layout_->pixels;
  if (pixels.encapsulated) {
    return fail(ErrorCode::unsupported, "a compressed segmentation is not read yet", name_);
  }
  bytes_ = layout_->dataset.subspan(pixels.value, pixels.size);
  std::size_t bits = 0;
  if (__builtin_mul_overflow(frames_, format_.pixelCount() * static_cast<std::size_t>(format_.bitsAllocated), &bits) ||
      bits / 8 + (bits % 8 != 0 ? 1 : 0) > bytes_.size()) {
    return invalid("the pixel data is cut off: " + std::to_string(bytes_.size()) + " bytes are there, " +
                   std::to_string(frames_) + " frames need more");
  }
  return {};
}

/// 64 bits from bit number `bit` of the pixel data, the first lowest; zero behind the end. DICOM PS3.5 8.1.1, D.
std::uint64_t SegPixels::bitsFrom(std::size_t bit) const {
  const std::size_t at = bit / 8, shift = bit % 8;
  const bool swapped = format_.bigEndian && format_.words;  // bytes of words
  const auto byteAt = [&](std::size_t i) -> std::uint64_t {
    i = swapped ? i ^ 1 : i;
    return i < bytes_.size() ? std::to_integer<std::uint64_t>(bytes_[i]) : 0;
  };
  std::uint64_t low = 0;
  if (!swapped && at + sizeof low <= bytes_.size()) {
    std::memcpy(&low, bytes_.data() + at, sizeof low);
  } else {
    for (std::size_t i = 0; i < sizeof low; ++i) low |= byteAt(at + i) << (8 * i);
  }
  return shift == 0 ? low : low >> shift | byteAt(at + sizeof low) << (bitsAWord - shift);
}

Result<std::span<const std::byte>> SegPixels::stored(std::size_t frame) const {
  const std::size_t size = format_.pixelCount() * static_cast<std::size_t>(format_.bitsAllocated / 8);
  return bytes_.subspan(frame * size, size);
}

Result<void> SegPixels::addBits(std::size_t frame, SegmentMask::Words& words) const {
  const std::size_t count = format_.pixelCount();
  if (format_.bitsAllocated == 1) {
    const std::size_t start = frame * count;
    for (std::size_t w = 0; w < words.size(); ++w) {
      std::uint64_t bits = bitsFrom(start + w * bitsAWord);
      const std::size_t left = count - w * bitsAWord;
      if (left < bitsAWord) bits &= (std::uint64_t{1} << left) - 1;
      words[w] |= bits;
    }
    return {};
  }
  const auto width = static_cast<std::size_t>(format_.bitsAllocated / 8);
  std::vector<std::byte> values(count * width);
  if (auto r = read(frame, values); !r) return r;
  for (std::size_t i = 0; i < count; ++i) {
    bool set = false;
    for (std::size_t b = 0; b < width; ++b) set = set || values[i * width + b] != std::byte{0};
    if (set) words[i / bitsAWord] |= std::uint64_t{1} << (i % bitsAWord);
  }
  return {};
}

Result<void> SegPixels::read(std::size_t frame, std::span<std::byte> target) const {
  if (format_.bitsAllocated == 1) {
    const std::size_t start = frame * format_.pixelCount();
    for (std::size_t i = 0; i < target.size(); ++i) {
      target[i] = static_cast<std::byte>(bitsFrom(start + i) & 1);
    }
    return {};
  }
  const auto bytes = stored(frame);
  if (!bytes) return tl::make_unexpected(bytes.error());
  convertPixels(format_, *bytes, target);
  return {};
}

}  // namespace nora
