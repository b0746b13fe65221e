// Routes by which files come into the archive.
#pragma once

#include "app/api/route.hpp"
#include "app/upload_store.hpp"

#include <functional>
#include <vector>

namespace nora {

/// `changed` is told of a project whose folder has new files, to be looked at. Thread: any.
[[nodiscard]] std::vector<Route> uploadRoutes(const ApiPlaces& places, UploadStore& store,
                                              std::function<void(std::int64_t projectId)> changed);

}  // namespace nora
