// Coding: by which codec and how well the pictures of one view are encoded, so that they are on the page in time.
#pragma once

#include "streaming/encoder/encoder.hpp"
#include "streaming/link_model.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace nora {

struct Coding {
  Codec codec = Codec::jpeg;
  EncodeSettings settings;
};

/// The codecs that both sides have and that work, and what the viewer asked for.
struct CodecChoice {
  std::set<Codec> usable{Codec::jpeg, Codec::png};
  std::optional<Codec> moving;
  std::optional<Codec> still;
  int jpegQuality = 80;  // of moving pictures where the way to the client is fast

  [[nodiscard]] bool has(Codec codec) const { return usable.contains(codec); }
};

/// Learns what the pictures of one view cost in each codec: microseconds of encoding and decoding and bytes, a pixel.
/// Thread: one at a time.
class CodingModel {
 public:
  using Time = std::chrono::microseconds;

  /// Of a moving picture of so many pixels: the best quality that is on its way no longer than `wire`. JPEG, unless
  /// video takes clearly less time in all. `bandwidth`: bytes a microsecond, if known.
  [[nodiscard]] Coding moving(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth,
                              Time wire);
  /// How much smaller than the viewport (of its sides, 0..1) a moving picture must be to be on its way no longer than
  /// `wire`, whatever its quality.
  [[nodiscard]] double largestScale(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth,
                                    Time wire) const;
  /// Full resolution and colours.
  [[nodiscard]] static Coding sharp();
  /// What may be wanted soon.
  [[nodiscard]] Coding ahead(const CodecChoice& choice, std::int64_t pixels, std::optional<double> bandwidth,
                             Time wire) const;
  [[nodiscard]] Coding lossless(const CodecChoice& choice, std::optional<double> bandwidth) const;

  void encoded(const Coding& coding, std::int64_t pixels, std::size_t bytes, Time encode);
  void decoded(Codec codec, std::int64_t pixels, Time decode);

 private:
  struct Cost {  // of one pixel
    double encodeUs = 0;
    double decodeUs = 0;
    double bytes = 0;  // JPEG: at reference quality
    bool seen = false;
  };

  [[nodiscard]] const Cost& cost(Codec codec) const { return costs_.at(codec); }
  [[nodiscard]] int jpegQuality(const CodecChoice& choice, double pixels, std::optional<double> bandwidth,
                                double wireUs, int before) const;
  [[nodiscard]] Codec movingCodec(const CodecChoice& choice, double pixels, std::optional<double> bandwidth,
                                  double wireUs);
  [[nodiscard]] double totalUs(Codec codec, double pixels, double bytes, std::optional<double> bandwidth) const;

  static const std::map<Codec, Cost> usualCosts;
  std::map<Codec, Cost> costs_ = usualCosts;
  Codec codec_ = Codec::jpeg;
  int quality_ = 0;  // JPEG's of the last moving picture; 0: none yet
};

}  // namespace nora
