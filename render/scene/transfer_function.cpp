#include "render/scene/transfer_function.hpp"

#include "render/scene/colour_map.hpp"
#include "render/scene/transfer_presets.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

constexpr double mostOpaquePerMm = 0.99;  // an opacity of 1 would be an infinite extinction
/// Of smaller voxels the automatic curve would be more opaque than points can say.
constexpr double leastSpacingMm = 0.3;

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

/// Where the opacity of an automatic curve begins and is full.
struct AutomaticRamp {
  double from = 0;
  double to = 1;
  bool bothSigns = false;  // of the absolute value
};

/// A map around zero: the extremes of both signs stand out.
bool isSigned(const ImageInfo& info) {
  constexpr double part = 0.1;  // less is ringing of a resampled image
  const auto& s = *info.statistics;
  return s.percentile2 < 0 && s.percentile98 > 0 && -s.percentile2 > part * s.percentile98;
}

AutomaticRamp ramped(double low, double level) {
  constexpr double before = 0.6;
  constexpr double after = 1.4;
  return {low + before * (level - low), low + after * (level - low)};
}

AutomaticRamp automaticRamp(const Layer& layer, const ImageInfo& info, const Window& window) {
  constexpr double boneFromHu = 120;
  constexpr double boneToHu = 260;
  constexpr double skinFromHu = -450;
  constexpr double skinToHu = -150;
  constexpr double lowest = 0.05;  // of the window: noise around a head is not its skin
  constexpr double highest = 0.8;
  const double width = window.high - window.low;
  if (!info.statistics || info.statistics->finite == 0 || !(info.statistics->min < info.statistics->max)) {
    return {window.low, window.low + width / 2};  // one value: a plain block
  }
  const auto& s = *info.statistics;
  if (isCt(info) && s.max > boneToHu) return {boneFromHu, boneToHu};
  if (isCt(info) && s.max > skinToHu) return {skinFromHu, skinToHu};
  if (layer.symmetric || isSigned(info)) {
    const double most = std::max(std::abs(s.percentile2), std::abs(s.percentile98));
    AutomaticRamp out = ramped(0, most > 0 ? most : std::max(std::abs(s.min), std::abs(s.max)));
    out.bothSigns = true;
    return out;
  }
  const double place = std::clamp((s.backgroundLevel - window.low) / width, lowest, highest);
  return ramped(window.low, window.low + place * width);
}

using Rgb = std::array<std::uint8_t, 3>;

/// The grays of a slice are too dark for a lit surface: a warm ramp that starts half bright. What is negative in a map
/// of both signs is cool.
Rgb skinTone(double position, bool cool) {
  constexpr std::array<double, 3> warmTint{255, 236, 218};
  constexpr std::array<double, 3> coolTint{150, 190, 255};
  const double brightness = 0.5 + 0.5 * std::clamp(position, 0.0, 1.0);
  Rgb out{};
  for (std::size_t c = 0; c < 3; ++c) {
    out[c] = static_cast<std::uint8_t>(std::lround((cool ? coolTint : warmTint)[c] * brightness));
  }
  return out;
}

/// The colour that a slice shows for the value.
Colour mapColour(const Layer& layer, const Window& window, double value) {
  const bool isCold = layer.symmetric && value < 0;
  const ColourMap* map = findColourMap(isCold ? "cold" : layer.colourMap);
  if (!map) map = findColourMap("gray");
  const double width = window.high - window.low;
  const double shown = layer.symmetric ? std::abs(value) : value;
  const double position = width != 0 ? std::clamp((shown - window.low) / width, 0.0, 1.0) : 0.5;
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

/// The points of a smooth step of extinction. It goes by voxel, not by millimetre, so that small animals and whole
/// bodies look alike.
std::vector<TransferPoint> smoothStep(const AutomaticRamp& ramp, double spacingMm) {
  constexpr double fullExtinction = 1.2;  // nine tenths opaque after two voxels
  constexpr int steps = 2;
  std::vector<TransferPoint> out;
  for (int i = 0; i <= steps; ++i) {
    const double w = static_cast<double>(i) / steps;
    const double extinction = fullExtinction * w * w * (3 - 2 * w) / spacingMm;
    const double opacity = std::min(-std::expm1(-extinction), mostOpaquePerMm);
    out.push_back({ramp.from + w * (ramp.to - ramp.from), opacity, {}});
  }
  return out;
}

}  // namespace

std::vector<TransferPoint> automaticPoints(const Layer& layer, const ImageInfo& info) {
  Layer plain;
  plain.symmetric = layer.symmetric;
  Window window = effectiveWindow(plain, info);
  if (!std::isfinite(window.high - window.low)) window = {0, 1};  // of a file that means no harm and no sense
  const AutomaticRamp ramp = automaticRamp(layer, info, window);
  std::vector<TransferPoint> out = smoothStep(ramp, std::max(smallestSpacing(info), leastSpacingMm));
  if (window.high > out.back().value) out.push_back({window.high, out.back().opacity, {}});
  if (ramp.bothSigns) {
    const std::vector<TransferPoint> positive = out;
    for (const TransferPoint& p : positive) out.insert(out.begin(), {-p.value, p.opacity, {}});
  }
  if (layer.colourMap != "gray") return out;
  const double width = ramp.bothSigns ? out.back().value : window.high - window.low;
  for (TransferPoint& p : out) {
    const double above = ramp.bothSigns ? std::abs(p.value) : p.value - window.low;
    p.colour = skinTone(width > 0 ? above / width : 1, p.value < 0 && ramp.bothSigns);
  }
  return out;
}

TransferFunction makeTransferFunction(const Layer& layer, const ImageInfo& info) {
  TransferFunction out;
  std::vector<TransferPoint> points = layer.transfer.points;
  const TransferPreset* preset = points.empty() ? findTransferPreset(layer.transfer.preset) : nullptr;
  if (preset) points = pointsFor(*preset, info);
  double denser = 1;
  if (points.empty()) {
    points = automaticPoints(layer, info);
    denser = std::max(1.0, leastSpacingMm / smallestSpacing(info));
  }
  const Window window = effectiveWindow(layer, info);
  out.window = heldWindow({points.front().value, points.back().value});
  for (std::size_t i = 0; i < TransferFunction::entries; ++i) {
    const double position = static_cast<double>(i) / (TransferFunction::entries - 1);
    const double value = out.window.low + position * (out.window.high - out.window.low);
    const TransferPoint point = between(points, value);
    const double opacity = withinThresholds(layer, value) ? std::min(point.opacity, mostOpaquePerMm) : 0;
    const Colour colour = point.colour ? *point.colour : mapColour(layer, window, value);
    out.extinctionPerMm[i] = static_cast<float>(-std::log1p(-opacity) * denser * layer.opacity);
    out.colours[i] = static_cast<std::uint32_t>(colour[0]) | static_cast<std::uint32_t>(colour[1]) << 8 |
                     static_cast<std::uint32_t>(colour[2]) << 16;
  }
  return out;
}

}  // namespace nora
