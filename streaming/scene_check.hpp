// What a viewer may not ask of a scene although it can be written down.
#pragma once

#include "render/scene/scene.hpp"

namespace nora {

/// Windows whose low end is above the high end, and thresholds that leave nothing, are refused. Errors: invalidInput,
/// `where` is a JSON pointer to the field.
[[nodiscard]] Result<void> checkRanges(const Scene& scene);

/// The same after an edit of `before`, which may not make a window empty either. A window that was empty before, as
/// that of an image of one value is, stands in nobody's way.
[[nodiscard]] Result<void> checkRanges(const Scene& scene, const Scene& before);

}  // namespace nora
