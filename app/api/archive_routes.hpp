// Routes of the archive: items of all levels, search, tags, metadata, what is new.
#pragma once

#include "app/api/route.hpp"

#include <vector>

namespace nora {

[[nodiscard]] std::vector<Route> archiveRoutes(const ApiPlaces& places);

}  // namespace nora
