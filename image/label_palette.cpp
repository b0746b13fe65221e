#include "image/label_palette.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

using Rgb = std::array<std::uint8_t, 3>;

/// `hue`, `saturation`, `value` in 0..1.
Rgb fromHsv(double hue, double saturation, double value) {
  Rgb colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double offset = 5 - 2 * static_cast<double>(c);  // red 5, green 3, blue 1 sixths
    const double k = std::fmod(offset + hue * 6, 6.0);
    const double level = value - value * saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0);
    colour[c] = static_cast<std::uint8_t>(std::lround(255 * level));
  }
  return colour;
}

}  // namespace

std::size_t labelPaletteIndex(std::int64_t label) {
  // Steps of the golden ratio spread consecutive labels evenly around the hues.
  constexpr std::uint32_t goldenRatio = 2654435769U;  // 2^32 / 1.618...
  const auto bits = static_cast<std::uint32_t>(label);
  return ((bits * goldenRatio) >> (32 - labelHueBits)) << labelToneBits | (bits & ((1U << labelToneBits) - 1));
}

const std::vector<Rgb>& labelPalette() {
  static const std::vector<Rgb> palette = [] {
    struct Tone {
      double saturation;
      double value;
    };
    // Neighbouring numbers differ in tone as well as in hue. None is dark: they lie on gray anatomy.
    constexpr std::array<Tone, std::size_t{1} << labelToneBits> tones{{{0.85, 1}, {0.55, 1}, {0.95, 0.8}, {0.7, 0.9}}};
    std::vector<Rgb> out;
    for (std::size_t i = 0; i < std::size_t{1} << (labelHueBits + labelToneBits); ++i) {
      const Tone& tone = tones[i & (tones.size() - 1)];
      const double hue = static_cast<double>(i >> labelToneBits) / static_cast<double>(1 << labelHueBits);
      out.push_back(fromHsv(hue, tone.saturation, tone.value));
    }
    return out;
  }();
  return palette;
}

}  // namespace nora
