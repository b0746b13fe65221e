// H.264 as the page gets it: decoded again by libavcodec and compared.
#include "streaming/encoder/encoder.hpp"

#include "support.hpp"

#include <cmath>
#include <memory>
#include <random>

#include <gtest/gtest.h>

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace nora {
namespace {

using test::makePicture;

/// Decodes access units one by one; each must come out at once.
class Decoder {
 public:
  Decoder() {
    context_.reset(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264)));
    context_->thread_count = 1;
    context_->flags |= AV_CODEC_FLAG_LOW_DELAY;
    EXPECT_EQ(avcodec_open2(context_.get(), nullptr, nullptr), 0);
  }
  /// Nothing if it does not come out.
  const AVFrame* decode(const std::vector<std::byte>& unit) {
    auto bytes = unit;
    bytes.resize(unit.size() + AV_INPUT_BUFFER_PADDING_SIZE);
    AVPacket* packet = av_packet_alloc();
    packet->data = reinterpret_cast<std::uint8_t*>(bytes.data());
    packet->size = static_cast<int>(unit.size());
    const bool sent = avcodec_send_packet(context_.get(), packet) == 0;
    av_packet_free(&packet);
    return sent && avcodec_receive_frame(context_.get(), frame_.get()) == 0 ? frame_.get() : nullptr;
  }
  [[nodiscard]] const AVCodecContext& context() const { return *context_; }

 private:
  struct Free {
    void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
    void operator()(AVFrame* f) const { av_frame_free(&f); }
  };
  std::unique_ptr<AVCodecContext, Free> context_;
  std::unique_ptr<AVFrame, Free> frame_{av_frame_alloc()};
};

/// Red, green and blue of a full-range BT.601 pixel.
std::array<double, 3> colourAt(const AVFrame& frame, int x, int y) {
  const double luma = frame.data[0][y * frame.linesize[0] + x];
  const double cb = frame.data[1][(y / 2) * frame.linesize[1] + x / 2] - 128.0;
  const double cr = frame.data[2][(y / 2) * frame.linesize[2] + x / 2] - 128.0;
  return {luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb};
}

Frame greyRamp(int width, int height) {
  Frame frame;
  frame.resize(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      auto* p = &frame.rgba[(static_cast<std::size_t>(y) * width + x) * 4];
      p[0] = p[1] = p[2] = static_cast<std::uint8_t>(x * 255 / std::max(1, width - 1));
      p[3] = 255;
    }
  }
  return frame;
}

class VideoEncoder : public testing::Test {
 protected:
  void SetUp() override {
    auto made = makeEncoder(Codec::h264);
    ASSERT_TRUE(made) << describe(made.error());
    encoder = std::move(*made);
  }
  std::vector<std::byte> encode(const Frame& frame, const EncodeSettings& settings = {}) {
    std::vector<std::byte> out;
    const auto encoded = encoder->encode(frame, settings, out);
    EXPECT_TRUE(encoded) << describe(encoded.error());
    wasKey = encoded && encoded->key;
    return out;
  }
  std::unique_ptr<Encoder> encoder;
  bool wasKey = false;
};

TEST_F(VideoEncoder, EveryPictureComesOutAtOnceAndLooksLikeWhatWentIn) {
  Decoder decoder;
  for (int i = 0; i < 10; ++i) {
    Frame frame = greyRamp(320, 200);
    frame.rgba[static_cast<std::size_t>(i) * 4] = 255;
    const AVFrame* decoded = decoder.decode(encode(frame, {.quality = 100}));
    ASSERT_NE(decoded, nullptr) << "picture " << i << " was held back";
    EXPECT_EQ(wasKey, i == 0);
    EXPECT_EQ(decoded->width, 320);
    for (const int x : {0, 1, 80, 160, 240, 318, 319}) {
      const auto colour = colourAt(*decoded, x, 100);
      const double wanted = frame.rgba[(100U * 320 + static_cast<std::size_t>(x)) * 4];
      for (const double c : colour) EXPECT_NEAR(c, wanted, 3) << "at " << x;
    }
  }
  EXPECT_EQ(decoder.context().color_range, AVCOL_RANGE_JPEG);
  EXPECT_EQ(decoder.context().colorspace, AVCOL_SPC_SMPTE170M);
  EXPECT_EQ(decoder.context().has_b_frames, 0) << "a decoder would wait for pictures to be put in order";
}

TEST_F(VideoEncoder, ColoursStayWhatTheyAre) {
  Frame frame;
  frame.resize(96, 32);
  const std::array<std::array<std::uint8_t, 3>, 6> colours{
      {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}, {0, 0, 0}, {200, 120, 40}}};
  for (std::size_t i = 0; i < frame.rgba.size() / 4; ++i) {
    const auto& colour = colours[(i % 96) / 16];
    for (std::size_t c = 0; c < 3; ++c) frame.rgba[i * 4 + c] = colour[c];
    frame.rgba[i * 4 + 3] = 255;
  }
  Decoder decoder;
  const AVFrame* decoded = decoder.decode(encode(frame, {.quality = 100}));
  ASSERT_NE(decoded, nullptr);
  for (std::size_t n = 0; n < colours.size(); ++n) {
    const auto seen = colourAt(*decoded, static_cast<int>(n * 16 + 8), 16);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(seen[c], colours[n][c], 6) << "colour " << n;
  }
}

TEST_F(VideoEncoder, AKeyPictureIsMadeOnRequestAndWhereTheSizeChanges) {
  encode(makePicture(320, 200));
  EXPECT_TRUE(wasKey);
  encode(makePicture(320, 200));
  EXPECT_FALSE(wasKey);
  const auto key = encode(makePicture(320, 200), {.key = true});
  EXPECT_TRUE(wasKey);
  EXPECT_NE(Decoder().decode(key), nullptr) << "by itself";
  encode(makePicture(640, 360));
  EXPECT_TRUE(wasKey);
}

TEST_F(VideoEncoder, OddSizesAreOneLarger) {
  for (const auto& [w, h] : {std::pair{1, 1}, {333, 217}, {64, 33}, {2, 1}}) {
    Decoder decoder;
    const Frame frame = greyRamp(w, h);
    const AVFrame* decoded = decoder.decode(encode(frame, {.quality = 100}));
    ASSERT_NE(decoded, nullptr) << w << 'x' << h;
    EXPECT_EQ(decoded->width, (w + 1) / 2 * 2);
    EXPECT_EQ(decoded->height, (h + 1) / 2 * 2);
    EXPECT_NEAR(decoded->data[0][(h - 1) * decoded->linesize[0] + w - 1], frame.rgba[frame.rgba.size() - 2], 4);
  }
}

TEST_F(VideoEncoder, PicturesKeepToTheLimitOfBytesWhichMayChangeWithoutAKey) {
  std::mt19937 random(7);
  Frame frame = makePicture(640, 360);
  const auto noisy = [&] {
    for (auto& byte : frame.rgba) byte = static_cast<std::uint8_t>(random());
    return frame;
  };
  encode(noisy(), {.bytesPerFrame = 40'000});
  std::size_t generous = 0, tight = 0;
  for (int i = 0; i < 6; ++i) generous += encode(noisy(), {.bytesPerFrame = 40'000}).size();
  for (int i = 0; i < 6; ++i) {
    tight += encode(noisy(), {.bytesPerFrame = 8'000}).size();
    EXPECT_FALSE(wasKey);
  }
  EXPECT_LT(tight, generous / 2);
  EXPECT_LT(generous / 6, 60'000U);
}

TEST_F(VideoEncoder, LowerQualityIsSmaller) {
  const auto sizeAt = [&](int quality) {
    encoder = makeEncoder(Codec::h264).value();
    return encode(makePicture(640, 360), {.quality = quality}).size();
  };
  EXPECT_GT(sizeAt(100), sizeAt(80));
  EXPECT_GT(sizeAt(80), sizeAt(20));
}

TEST_F(VideoEncoder, BadPicturesAreErrorsAndTheStreamGoesOn) {
  std::vector<std::byte> out;
  EXPECT_FALSE(encoder->encode(Frame{}, {}, out));
  Frame odd = makePicture(16, 16);
  odd.rgba.resize(17);
  EXPECT_FALSE(encoder->encode(odd, {}, out));
  EXPECT_FALSE(encoder->encode(makePicture(16, 16), {.quality = 0}, out));
  Frame wide;
  wide.resize(16384, 2);
  EXPECT_FALSE(encoder->encode(wide, {}, out));
  EXPECT_TRUE(out.empty());
  EXPECT_FALSE(encode(makePicture(16, 16)).empty());
}

TEST_F(VideoEncoder, AnySizesAndSettingsInAnyOrder) {
  std::mt19937 random(3);
  for (int i = 0; i < 60; ++i) {
    const int w = 1 + static_cast<int>(random() % 200), h = 1 + static_cast<int>(random() % 200);
    const EncodeSettings settings{
        .quality = 1 + static_cast<int>(random() % 100),
        .bytesPerFrame = static_cast<std::int64_t>(random() % 3 == 0 ? 0 : random() % 100'000),
        .key = random() % 4 == 0};
    for (int n = 0; n < 3; ++n) EXPECT_FALSE(encode(makePicture(w, h), settings).empty());
  }
}

TEST(AvailableCodecs, HaveWhatEveryClientHas) {
  const auto& codecs = availableCodecs();
  for (const Codec codec : {Codec::jpeg, Codec::png, Codec::webp}) {
    EXPECT_NE(std::find(codecs.begin(), codecs.end(), codec), codecs.end());
  }
  EXPECT_EQ(&codecs, &availableCodecs());
}

}  // namespace
}  // namespace nora
