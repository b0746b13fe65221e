#include "render/scene/transfer_function.hpp"

#include "render/scene/colour_map.hpp"
#include "render/scene/transfer_presets.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

constexpr double mostOpaquePerMm = 0.99;  // an opacity of 1 would be an infinite extinction

/// Linear between the points, constant outside.
TransferPoint between(const std::vector<TransferPoint>& points, double value) {
  if (value <= points.front().value) return points.front();
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (value > points[i].value) continue;
    const auto& a = points[i - 1];
    const auto& b = points[i];
    const double w = (value - a.value) / (b.value - a.value);
    TransferPoint out{value, a.opacity * (1 - w) + b.opacity * w, a.colour};
    for (std::size_t c = 0; out.colour && b.colour && c < out.colour->size(); ++c) {
      (*out.colour)[c] = static_cast<std::uint8_t>(std::lround((*a.colour)[c] * (1 - w) + (*b.colour)[c] * w));
    }
    return out;
  }
  return points.back();
}

/// A smooth step of extinction around a value. It goes by voxel, not by millimetre, so that small animals and whole
/// bodies look alike.
struct AutomaticRamp {
  double from = 0;  // position where opacity begins
  double to = 1;    // position of full opacity
  double perVoxel = 0;

  [[nodiscard]] double extinction(double position) const {
    const double w = std::clamp((position - from) / (to - from), 0.0, 1.0);
    return perVoxel * w * w * (3 - 2 * w);
  }
};

AutomaticRamp automaticRamp(const Window& window, const ImageInfo& info) {
  constexpr double fullExtinction = 1.2;  // nine tenths opaque after two voxels
  const double width = window.high - window.low;
  const auto positionOf = [&](double value) { return width != 0 ? (value - window.low) / width : 0.5; };
  if (info.modality == "CT" || (info.statistics && info.statistics->min <= -900)) {
    constexpr double boneFromHu = 120;
    constexpr double boneToHu = 260;
    const double from = std::clamp(positionOf(boneFromHu), 0.02, 0.9);
    return {from, std::clamp(positionOf(boneToHu), from + 0.05, 1.0), fullExtinction};
  }
  double level = 0.25;
  if (info.statistics && info.statistics->finite > 0) level = positionOf(info.statistics->backgroundLevel);
  level = std::clamp(level, 0.05, 0.8);
  return {level * 0.6, level * 1.4, fullExtinction};
}

/// The grays of a slice are too dark for a lit surface: a warm ramp that starts half bright.
Colour skinTone(double position) {
  constexpr std::array<double, 3> tint{255, 236, 218};
  const double brightness = 0.5 + 0.5 * position;
  Colour out{};
  for (std::size_t c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(std::lround(tint[c] * brightness));
  return out;
}

/// The colour that a slice shows for the value.
Colour mapColour(const Layer& layer, const Window& window, double value) {
  const ColourMap* map = findColourMap(layer.colourMap);
  if (!map) map = findColourMap("gray");
  const double width = window.high - window.low;
  const double position = width != 0 ? std::clamp((value - window.low) / width, 0.0, 1.0) : 0.5;
  const double bent = layer.gamma == 1 ? position : std::pow(position, 1 / layer.gamma);
  return (*map)[static_cast<std::size_t>(std::lround(bent * 255))];
}

double smallestSpacing(const ImageInfo& info) {
  const Vec3 spacing = spacingMm(info.worldFromVoxel);
  return std::min({spacing[0], spacing[1], spacing[2]});
}

bool withinThresholds(const Layer& layer, double value) {
  const double tested = layer.symmetric ? std::abs(value) : value;
  return !(layer.thresholdLow && tested < *layer.thresholdLow) &&
         !(layer.thresholdHigh && tested > *layer.thresholdHigh);
}

}  // namespace

TransferFunction makeTransferFunction(const Layer& layer, const ImageInfo& info) {
  TransferFunction out;
  std::vector<TransferPoint> points = layer.transfer.points;
  const TransferPreset* preset = points.empty() ? findTransferPreset(layer.transfer.preset) : nullptr;
  if (preset) points = pointsFor(*preset, info);
  const bool automatic = points.empty();
  const Window window = effectiveWindow(layer, info);
  out.window = automatic ? window : Window{points.front().value, points.back().value};
  const AutomaticRamp ramp = automaticRamp(window, info);
  const double spacing = smallestSpacing(info);
  for (std::size_t i = 0; i < TransferFunction::entries; ++i) {
    const double position = static_cast<double>(i) / (TransferFunction::entries - 1);
    const double value = out.window.low + position * (out.window.high - out.window.low);
    double extinction = ramp.extinction(position) / spacing;
    Colour colour = automatic && layer.colourMap == "gray" ? skinTone(position) : mapColour(layer, window, value);
    if (!automatic) {
      const TransferPoint point = between(points, value);
      extinction = -std::log1p(-std::min(point.opacity, mostOpaquePerMm));
      if (point.colour) colour = *point.colour;
    }
    if (!withinThresholds(layer, value)) extinction = 0;
    out.extinctionPerMm[i] = static_cast<float>(extinction * layer.opacity);
    out.colours[i] = static_cast<std::uint32_t>(colour[0]) | static_cast<std::uint32_t>(colour[1]) << 8 |
                     static_cast<std::uint32_t>(colour[2]) << 16;
  }
  return out;
}

}  // namespace nora
