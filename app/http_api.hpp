// The HTTP routes: the page and the list of files.
#pragma once

#include "archive/index/catalogue.hpp"
#include "streaming/socket/server.hpp"

#include <string>

namespace nora {

/// Answers from memory, at once. `rootName` is shown as the title of the list.
[[nodiscard]] HttpHandler makeHttpApi(const Catalogue& catalogue, std::string rootName);

/// The text message that tells pages of news in the catalogue.
[[nodiscard]] std::string catalogueMessage(const Catalogue& catalogue);

}  // namespace nora
