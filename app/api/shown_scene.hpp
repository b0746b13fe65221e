// Scenes that are kept: presets and those of share links.
#pragma once

#include "app/api/rows.hpp"

namespace nora {

/// A scene as the visitor may have it, whoever made it: layers of files that they may not read are left out, and files
/// whose names they may not see are named as their rows name them.
[[nodiscard]] Result<nlohmann::json> shownScene(const ApiPlaces& places, RowMaker& rows, const std::string& scene);

}  // namespace nora
