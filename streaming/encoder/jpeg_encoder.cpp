// JPEG by libjpeg-turbo: what moves.
#include "streaming/encoder/encoder_parts.hpp"

#include <memory>

#include <turbojpeg.h>

namespace nora {
namespace {

struct CloseHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

/// The quick transform is less exact than the qualities above allow.
constexpr int bestQuickQuality = 90;

class JpegEncoder : public Encoder {
 public:
  explicit JpegEncoder(tjhandle handle) : handle_(handle) {}

  Codec codec() const override { return Codec::jpeg; }

  Result<EncodedPicture> encode(const Frame& frame, const EncodeSettings& settings,
                                std::vector<std::byte>& out) override {
    if (auto ok = checkFrame(frame); !ok) return tl::make_unexpected(ok.error());
    if (settings.quality < 1 || settings.quality > 100)
      return fail(ErrorCode::invalidInput, "JPEG quality must be 1 to 100");
    const int sampling = settings.fullChroma ? TJSAMP_444 : TJSAMP_420;
    const unsigned long worst = tjBufSize(frame.width, frame.height, sampling);
    if (buffer_.size() < worst) buffer_.resize(worst);
    unsigned char* at = buffer_.data();
    unsigned long size = worst;
    const int transform = settings.quality > bestQuickQuality ? TJFLAG_ACCURATEDCT : TJFLAG_FASTDCT;
    const int status = tjCompress2(handle_.get(), frame.rgba.data(), frame.width, 0, frame.height, TJPF_RGBX, &at,
                                   &size, sampling, settings.quality, TJFLAG_NOREALLOC | transform);
    if (status != 0) return fail(ErrorCode::internal, std::string("JPEG: ") + tjGetErrorStr2(handle_.get()));
    const auto* bytes = reinterpret_cast<const std::byte*>(at);
    out.insert(out.end(), bytes, bytes + size);
    return EncodedPicture{};
  }

 private:
  std::unique_ptr<void, CloseHandle> handle_;
  std::vector<unsigned char> buffer_;  // of the worst case, kept from frame to frame
};

}  // namespace

Result<std::unique_ptr<Encoder>> makeJpegEncoder() {
  const tjhandle handle = tjInitCompress();
  if (handle == nullptr) return fail(ErrorCode::unavailable, "cannot start the JPEG encoder");
  return std::make_unique<JpegEncoder>(handle);
}

}  // namespace nora
