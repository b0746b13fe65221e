// Routes of what users keep and pass on: presets, filters, share links.
#pragma once

#include "app/api/route.hpp"

#include <vector>

namespace nora {

[[nodiscard]] std::vector<Route> savedRoutes(const ApiPlaces& places);

}  // namespace nora
