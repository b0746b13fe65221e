#include "render/scene/label_colours.hpp"

#include <algorithm>

namespace nora {

LabelColours::LabelColours(const LabelTable& table) {
  constexpr std::uint32_t goldenRatio = 2654435769U;  // 2^32 / 1.618...
  constexpr std::size_t slotsPerLabel = 4;            // few labels stand behind another
  int bits = 4;
  while ((std::size_t{1} << bits) < table.labels().size() * slotsPerLabel) ++bits;
  shift_ = 32 - bits;
  // Room behind the last slot instead of wrapping round.
  const std::size_t slots = (std::size_t{1} << bits) + table.labels().size() + 1;
  keys_.resize(slots);
  colours_.resize(slots);
  for (const Label& label : table.labels()) {
    const auto key = static_cast<std::uint32_t>(label.value);
    if (key == 0) continue;
    const std::size_t first = (key * goldenRatio) >> shift_;
    std::size_t slot = first;
    while (keys_[slot] != 0 && keys_[slot] != key) ++slot;
    probes_ = std::max(probes_, static_cast<int>(slot - first) + 1);
    keys_[slot] = key;
    colours_[slot] = label.rgba[0] | std::uint32_t{label.rgba[1]} << 8 | std::uint32_t{label.rgba[2]} << 16 |
                     std::uint32_t{label.rgba[3]} << 24;
  }
}

}  // namespace nora
