#include "image/io/dicom_stored.hpp"

#include "image/io/dicom_jpeg.hpp"
#include "image/io/dicom_jpeg2000.hpp"
#include "image/io/dicom_rle.hpp"
#include "image/io/gzip.hpp"

#include <algorithm>
#include <new>

#include <libdeflate.h>

namespace nora {
namespace {

constexpr std::size_t maxFrameBytes = std::size_t{1} << 30;

/// Uncompressed pixels that claim YBR_FULL_422 but have all three samples are YBR_FULL.
void correctSubsampling(const DicomLayout::Pixels& pixels, std::size_t frames, DicomPixelFormat& format) {
  if (format.photometric != "YBR_FULL_422" || pixels.encapsulated) return;
  DicomPixelFormat full = format;
  full.photometric = "YBR_FULL";
  const auto wanted = storedBytes(full, frames);
  if (wanted && pixels.size >= *wanted) format = full;
}

bool isJpeg2000(const std::string& syntax) {
  return syntax == "1.2.840.10008.1.2.4.90" || syntax == "1.2.840.10008.1.2.4.91" ||
         syntax.starts_with("1.2.840.10008.1.2.4.20");
}

constexpr char deflatedFrames[] = "1.2.840.10008.1.2.8.1";

}  // namespace

DicomStoredFrames::DicomStoredFrames(const DicomLayout& layout, DicomPixelFormat format, std::string name)
    : layout_(&layout), format_(std::move(format)), name_(std::move(name)) {}

Result<DicomStoredFrames> DicomStoredFrames::open(const DicomLayout& layout, DicomPixelFormat format,
                                                  std::size_t frames, std::string name) {
  if (!layout.pixels) return fail(ErrorCode::unsupported, "no pixel data: not an image", name);
  const auto& pixels = *layout.pixels;
  DicomStoredFrames stored(layout, std::move(format), std::move(name));
  correctSubsampling(pixels, frames, stored.format_);
  if (pixels.encapsulated) {
    if (pixels.size != pixels.claimed) {
      return fail(ErrorCode::invalidInput, "the pixel data is cut off: its end is missing", stored.name_);
    }
    auto fragments = DicomFragments::of(layout, frames, stored.name_);
    if (!fragments) return tl::make_unexpected(fragments.error());
    stored.fragments_ = std::move(*fragments);
    return stored;
  }
  const DicomPixelFormat& f = stored.format_;
  if (auto r = checkPixelFormat(f, stored.name_); !r) return tl::make_unexpected(r.error());
  if (f.bigEndian && f.words && frames > 1 && f.bitsAllocated == 8 && f.pixelCount() % 2 != 0) {
    return fail(ErrorCode::unsupported, "big endian frames of an odd number of bytes are not read", stored.name_);
  }
  const auto wanted = storedBytes(stored.format_, frames);
  if (wanted && pixels.size >= *wanted) return stored;
  return fail(ErrorCode::invalidInput,
              "the pixel data is cut off: " + std::to_string(pixels.size) + " bytes are there, " +
                  (wanted ? std::to_string(*wanted) : "far more") + " are needed",
              stored.name_);
}

Result<DicomStoredFrame> DicomStoredFrames::frame(std::size_t number) {
  if (fragments_) return encapsulated(number);
  const auto value = layout_->dataset.subspan(layout_->pixels->value, layout_->pixels->size);
  // Frames follow each other without padding, of one bit a pixel even within a byte.
  const std::size_t frameBytes = storedFrameBytes(format_);
  DicomStoredFrame frame;
  frame.format = format_;
  if (format_.bitsAllocated == 1) {
    const std::size_t first = number * format_.pixelCount();
    frame.firstBit = first % 8;
    frame.bytes = value.subspan(first / 8);
    if (format_.bigEndian && format_.words) {  // whole words: bytes lie pairwise swapped
      frame.firstBit = first % 16;
      frame.bytes = value.subspan(first / 16 * 2);
    }
    return frame;
  }
  frame.bytes = value.subspan(number * frameBytes);
  return frame;
}

Result<DicomStoredFrame> DicomStoredFrames::encapsulated(std::size_t number) {
  DicomStoredFrame frame;
  frame.format = format_;
  try {
    if (auto r = decode(number, frame.format); !r) return tl::make_unexpected(r.error());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "the pixel data needs too much memory", name_);
  }
  if (auto r = checkPixelFormat(frame.format, name_); !r) return tl::make_unexpected(r.error());
  frame.bytes = decoded_;
  if (frame.bytes.size() < storedFrameBytes(frame.format)) {
    return fail(ErrorCode::invalidInput, "the decoded frame has too few bytes", name_);
  }
  return frame;
}

/// Each frame by itself is deflated, of any number of bits. Source: DICOM PS3.5 8.2.16 and A.4.13.
Result<void> DicomStoredFrames::inflateFrame(std::size_t number, const DicomPixelFormat& format) {
  const std::size_t size = storedFrameBytes(format);
  if (size == 0 || size > maxFrameBytes) return fail(ErrorCode::limitExceeded, "a frame of more than 1 GiB", name_);
  const auto deflated = fragments_->joinedFrame(number, joined_);
  if (size / maxDeflateRatio > deflated.size())
    return fail(ErrorCode::invalidInput, "a deflated frame is cut off", name_);
  decoded_.resize(size + 2);  // frames may have been padded to an even length
  libdeflate_decompressor* inflater = libdeflate_alloc_decompressor();
  if (inflater == nullptr) return fail(ErrorCode::limitExceeded, "no memory to inflate a frame", name_);
  std::size_t written = 0;
  const auto result =
      libdeflate_deflate_decompress(inflater, deflated.data(), deflated.size(), decoded_.data(), decoded_.size(), &written);
  libdeflate_free_decompressor(inflater);
  if (result == LIBDEFLATE_SUCCESS && written >= size) return {};
  return fail(ErrorCode::invalidInput, "a deflated frame is damaged", name_);
}

Result<void> DicomStoredFrames::decode(std::size_t number, DicomPixelFormat& format) {
  const auto unsupported = [&](const std::string& what) { return fail(ErrorCode::unsupported, what, name_); };
  const std::string& syntax = layout_->transferSyntaxUid;
  const int bits = format.bitsAllocated;
  if (syntax == deflatedFrames) return inflateFrame(number, format);
  if (bits != 8 && bits != 16 && bits != 32) {
    return unsupported("compressed pixels of " + std::to_string(bits) + " bits are not read");
  }
  if (format.samples < 1 || format.samples > 4) return unsupported("compressed pixels with that many samples");
  const std::size_t samples = format.pixelCount() * static_cast<std::size_t>(format.samples);
  const std::size_t size = samples * static_cast<std::size_t>(bits / 8);
  if (size == 0 || size > maxFrameBytes) return fail(ErrorCode::limitExceeded, "a frame of more than 1 GiB", name_);
  decoded_.resize(size + size % 2);
  const auto whole = std::span(decoded_).first(size);
  if (syntax == "1.2.840.10008.1.2.5") {
    format.planar = format.bigEndian = false;
    if (format.photometric == "YBR_FULL_422") format.photometric = "YBR_FULL";
    return decodeRle(fragments_->joinedFrame(number, joined_), static_cast<std::size_t>(format.samples),
                     static_cast<std::size_t>(bits / 8), whole, name_);
  }
  if (isJpeg2000(syntax)) return decodeJpeg2000(fragments_->joinedFrame(number, joined_), format, whole, name_);
  if (syntax == "1.2.840.10008.1.2.1.98") {  // encapsulated, not compressed
    const auto bytes = fragments_->joinedFrame(number, joined_);
    if (bytes.size() < storedFrameBytes(format)) return fail(ErrorCode::invalidInput, "a frame is cut off", name_);
    std::copy_n(bytes.begin(), std::min(bytes.size(), decoded_.size()), decoded_.begin());
    return {};
  }
  return decodeJpeg(fragments_->frame(number), syntax, format, decoded_, name_);
}

}  // namespace nora
