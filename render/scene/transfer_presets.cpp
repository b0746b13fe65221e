#include "render/scene/transfer_presets.hpp"

#include "render/scene/transfer_function.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

using Rgb = std::array<std::uint8_t, 3>;

TransferPoint point(double value, double opacity, const Rgb& colour) {
  return {value, opacity, colour};
}

// Chosen by eye on scans of adults; opacities are of one millimetre.
constexpr Rgb flesh{190, 84, 64};
constexpr Rgb skin{231, 186, 160};
constexpr Rgb vessel{201, 52, 38};
constexpr Rgb ivory{238, 222, 194};
constexpr Rgb white{255, 252, 246};
constexpr Rgb airway{196, 128, 122};
constexpr Rgb warmGray{158, 132, 120};
constexpr Rgb warmLight{232, 208, 190};
constexpr Rgb blueGray{96, 116, 156};
constexpr Rgb blueLight{196, 214, 242};

std::vector<TransferPreset> makePresets() {
  std::vector<TransferPreset> out;
  out.push_back({"ct-bone",
                 "CT bone",
                 true,
                 {point(130, 0, ivory), point(260, 0.55, ivory), point(700, 0.8, white), point(1800, 0.92, white)}});
  out.push_back({"ct-angio",
                 "CT angio",
                 true,
                 {point(120, 0, vessel), point(190, 0.3, vessel), point(330, 0.55, {226, 112, 84}),
                  point(480, 0.65, ivory), point(1500, 0.9, white)}});
  out.push_back({"ct-lung",
                 "CT lung",
                 true,
                 {point(-960, 0, airway), point(-880, 0.012, airway), point(-700, 0.05, airway),
                  point(-450, 0.09, {226, 176, 168}), point(-250, 0.03, {226, 176, 168}), point(-100, 0, skin)}});
  out.push_back({"ct-muscle",
                 "CT muscle",
                 true,
                 {point(-20, 0, flesh), point(30, 0.12, flesh), point(90, 0.4, flesh), point(220, 0.6, ivory),
                  point(1200, 0.9, white)}});
  out.push_back({"ct-skin",
                 "CT skin",
                 true,
                 {point(-600, 0, skin), point(-350, 0.3, skin), point(-50, 0.45, skin), point(200, 0.6, skin),
                  point(1200, 0.8, white)}});
  out.push_back(
      {"mr-t1",
       "MR T1",
       false,
       {point(0.15, 0, warmGray), point(0.35, 0.2, warmGray), point(0.7, 0.45, warmLight), point(1, 0.7, white)}});
  out.push_back(
      {"mr-t2",
       "MR T2",
       false,
       {point(0.3, 0, blueGray), point(0.55, 0.06, blueGray), point(0.85, 0.35, blueLight), point(1.1, 0.7, white)}});
  out.push_back({"mr-flair",
                 "MR FLAIR",
                 false,
                 {point(0.3, 0, warmGray), point(0.6, 0.12, warmGray), point(0.9, 0.4, {255, 216, 160}),
                  point(1.2, 0.8, white)}});
  out.push_back(
      {"mr-tof",
       "MR TOF",
       false,
       {point(0.9, 0, vessel), point(1.25, 0.25, vessel), point(1.8, 0.6, {240, 128, 90}), point(3, 0.85, ivory)}});
  return out;
}

}  // namespace

std::span<const TransferPreset> transferPresets() {
  static const std::vector<TransferPreset> presets = makePresets();
  return presets;
}

const TransferPreset* findTransferPreset(std::string_view name) {
  const auto presets = transferPresets();
  const auto found = std::find_if(presets.begin(), presets.end(), [&](const auto& p) { return p.name == name; });
  return found != presets.end() ? &*found : nullptr;
}

std::vector<TransferChoice> transferChoices(const Layer& layer, const ImageInfo& info) {
  std::vector<TransferChoice> out{{"", "Automatic", automaticPoints(layer, info)}};
  for (const TransferPreset& preset : transferPresets()) {
    if (preset.hounsfield != isCt(info)) continue;
    out.push_back({std::string(preset.name), std::string(preset.title), pointsFor(preset, info)});
  }
  return out;
}

std::vector<TransferPoint> pointsFor(const TransferPreset& preset, const ImageInfo& info) {
  std::vector<TransferPoint> out = preset.points;
  if (preset.hounsfield) return out;
  double low = 0;
  double high = 1;
  if (info.statistics && info.statistics->finite > 0) {
    low = info.statistics->percentile2;
    high = info.statistics->percentile98;
    if (!(high > low)) high = low + 1;
  }
  for (TransferPoint& p : out) p.value = low + p.value * (high - low);
  return out;
}

}  // namespace nora
