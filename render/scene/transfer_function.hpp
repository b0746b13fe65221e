// How opaque and which colour each value is in a volume view, as tables over the layer's window.
#pragma once

#include "render/scene/scene.hpp"
#include "render/scene/view_geometry.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nora {

/// Entry i stands for the value window.low + (window.high - window.low) * i / (entries - 1); values outside take the
/// ends.
struct TransferFunction {
  static constexpr std::size_t entries = 1024;

  Window window;
  std::array<float, entries> extinctionPerMm{};  // opacity over a length l is 1 - exp(-extinction * l)
  std::array<std::uint32_t, entries> colours{};  // 0x00BBGGRR

  friend bool operator==(const TransferFunction& a, const TransferFunction& b) {
    return a.window.low == b.window.low && a.window.high == b.window.high && a.extinctionPerMm == b.extinctionPerMm &&
           a.colours == b.colours;
  }
};

/// The curve of a layer without points and preset, in its units: CT shows bone (or, where there is none, skin), maps
/// around zero the extremes of both signs, other images what lies above the background level (skin). It does not depend
/// on the layer's own window. Without colours where the layer's map is not "gray".
[[nodiscard]] std::vector<TransferPoint> automaticPoints(const Layer& layer, const ImageInfo& info);

/// The layer's points, preset or automatic curve. Points without colours take those of the layer's colour map across
/// its window. The layer's thresholds and opacity count too.
[[nodiscard]] TransferFunction makeTransferFunction(const Layer& layer, const ImageInfo& info);

}  // namespace nora
