// Distinct, stable colours for label values that have none of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nora {

/// 2^(labelHueBits + labelToneBits) colours, red green blue. Labels are taken modulo 2^32.
inline constexpr unsigned labelHueBits = 10;
inline constexpr unsigned labelToneBits = 2;
[[nodiscard]] const std::vector<std::array<std::uint8_t, 3>>& labelPalette();
[[nodiscard]] std::size_t labelPaletteIndex(std::int64_t label);

}  // namespace nora
