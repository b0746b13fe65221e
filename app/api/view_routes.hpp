// Routes of what the viewer shows beside pictures: information of any file, documents, a new look at a folder.
#pragma once

#include "app/api/route.hpp"
#include "app/archive_images.hpp"
#include "app/index_news.hpp"
#include "app/scan_service.hpp"

#include <vector>

namespace nora {

[[nodiscard]] std::vector<Route> viewRoutes(const ApiPlaces& places, ArchiveImages& images, ScanService& scans,
                                            const IndexNews& news);

}  // namespace nora
