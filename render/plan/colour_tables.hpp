// Colours as the kernels want them: 0x00BBGGRR.
#pragma once

#include "render/scene/colour_map.hpp"
#include "render/scene/scene.hpp"

#include <array>
#include <cstdint>

namespace nora {

/// The colours of values in a window and, for symmetric layers, behind them those of negative ones.
using RampColours = std::array<std::uint32_t, 512>;
void fillRamp(const Layer& layer, RampColours& out);

/// Of labels that have no colour of their own; kernel::labelHueBits and labelToneBits say how many.
[[nodiscard]] const std::uint32_t* packedLabelPalette();

[[nodiscard]] inline std::uint32_t packed(const Colour& c) {
  return static_cast<std::uint32_t>(c[0]) | static_cast<std::uint32_t>(c[1]) << 8 |
         static_cast<std::uint32_t>(c[2]) << 16;
}

}  // namespace nora
