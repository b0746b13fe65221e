// Ready-made transfer functions by name.
#pragma once

#include "image/image_info.hpp"
#include "render/scene/scene.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct TransferPreset {
  std::string_view name;   // "ct-bone", "mr-t1", ...
  std::string_view title;  // for people: "CT bone"
  /// Values are Hounsfield units, or places between the image's 2nd (0) and 98th (1) percentile.
  bool hounsfield = false;
  std::vector<TransferPoint> points;
};

/// ct-bone, ct-angio, ct-lung, ct-muscle, ct-skin, mr-t1, mr-t2, mr-flair, mr-tof.
[[nodiscard]] std::span<const TransferPreset> transferPresets();

/// nullptr if unknown.
[[nodiscard]] const TransferPreset* findTransferPreset(std::string_view name);

/// A transfer function that a layer can have, in the units of its image.
struct TransferChoice {
  std::string preset;  // as in Transfer; empty: the automatic one
  std::string title;
  std::vector<TransferPoint> points;
};

/// The automatic one, and the presets made for images of this kind (CT, or all others).
[[nodiscard]] std::vector<TransferChoice> transferChoices(const Layer& layer, const ImageInfo& info);

/// The preset's points in the units of this image.
[[nodiscard]] std::vector<TransferPoint> pointsFor(const TransferPreset& preset, const ImageInfo& info);

}  // namespace nora
