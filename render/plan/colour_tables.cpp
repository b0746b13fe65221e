#include "render/plan/colour_tables.hpp"

#include "image/label_palette.hpp"
#include "render/kernel/plan.hpp"

#include <vector>

namespace nora {

static_assert(kernel::labelHueBits == static_cast<int>(labelHueBits));
static_assert(kernel::labelToneBits == static_cast<int>(labelToneBits));

void fillRamp(const Layer& layer, RampColours& out) {
  const ColourMap* map = findColourMap(layer.colourMap);
  if (!map) map = findColourMap("gray");
  const ColourMap* negative = layer.symmetric ? findColourMap("cold") : map;
  for (std::size_t i = 0; i < map->size(); ++i) {
    out[i] = packed((*map)[i]);
    out[i + map->size()] = packed((*negative)[i]);
  }
}

const std::uint32_t* packedLabelPalette() {
  static const std::vector<std::uint32_t> palette = [] {
    std::vector<std::uint32_t> colours;
    for (const auto& colour : labelPalette()) colours.push_back(packed(colour));
    return colours;
  }();
  return palette.data();
}

}  // namespace nora
