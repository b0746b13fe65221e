// The HTTP routes: the page, the list of files, what they hold.
#pragma once

#include "app/entry_content.hpp"
#include "archive/index/catalogue.hpp"
#include "streaming/socket/server.hpp"

#include <string>

namespace nora {

/// The page and the list are answered from memory, at once; contents of entries as work. `rootName` is shown as the
/// title of the list. The catalogue and `content` must outlive the handler.
[[nodiscard]] HttpHandler makeHttpApi(const Catalogue& catalogue, const EntryContent& content, std::string rootName);

/// The text message that tells pages of news in the catalogue.
[[nodiscard]] std::string catalogueMessage(const Catalogue& catalogue);

}  // namespace nora
