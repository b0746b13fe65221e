// Lossless WebP by libwebp: the still where bandwidth is dear.
#include "streaming/encoder/encoder_parts.hpp"

#include <webp/encode.h>

namespace nora {
namespace {

constexpr int largestSide = WEBP_MAX_DIMENSION;

int appendBytes(const std::uint8_t* data, std::size_t size, const WebPPicture* picture) {
  auto& out = *static_cast<std::vector<std::byte>*>(picture->custom_ptr);
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  try {
    out.insert(out.end(), bytes, bytes + size);
  } catch (...) {
    return 0;
  }
  return 1;
}

struct Picture {
  Picture() { ok = WebPPictureInit(&value) != 0; }
  ~Picture() { WebPPictureFree(&value); }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  WebPPicture value{};
  bool ok = false;
};

class WebpEncoder : public Encoder {
 public:
  Codec codec() const override { return Codec::webp; }

  Result<EncodedPicture> encode(const Frame& frame, const EncodeSettings&, std::vector<std::byte>& out) override {
    if (auto ok = checkFrame(frame); !ok) return tl::make_unexpected(ok.error());
    if (frame.width > largestSide || frame.height > largestSide) {
      return fail(ErrorCode::unavailable, "WebP pictures have at most 16383 pixels a side");
    }
    WebPConfig config;
    Picture picture;
    constexpr int fastest = 0;  // of 0..9; what follows packs a few percent better and takes twice the time
    if (!picture.ok || WebPConfigInit(&config) == 0 || WebPConfigLosslessPreset(&config, fastest) == 0)
      return fail(ErrorCode::internal, "cannot start the WebP encoder");
    picture.value.use_argb = 1;
    picture.value.width = frame.width;
    picture.value.height = frame.height;
    picture.value.writer = appendBytes;
    picture.value.custom_ptr = &out;
    const std::size_t start = out.size();
    if (WebPPictureImportRGBX(&picture.value, frame.rgba.data(), frame.width * 4) == 0 ||
        WebPEncode(&config, &picture.value) == 0) {
      out.resize(start);
      return fail(ErrorCode::internal, "WebP: error " + std::to_string(picture.value.error_code));
    }
    return EncodedPicture{};
  }
};

}  // namespace

std::unique_ptr<Encoder> makeWebpEncoder() {
  return std::make_unique<WebpEncoder>();
}

}  // namespace nora
