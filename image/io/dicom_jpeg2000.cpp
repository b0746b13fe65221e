#include "image/io/dicom_jpeg2000.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include <openjpeg.h>

namespace nora {
namespace {

// Pixels times colours: OpenJPEG takes 8 bytes for each while it decodes, 1 GiB for these.
constexpr std::int64_t mostSamples = std::int64_t{1} << 27;

struct Input {
  std::span<const std::byte> bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T readBytes(void* buffer, OPJ_SIZE_T size, void* user) {
  auto& input = *static_cast<Input*>(user);
  const std::size_t count = std::min<std::size_t>(size, input.bytes.size() - input.at);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(buffer, input.bytes.data() + input.at, count);
  input.at += count;
  return count;
}

OPJ_OFF_T skipBytes(OPJ_OFF_T size, void* user) {
  auto& input = *static_cast<Input*>(user);
  if (size < 0 || static_cast<std::size_t>(size) > input.bytes.size() - input.at) return -1;
  input.at += static_cast<std::size_t>(size);
  return size;
}

OPJ_BOOL seekBytes(OPJ_OFF_T offset, void* user) {
  auto& input = *static_cast<Input*>(user);
  if (offset < 0 || static_cast<std::size_t>(offset) > input.bytes.size()) return OPJ_FALSE;
  input.at = static_cast<std::size_t>(offset);
  return OPJ_TRUE;
}

struct FreeCodec {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct FreeStream {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct FreeImage {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};

bool isJp2File(std::span<const std::byte> bytes) {
  constexpr unsigned char signature[] = {0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20};
  return bytes.size() > sizeof signature && std::memcmp(bytes.data(), signature, sizeof signature) == 0;
}

template <class Sample>
void store(const opj_image_t& image, std::span<std::byte> target) {
  const std::size_t pixels = static_cast<std::size_t>(image.comps[0].w) * image.comps[0].h;
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const OPJ_INT32* from = image.comps[c].data;
    std::byte* to = target.data() + c * sizeof(Sample);
    for (std::size_t i = 0; i < pixels; ++i, to += image.numcomps * sizeof(Sample)) {
      const auto sample = static_cast<Sample>(from[i]);
      std::memcpy(to, &sample, sizeof sample);
    }
  }
}

}  // namespace

Result<void> decodeJpeg2000(std::span<const std::byte> codeStream, DicomPixelFormat& format,
                            std::span<std::byte> target, const std::string& name) {
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorCode::invalidInput, "the JPEG 2000 pixel data cannot be decoded: " + what, name);
  };
  if (format.rows * format.columns * format.samples > mostSamples) {
    return fail(ErrorCode::limitExceeded,
                "a JPEG 2000 frame of " + std::to_string(format.columns) + " x " + std::to_string(format.rows) +
                    " pixels is too large: at most " + std::to_string(mostSamples) + " values are unpacked at once",
                name);
  }
  Input input{codeStream};
  const std::unique_ptr<opj_codec_t, FreeCodec> codec(
      opj_create_decompress(isJp2File(codeStream) ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  const std::unique_ptr<opj_stream_t, FreeStream> stream(opj_stream_create(std::size_t{64} << 10, OPJ_TRUE));
  if (!codec || !stream) return fail(ErrorCode::limitExceeded, "the pixel data needs too much memory", name);
  opj_stream_set_user_data(stream.get(), &input, nullptr);
  opj_stream_set_user_data_length(stream.get(), codeStream.size());
  opj_stream_set_read_function(stream.get(), readBytes);
  opj_stream_set_skip_function(stream.get(), skipBytes);
  opj_stream_set_seek_function(stream.get(), seekBytes);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (!opj_setup_decoder(codec.get(), &parameters)) return damaged("no decoder");
  opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE);
  opj_image_t* raw = nullptr;
  const bool headRead = opj_read_header(stream.get(), codec.get(), &raw);
  const std::unique_ptr<opj_image_t, FreeImage> image(raw);
  if (!headRead || !image) return damaged("its header is wrong");
  if (image->x1 <= image->x0 || image->y1 <= image->y0 || image->x1 - image->x0 != format.columns ||
      image->y1 - image->y0 != format.rows || image->numcomps != format.samples) {
    return damaged("its size or number of colours is not that of the image");
  }
  for (OPJ_UINT32 c = 0; c < image->numcomps; ++c) {
    if (image->comps[c].dx != 1 || image->comps[c].dy != 1) {
      return fail(ErrorCode::unsupported, "JPEG 2000 with sub-sampled colours is not read", name);
    }
    if (static_cast<int>(image->comps[c].prec) > format.bitsAllocated) return damaged("more bits than the image has");
  }
  if (!opj_decode(codec.get(), stream.get(), image.get()) || !opj_end_decompress(codec.get(), stream.get())) {
    return damaged("it is cut off or damaged");
  }
  const std::size_t samples = static_cast<std::size_t>(format.rows * format.columns * format.samples);
  if (target.size() < samples * static_cast<std::size_t>(format.bitsAllocated / 8)) return damaged("it is too large");
  for (OPJ_UINT32 c = 0; c < image->numcomps; ++c) {
    const auto& comp = image->comps[c];
    if (comp.data == nullptr || comp.w != format.columns || comp.h != format.rows)
      return damaged("a colour is missing");
  }
  if (format.bitsAllocated == 8) store<std::uint8_t>(*image, target);
  if (format.bitsAllocated == 16) store<std::uint16_t>(*image, target);
  if (format.bitsAllocated == 32) store<std::uint32_t>(*image, target);
  if (format.photometric == "YBR_RCT" || format.photometric == "YBR_ICT") format.photometric = "RGB";
  format.planar = false;
  format.bigEndian = false;
  return {};
}

}  // namespace nora
