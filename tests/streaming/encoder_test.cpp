#include "streaming/encoder/encoder.hpp"

#include "support.hpp"

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/decode.h>

namespace nora {
namespace {

using test::makePicture;

std::vector<std::uint8_t> decodePng(const std::vector<std::byte>& bytes, int& width, int& height, bool& alpha) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  alpha = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> out(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, out.data(), 0, nullptr));
  width = static_cast<int>(image.width);
  height = static_cast<int>(image.height);
  return out;
}

TEST(PngEncoder, DecodesToTheSamePixels) {
  for (const auto& [w, h] : {std::pair{1, 1}, {3, 2}, {257, 131}, {640, 360}}) {
    const Frame frame = makePicture(w, h);
    const auto png = encodePng(frame);
    ASSERT_TRUE(png);
    int width = 0, height = 0;
    bool alpha = true;
    EXPECT_EQ(decodePng(*png, width, height, alpha), frame.rgba);
    EXPECT_EQ(std::pair(width, height), std::pair(w, h));
    EXPECT_FALSE(alpha);
  }
}

TEST(PngEncoder, AppendsAndIsTheSameEveryTime) {
  const Frame frame = makePicture(64, 32);
  auto encoder = makeEncoder(Codec::png).value();
  std::vector<std::byte> out(5, std::byte{1});
  ASSERT_TRUE(encoder->encode(frame, {}, out));
  const auto alone = encodePng(frame).value();
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), out.begin() + 5, out.end()));
  EXPECT_FALSE(encodePng(Frame{}));
}

TEST(JpegEncoder, DecodesToNearlyTheSamePixels) {
  auto encoder = makeEncoder(Codec::jpeg).value();
  const auto decoder = tjInitDecompress();
  for (const auto& [w, h] :
       {std::pair{640, 360}, {33, 17}, {641, 361}, {1, 1}}) {  // shrinks and grows: the buffer is reused
    const Frame frame = makePicture(w, h);
    std::vector<std::byte> out;
    ASSERT_TRUE(encoder->encode(frame, {}, out));
    const auto* bytes = reinterpret_cast<const unsigned char*>(out.data());
    int width = 0, height = 0, subsampling = 0, colours = 0;
    ASSERT_EQ(tjDecompressHeader3(decoder, bytes, out.size(), &width, &height, &subsampling, &colours), 0);
    EXPECT_EQ(std::pair(width, height), std::pair(w, h));
    EXPECT_EQ(subsampling, TJSAMP_420);
    std::vector<std::uint8_t> rgba(frame.rgba.size());
    ASSERT_EQ(tjDecompress2(decoder, bytes, out.size(), rgba.data(), w, 0, h, TJPF_RGBA, 0), 0);
    double sum = 0;
    for (std::size_t i = 0; i < rgba.size(); ++i) sum += std::abs(int{rgba[i]} - int{frame.rgba[i]});
    EXPECT_LT(sum / static_cast<double>(rgba.size()), 3.0);
  }
  tjDestroy(decoder);
  std::vector<std::byte> out;
  EXPECT_FALSE(encoder->encode(Frame{}, {}, out));
  EXPECT_FALSE(encoder->encode(makePicture(8, 8), {.quality = 0}, out));
}

TEST(JpegEncoder, HasFullColourWhereItIsWanted) {
  auto encoder = makeEncoder(Codec::jpeg).value();
  const Frame frame = makePicture(64, 48);
  std::vector<std::byte> out;
  ASSERT_TRUE(encoder->encode(frame, {.quality = 95, .fullChroma = true}, out));
  const auto decoder = tjInitDecompress();
  int width = 0, height = 0, subsampling = 0, colours = 0;
  ASSERT_EQ(tjDecompressHeader3(decoder, reinterpret_cast<const unsigned char*>(out.data()), out.size(), &width,
                                &height, &subsampling, &colours),
            0);
  EXPECT_EQ(subsampling, TJSAMP_444);
  tjDestroy(decoder);
}

TEST(WebpEncoder, DecodesToTheSamePixels) {
  auto encoder = makeEncoder(Codec::webp).value();
  for (const auto& [w, h] : {std::pair{1, 1}, {3, 2}, {257, 131}, {640, 360}}) {
    const Frame frame = makePicture(w, h);
    std::vector<std::byte> out(3);
    ASSERT_TRUE(encoder->encode(frame, {}, out));
    int width = 0, height = 0;
    std::uint8_t* pixels =
        WebPDecodeRGBA(reinterpret_cast<const std::uint8_t*>(out.data()) + 3, out.size() - 3, &width, &height);
    ASSERT_NE(pixels, nullptr);
    EXPECT_EQ(std::pair(width, height), std::pair(w, h));
    EXPECT_TRUE(std::equal(frame.rgba.begin(), frame.rgba.end(), pixels));
    WebPFree(pixels);
  }
  std::vector<std::byte> out;
  EXPECT_FALSE(encoder->encode(Frame{}, {}, out));
  Frame wide;
  wide.resize(16384, 1);
  EXPECT_EQ(encoder->encode(wide, {}, out).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace nora
