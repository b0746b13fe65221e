#include "image/io/dicom_seg_pixels.hpp"

#include "image/io/dicom_item.hpp"
#include "image/io/dicom_tags.hpp"

#include <cstring>
#include <utility>
#include <vector>

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

/// 64 pixels of one bit from number `pixel` of a frame on, the first lowest; zero behind the end. DICOM PS3.5 8.1.1, D.
std::uint64_t bitsFrom(const DicomStoredFrame& frame, std::size_t pixel) {
  const std::size_t bit = frame.firstBit + pixel, at = bit / 8, shift = bit % 8;
  const bool swapped = frame.format.bigEndian && frame.format.words;  // bytes of words
  const auto byteAt = [&](std::size_t i) -> std::uint64_t {
    i = swapped ? i ^ 1 : i;
    return i < frame.bytes.size() ? std::to_integer<std::uint64_t>(frame.bytes[i]) : 0;
  };
  std::uint64_t low = 0;
  if (!swapped && at + sizeof low <= frame.bytes.size()) {
    std::memcpy(&low, frame.bytes.data() + at, sizeof low);
  } else {
    for (std::size_t i = 0; i < sizeof low; ++i) low |= byteAt(at + i) << (8 * i);
  }
  return shift == 0 ? low : low >> shift | byteAt(at + sizeof low) << (bitsAWord - shift);
}

void addPackedBits(const DicomStoredFrame& frame, std::size_t count, SegmentMask::Words& words) {
  for (std::size_t w = 0; w < words.size(); ++w) {
    std::uint64_t bits = bitsFrom(frame, w * bitsAWord);
    const std::size_t left = count - w * bitsAWord;
    if (left < bitsAWord) bits &= (std::uint64_t{1} << left) - 1;
    words[w] |= bits;
  }
}

}  // namespace

SegPixels::SegPixels(DicomPixelFormat format, std::size_t frames, DicomStoredFrames stored, std::string name)
    : format_(std::move(format)), frames_(frames), stored_(std::move(stored)), name_(std::move(name)) {}

Result<SegPixels> SegPixels::open(const DicomLayout& layout, const std::string& name) {
  const auto invalid = [&](const std::string& what) { return fail(ErrorCode::invalidInput, what, name); };
  if (!layout.pixels) return invalid("the segmentation has no pixel data");
  const DicomItem item(layout);
  DicomPixelFormat format = formatOf(layout, item);
  const auto frames = static_cast<std::size_t>(item.integer(tag::numberOfFrames, 1, 0, maxFrames));
  if (format.rows < 1 || format.columns < 1 || frames < 1) return invalid("the segmentation has no pixels");
  if (format.samples != 1) return invalid("a segmentation of more than one sample a pixel");
  if (format.bitsAllocated != 1 && format.bitsAllocated != 8 && format.bitsAllocated != 16) {
    return invalid("a segmentation of " + std::to_string(format.bitsAllocated) + " bits a pixel");
  }
  auto stored = DicomStoredFrames::open(layout, format, frames, name);
  if (!stored) return tl::make_unexpected(stored.error());
  return SegPixels(std::move(format), frames, std::move(*stored), name);
}

Result<void> SegPixels::addBits(std::size_t frame, SegmentMask::Words& words) {
  const std::size_t count = format_.pixelCount();
  if (format_.bitsAllocated == 1) {
    const auto stored = stored_.frame(frame);
    if (!stored) return tl::make_unexpected(stored.error());
    addPackedBits(*stored, count, words);
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

Result<void> SegPixels::read(std::size_t frame, std::span<std::byte> target) {
  const auto stored = stored_.frame(frame);
  if (!stored) return tl::make_unexpected(stored.error());
  if (format_.bitsAllocated == 1) {
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<std::byte>(bitsFrom(*stored, i) & 1);
    return {};
  }
  const DicomPixelFormat& format = stored->format;  // as the decoder made it
  if (format.bitsAllocated != format_.bitsAllocated || format.pixelCount() != format_.pixelCount() ||
      format.samples != 1) {
    return fail(ErrorCode::invalidInput, "a compressed frame is not of the size that is stated", name_);
  }
  convertPixels(format, stored->bytes, target);
  return {};
}

}  // namespace nora
