// Colour maps by name: 256 colours from the low to the high end of a window.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace nora {

using Colour = std::array<std::uint8_t, 3>;
using ColourMap = std::array<Colour, 256>;

/// gray, inverse, hot, cold, jet, viridis, plasma, inferno, magma, cividis, redblue, red, green, blue, yellow, cyan,
/// magenta, labels.
[[nodiscard]] std::span<const std::string_view> colourMapNames();

/// nullptr if unknown. "labels" is not a ramp: see labelColour.
[[nodiscard]] const ColourMap* findColourMap(std::string_view name);

/// A distinct, stable colour for a label value (image/label_palette.hpp); 0 is black and drawn transparent by the
/// "labels" map.
[[nodiscard]] Colour labelColour(std::int64_t label);

}  // namespace nora
