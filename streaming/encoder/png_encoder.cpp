// PNG by libpng: the lossless still, and the pictures of the command line.
#include "streaming/encoder/encoder_parts.hpp"

#include <csetjmp>
#include <cstring>

#include <png.h>
#include <zlib.h>

namespace nora {
namespace {

// Of the filters and strategies of zlib level 1 this pair is the fastest on slices (9 to 10 ms for 1280 x 720; without
// a filter 16 ms) and packs best (0.27 MB; SUB 0.62 MB).
constexpr int compressionLevel = 1;
constexpr int chosenFilter = PNG_FILTER_UP;
constexpr std::size_t outputBuffer = std::size_t{256} << 10;

void writeBytes(png_structp png, png_bytep data, png_size_t length) {
  auto& out = *static_cast<std::vector<std::byte>*>(png_get_io_ptr(png));
  const auto* from = reinterpret_cast<const std::byte*>(data);
  try {
    out.insert(out.end(), from, from + length);
  } catch (...) {
    png_error(png, "out of memory");
  }
}

void ignoreFlush(png_structp) {}
[[noreturn]] void onError(png_structp png, png_const_charp) {
  png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}

/// Only plain values live here: libpng leaves by longjmp.
bool writePng(png_structp png, png_infop info, const Frame& frame, std::vector<std::byte>& out) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_write_fn(png, &out, writeBytes, ignoreFlush);
  png_set_IHDR(png, info, static_cast<png_uint_32>(frame.width), static_cast<png_uint_32>(frame.height), 8,
               PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, compressionLevel);
  png_set_compression_strategy(png, Z_RLE);
  png_set_compression_buffer_size(png, outputBuffer);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, chosenFilter);
  png_write_info(png, info);
  png_set_filler(png, 0, PNG_FILLER_AFTER);  // drops the fourth byte of every pixel
  const std::size_t stride = static_cast<std::size_t>(frame.width) * 4;
  for (int y = 0; y < frame.height; ++y) png_write_row(png, frame.rgba.data() + static_cast<std::size_t>(y) * stride);
  png_write_end(png, info);
  return true;
}

class PngEncoder : public Encoder {
 public:
  Codec codec() const override { return Codec::png; }

  Result<EncodedPicture> encode(const Frame& frame, const EncodeSettings&, std::vector<std::byte>& out) override {
    if (auto ok = checkFrame(frame); !ok) return tl::make_unexpected(ok.error());
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, onError, onWarning);
    if (png == nullptr) return fail(ErrorCode::internal, "cannot start the PNG encoder");
    png_infop info = png_create_info_struct(png);
    const std::size_t start = out.size();
    const bool written = info != nullptr && writePng(png, info, frame, out);
    png_destroy_write_struct(&png, &info);
    if (written) return EncodedPicture{};
    out.resize(start);
    return fail(ErrorCode::internal, "the PNG encoder failed");
  }
};

}  // namespace

std::unique_ptr<Encoder> makePngEncoder() {
  return std::make_unique<PngEncoder>();
}

Result<std::vector<std::byte>> encodePng(const Frame& frame) {
  std::vector<std::byte> out;
  if (auto ok = PngEncoder().encode(frame, {}, out); !ok) return tl::make_unexpected(ok.error());
  return out;
}

std::uint64_t fnv1a64(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

}  // namespace nora
