#include "streaming/coding.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nora {
namespace {

struct QualityStep {
  int quality = 0;
  double bytes = 1;  // of those at the reference quality
};
// Measured on slices and volume pictures of CT and MR: within a fifth of each other.
constexpr std::array<QualityStep, 6> ladder{{{90, 1.5}, {80, 1}, {65, 0.72}, {50, 0.58}, {35, 0.46}, {25, 0.37}}};
constexpr int sharpQuality = 95;
constexpr int videoQuality = 80;
constexpr int aheadQuality = 80;
constexpr int worstAheadQuality = 50;

constexpr double learning = 0.3;           // weight of the newest picture
constexpr double finerMargin = 0.75;       // of the time on the wire, for a better quality than before
constexpr double changeMargin = 0.75;      // another codec must take clearly less
constexpr double leastVideoBytes = 0.004;  // a pixel: with less there are blocks to be seen

double relativeBytes(int quality) {
  const auto at = std::find_if(ladder.begin(), ladder.end(), [&](const auto& step) { return step.quality <= quality; });
  return at == ladder.end() ? ladder.back().bytes : at->bytes;
}

void learn(double& known, double now, bool seen) {
  known = seen ? known + learning * (now - known) : now;
}

}  // namespace

// Before anything is measured: of 1280x720 on one core of a laptop.
const std::map<Codec, CodingModel::Cost> CodingModel::usualCosts{
    {Codec::jpeg, {0.002, 0.003, 0.06, false}},  {Codec::png, {0.02, 0.006, 0.6, false}},
    {Codec::webp, {0.05, 0.01, 0.4, false}},     {Codec::h264, {0.005, 0.003, 0.015, false}},
    {Codec::hevc, {0.005, 0.004, 0.012, false}}, {Codec::av1, {0.005, 0.004, 0.012, false}}};

double CodingModel::totalUs(Codec codec, double pixels, double bytes, std::optional<double> bandwidth) const {
  const Cost& c = cost(codec);
  return (c.encodeUs + c.decodeUs) * pixels + (bandwidth ? bytes / *bandwidth : 0);
}

int CodingModel::jpegQuality(const CodecChoice& choice, double pixels, std::optional<double> bandwidth, double wireUs,
                             int before) const {
  if (!bandwidth) return choice.jpegQuality;
  for (const auto& step : ladder) {
    if (step.quality > choice.jpegQuality) continue;
    const bool isFiner = before != 0 && step.quality > before;
    const double us = cost(Codec::jpeg).bytes * step.bytes * pixels / *bandwidth;
    if (us <= wireUs * (isFiner ? finerMargin : 1)) return step.quality;
  }
  return std::min(ladder.back().quality, choice.jpegQuality);
}

Codec CodingModel::movingCodec(const CodecChoice& choice, double pixels, std::optional<double> bandwidth,
                               double wireUs) {
  if (choice.moving && choice.has(*choice.moving)) return *choice.moving;
  if (!choice.has(codec_)) codec_ = Codec::jpeg;
  if (!bandwidth) return codec_;
  const auto bytesOf = [&](Codec codec) {
    if (codec != Codec::jpeg) return std::min(cost(codec).bytes * pixels, wireUs * *bandwidth);
    return cost(codec).bytes * pixels;  // at the quality that it should have
  };
  const auto total = [&](Codec codec) { return totalUs(codec, pixels, bytesOf(codec), bandwidth); };
  Codec best = codec_;
  for (const Codec codec : {Codec::jpeg, Codec::h264, Codec::hevc, Codec::av1}) {
    if (choice.has(codec) && codec != codec_ && total(codec) < changeMargin * total(codec_) &&
        total(codec) < total(best))
      best = codec;
  }
  return best;
}

Coding CodingModel::moving(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth, Time wire) {
  const double wireUs = static_cast<double>(wire.count());
  const auto count = static_cast<double>(pixels);
  codec_ = movingCodec(choice, count, bandwidth, wireUs);
  if (codec_ == Codec::jpeg) {
    quality_ = jpegQuality(choice, count, bandwidth, wireUs, quality_);
    return {codec_, {.quality = quality_}};
  }
  Coding out{codec_, {.quality = videoQuality}};
  if (bandwidth) {
    out.settings.bytesPerFrame = static_cast<std::int64_t>(std::max(wireUs * *bandwidth, leastVideoBytes * count));
  }
  return out;
}

double CodingModel::largestScale(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth,
                                 Time wire) const {
  if (!bandwidth || pixels <= 0) return 1;
  const bool isVideo = codec_ != Codec::jpeg && choice.has(codec_);
  const double least = isVideo ? leastVideoBytes : cost(Codec::jpeg).bytes * ladder.back().bytes;
  const double wanted = static_cast<double>(wire.count()) * *bandwidth / (least * static_cast<double>(pixels));
  return std::min(1.0, std::sqrt(wanted));
}

Coding CodingModel::sharp() {
  return {Codec::jpeg, {.quality = sharpQuality, .fullChroma = true}};
}

Coding CodingModel::ahead(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth,
                          Time wire) const {
  CodecChoice wanted = choice;
  wanted.jpegQuality = aheadQuality;
  const int quality = jpegQuality(wanted, static_cast<double>(pixels), bandwidth, static_cast<double>(wire.count()), 0);
  return {Codec::jpeg, {.quality = std::max(quality, worstAheadQuality)}};
}

Coding CodingModel::lossless(const CodecChoice& choice, std::optional<double> bandwidth) const {
  Codec best = Codec::png;
  if (choice.still && choice.has(*choice.still)) {
    best = *choice.still;
  } else if (choice.has(Codec::webp)) {
    const auto total = [&](Codec codec) { return totalUs(codec, 1, cost(codec).bytes, bandwidth); };
    if (total(Codec::webp) < total(Codec::png)) best = Codec::webp;
  }
  return {best, {.quality = 100}};
}

void CodingModel::encoded(const Coding& coding, std::int64_t pixels, std::size_t bytes, Time encode) {
  if (pixels <= 0) return;
  Cost& c = costs_.at(coding.codec);
  const auto count = static_cast<double>(pixels);
  const bool isReference = coding.codec != Codec::jpeg || !coding.settings.fullChroma;
  if (!isReference) return;  // another kind of picture
  const double scale = coding.codec == Codec::jpeg ? relativeBytes(coding.settings.quality) : 1;
  learn(c.bytes, static_cast<double>(bytes) / count / scale, c.seen);
  learn(c.encodeUs, static_cast<double>(encode.count()) / count, c.seen);
  c.seen = true;
}

void CodingModel::decoded(Codec codec, std::int64_t pixels, Time decode) {
  if (pixels <= 0) return;
  learn(costs_.at(codec).decodeUs, static_cast<double>(decode.count()) / static_cast<double>(pixels), true);
}

}  // namespace nora
