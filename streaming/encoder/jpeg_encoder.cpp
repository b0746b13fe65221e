// JPEG by libjpeg-turbo: what moves.
#include "streaming/encoder/encoder.hpp"

#include <memory>

#include <turbojpeg.h>

namespace nora {
namespace {

struct CloseHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

class JpegEncoder : public Encoder {
 public:
  JpegEncoder(tjhandle handle, int quality) : handle_(handle), quality_(quality) {}

  Result<void> encode(const Frame& frame, std::vector<std::byte>& out) override {
    if (frame.width < 1 || frame.height < 1) return fail(ErrorCode::invalidInput, "a frame without pixels");
    const std::size_t start = out.size();
    const unsigned long worst = tjBufSize(frame.width, frame.height, TJSAMP_420);
    if (buffer_.size() < worst) buffer_.resize(worst);
    unsigned char* at = buffer_.data();
    unsigned long size = worst;
    const int status = tjCompress2(handle_.get(), frame.rgba.data(), frame.width, 0, frame.height, TJPF_RGBX, &at,
                                   &size, TJSAMP_420, quality_, TJFLAG_NOREALLOC | TJFLAG_FASTDCT);
    if (status != 0) return fail(ErrorCode::internal, std::string("JPEG: ") + tjGetErrorStr2(handle_.get()));
    out.resize(start + size);
    std::copy_n(reinterpret_cast<const std::byte*>(at), size, out.begin() + static_cast<std::ptrdiff_t>(start));
    return {};
  }

 private:
  std::unique_ptr<void, CloseHandle> handle_;
  int quality_;
  std::vector<unsigned char> buffer_;  // of the worst case, kept from frame to frame
};

}  // namespace

Result<std::unique_ptr<Encoder>> makeJpegEncoder(int quality) {
  if (quality < 1 || quality > 100) return fail(ErrorCode::invalidInput, "JPEG quality must be 1 to 100");
  const tjhandle handle = tjInitCompress();
  if (handle == nullptr) return fail(ErrorCode::internal, "cannot start the JPEG encoder");
  return std::make_unique<JpegEncoder>(handle, quality);
}

}  // namespace nora
