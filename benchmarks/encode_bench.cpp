// Encoders on a real picture, one thread. Peer of the JPEG: libjpeg-turbo as a plain caller uses it (4:4:4, accurate DCT).
#include "benchmarks/bench.hpp"
#include "benchmarks/phantom.hpp"
#include "render/renderer.hpp"
#include "streaming/encoder/encoder.hpp"

#include <cmath>

#include <turbojpeg.h>

namespace nora::bench {
namespace {

constexpr int quality = 80;

double psnr(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / sum);
}

std::vector<std::uint8_t> decode(const std::vector<std::byte>& jpeg, int width, int height) {
  std::vector<std::uint8_t> rgba(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  tjhandle handle = tjInitDecompress();
  const int failed = tjDecompress2(handle, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size(), rgba.data(),
                                   width, 0, height, TJPF_RGBA, 0);
  tjDestroy(handle);
  require(failed == 0, "the JPEG does not decode");
  return rgba;
}

}  // namespace

std::vector<Row> encodeRows() {
  const auto volume = phantomVolume(256);
  const Scene scene = defaultScene(Source{"phantom", ""}, volume->info());
  const LayerVolumes volumes{{scene.layers.front().id, volume}};
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  Frame frame;
  const RenderRequest request{&scene, "3d", 1280, 720, &volumes, 1};
  require((*renderer)->render(request, frame).has_value(), "picture");

  auto jpegEncoder = makeEncoder(Codec::jpeg);
  require(jpegEncoder.has_value(), "no JPEG encoder");
  const auto pngEncoder = makeEncoder(Codec::png);
  require(pngEncoder.has_value(), "no PNG encoder");
  std::vector<std::byte> jpeg;
  std::vector<std::byte> png;
  const auto ours = [&] {
    jpeg.clear();
    require((*jpegEncoder)->encode(frame, {.quality = quality}, jpeg).has_value(), "jpeg");
  };
  tjhandle plain = tjInitCompress();
  unsigned char* plainBytes = nullptr;
  unsigned long plainSize = 0;
  const auto peer = [&] {
    tjCompress2(plain, frame.rgba.data(), frame.width, 0, frame.height, TJPF_RGBX, &plainBytes, &plainSize, TJSAMP_444,
                quality, TJFLAG_ACCURATEDCT);
  };
  ours();
  require(psnr(decode(jpeg, frame.width, frame.height), frame.rgba) > 33, "the JPEG is far from the picture");
  const Paired times = timePaired(ours, peer, 31);
  tjFree(plainBytes);
  tjDestroy(plain);
  const double pngTime = timeMedian(
      [&] {
        png.clear();
        require((*pngEncoder)->encode(frame, {}, png).has_value(), "png");
      },
      15);
  return {{"Q12", "JPEG 1280x720, one core", times.ours, "ms", 4.0, true, "libjpeg-turbo 4:4:4, accurate DCT", times.peer},
          {"", "JPEG 1280x720, size", static_cast<double>(jpeg.size()) / 1024, "KiB", std::nullopt, true, "the same at 4:4:4",
           static_cast<double>(plainSize) / 1024},
          {"", "PNG (lossless still) 1280x720, one core", pngTime, "ms"}};
}

}  // namespace nora::bench
