// Video by libavcodec: NVENC where a session opens, x264 elsewhere. One picture in, one access unit out, at once.
#include "streaming/encoder/encoder_parts.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include <libyuv/convert_from_argb.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
}

namespace nora {
namespace {

constexpr int picturesPerSecond = 30;             // what rate control reckons with
constexpr std::int64_t unlimitedBytes = 1 << 20;  // of a picture
constexpr std::int64_t leastBytes = 1 << 10;
constexpr int largestSide = 8192;

struct FreeContext {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};

struct Setting {
  const char* name;
  const char* value;
};
/// A library encoder and how it is told to hold nothing back.
struct Kind {
  Codec codec;
  const char* name;
  std::span<const Setting> settings;
  const char* quality;  // its option for the constant rate factor
};

constexpr std::array<Setting, 3> x264Settings{{{"preset", "superfast"}, {"tune", "zerolatency"}, {"forced-idr", "1"}}};
constexpr std::array<Setting, 7> nvencSettings{{{"preset", "p2"},
                                                {"tune", "ull"},
                                                {"rc", "vbr"},
                                                {"zerolatency", "1"},
                                                {"delay", "0"},
                                                {"surfaces", "2"},
                                                {"forced-idr", "1"}}};
constexpr std::array<Kind, 4> kinds{{{Codec::h264, "h264_nvenc", nvencSettings, "cq"},
                                     {Codec::h264, "libx264", x264Settings, "crf"},
                                     {Codec::hevc, "hevc_nvenc", nvencSettings, "cq"},
                                     {Codec::av1, "av1_nvenc", nvencSettings, "cq"}}};

/// The library speaks of missing drivers and the like.
void logLine(void*, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string text(line.data());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  log::debug("video: " + printable(text));
}

double rateFactor(int quality) {
  return quality >= 80 ? 23 - (quality - 80) / 4.0 : 43 - (quality - 1) * 20 / 79.0;
}

std::string errorText(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

int even(int side) {
  return (side + 1) / 2 * 2;
}

class VideoEncoder : public Encoder {
 public:
  explicit VideoEncoder(const Kind& kind) : kind_(kind) {}

  Codec codec() const override { return kind_.codec; }
  Result<EncodedPicture> encode(const Frame& frame, const EncodeSettings& settings,
                                std::vector<std::byte>& out) override;

 private:
  Result<void> open(int width, int height);
  void setRate(const EncodeSettings& settings);
  [[nodiscard]] Result<void> take(const Frame& frame);
  [[nodiscard]] Result<EncodedPicture> receive(std::vector<std::byte>& out);
  void close();
  tl::unexpected<Error> failed(const char* what, int code);

  const Kind& kind_;
  std::unique_ptr<AVCodecContext, FreeContext> context_;
  std::unique_ptr<AVFrame, FreeFrame> picture_;
  std::unique_ptr<AVPacket, FreePacket> packet_;
  int width_ = 0, height_ = 0;  // of the frames; those of the stream are even
};

Result<EncodedPicture> VideoEncoder::encode(const Frame& frame, const EncodeSettings& settings,
                                            std::vector<std::byte>& out) {
  if (auto ok = checkFrame(frame); !ok) return tl::make_unexpected(ok.error());
  if (settings.quality < 1 || settings.quality > 100 || settings.bytesPerFrame < 0)
    return fail(ErrorCode::invalidInput, "video quality must be 1 to 100, and a limit not negative");
  if (frame.width > largestSide || frame.height > largestSide)
    return fail(ErrorCode::unavailable, "video pictures have at most 8192 pixels a side");
  const bool isAnother = !context_ || frame.width != width_ || frame.height != height_;
  if (isAnother) {
    close();
    width_ = frame.width;
    height_ = frame.height;
  }
  setRate(settings);
  if (isAnother) {
    if (auto ok = open(even(frame.width), even(frame.height)); !ok) {
      close();
      return tl::make_unexpected(ok.error());
    }
  }
  if (auto ok = take(frame); !ok) return tl::make_unexpected(ok.error());
  picture_->pict_type = settings.key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  ++picture_->pts;
  if (const int code = avcodec_send_frame(context_.get(), picture_.get()); code < 0) return failed("encode", code);
  return receive(out);
}

/// Opens what setRate has prepared.
Result<void> VideoEncoder::open(int width, int height) {
  AVCodecContext& c = *context_;
  c.width = width;
  c.height = height;
  c.pix_fmt = AV_PIX_FMT_YUV420P;
  c.time_base = {1, picturesPerSecond};
  c.framerate = {picturesPerSecond, 1};
  c.gop_size = -1;
  c.max_b_frames = 0;
  c.thread_count = 1;
  c.color_range = AVCOL_RANGE_JPEG;
  c.colorspace = AVCOL_SPC_SMPTE170M;  // the matrix of libyuv's J420
  c.color_primaries = AVCOL_PRI_BT709;
  c.color_trc = AVCOL_TRC_IEC61966_2_1;
  for (const auto& setting : kind_.settings) av_opt_set(c.priv_data, setting.name, setting.value, 0);
  if (kind_.settings.data() == x264Settings.data()) {
    c.gop_size = 0x7FFFFFFF;  // endless
    c.keyint_min = 1;
    av_opt_set(c.priv_data, "x264-params", "scenecut=0:keyint=infinite", 0);
  }
  if (const int code = avcodec_open2(&c, nullptr, nullptr); code < 0) return failed("start", code);
  picture_.reset(av_frame_alloc());
  packet_.reset(av_packet_alloc());
  if (!picture_ || !packet_) return fail(ErrorCode::internal, "no memory for a video picture");
  picture_->format = c.pix_fmt;
  picture_->width = width;
  picture_->height = height;
  picture_->color_range = c.color_range;
  if (const int code = av_frame_get_buffer(picture_.get(), 0); code < 0) return failed("make room", code);
  return {};
}

void VideoEncoder::setRate(const EncodeSettings& settings) {
  if (!context_) {
    const AVCodec* codec = avcodec_find_encoder_by_name(kind_.name);
    context_.reset(avcodec_alloc_context3(codec));
  }
  if (!context_) return;
  const std::int64_t bytes = settings.bytesPerFrame == 0 ? unlimitedBytes : settings.bytesPerFrame;
  const std::int64_t bits = 8 * std::clamp(bytes, leastBytes, unlimitedBytes);
  context_->rc_max_rate = bits * picturesPerSecond;
  context_->rc_buffer_size = static_cast<int>(bits);
  av_opt_set_double(context_->priv_data, kind_.quality, rateFactor(settings.quality), 0);
}

/// To YCbCr, 4:2:0, full range. What an odd side lacks to an even one repeats its last pixel.
Result<void> VideoEncoder::take(const Frame& frame) {
  if (const int code = av_frame_make_writable(picture_.get()); code < 0) return failed("make room", code);
  AVFrame& p = *picture_;
  const int stride = frame.width * 4;
  if (libyuv::ABGRToJ420(frame.rgba.data(), stride, p.data[0], p.linesize[0], p.data[1], p.linesize[1], p.data[2],
                         p.linesize[2], frame.width, frame.height) != 0) {
    return fail(ErrorCode::internal, "a picture could not be converted for video");
  }
  if (p.width != frame.width) {
    for (int y = 0; y < frame.height; ++y)
      p.data[0][y * p.linesize[0] + frame.width] = p.data[0][y * p.linesize[0] + frame.width - 1];
  }
  if (p.height != frame.height) {
    const std::uint8_t* last = p.data[0] + static_cast<std::ptrdiff_t>(frame.height - 1) * p.linesize[0];
    std::copy_n(last, p.width, p.data[0] + static_cast<std::ptrdiff_t>(frame.height) * p.linesize[0]);
  }
  return {};
}

Result<EncodedPicture> VideoEncoder::receive(std::vector<std::byte>& out) {
  if (const int code = avcodec_receive_packet(context_.get(), packet_.get()); code < 0) return failed("finish", code);
  const auto* bytes = reinterpret_cast<const std::byte*>(packet_->data);
  out.insert(out.end(), bytes, bytes + packet_->size);
  const EncodedPicture done{(packet_->flags & AV_PKT_FLAG_KEY) != 0};
  av_packet_unref(packet_.get());
  return done;
}

void VideoEncoder::close() {
  packet_.reset();
  picture_.reset();
  context_.reset();
}

/// The next picture begins a new stream.
tl::unexpected<Error> VideoEncoder::failed(const char* what, int code) {
  close();
  return fail(ErrorCode::unavailable, std::string(kind_.name) + " cannot " + what + " a picture: " + errorText(code));
}

/// Tried once: that of a GPU, if it opens.
const Kind* workingKind(Codec codec) {
  for (const Kind& kind : kinds) {
    if (kind.codec != codec || avcodec_find_encoder_by_name(kind.name) == nullptr) continue;
    VideoEncoder encoder(kind);
    Frame frame;
    frame.resize(256, 256);  // NVENC has a smallest size
    std::vector<std::byte> out;
    if (encoder.encode(frame, {}, out)) return &kind;
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Encoder>> makeVideoEncoder(Codec codec) {
  static const std::array<const Kind*, 3> working = [] {
    av_log_set_callback(logLine);
    return std::array{workingKind(Codec::h264), workingKind(Codec::hevc), workingKind(Codec::av1)};
  }();
  const Kind* kind = working.at(static_cast<std::size_t>(codec) - static_cast<std::size_t>(Codec::h264));
  if (kind == nullptr) {
    return fail(ErrorCode::unavailable, "this machine has no encoder for " + std::string(nameOf(codec)));
  }
  return std::make_unique<VideoEncoder>(*kind);
}

}  // namespace nora
