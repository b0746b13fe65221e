// Routes by which things leave the archive: bytes of files, zips, tables as CSV.
#pragma once

#include "app/api/route.hpp"

#include <vector>

namespace nora {

[[nodiscard]] std::vector<Route> fileRoutes(const ApiPlaces& places);

}  // namespace nora
