// The HTTP routes: the page, the list of files, what they hold.
#pragma once

#include "app/entry_content.hpp"
#include "app/readiness.hpp"
#include "archive/index/catalogue.hpp"
#include "base/metrics.hpp"
#include "streaming/socket/server.hpp"

#include <string>

namespace nora {

/// What the routes tell of; all of it must outlive the handler.
struct HttpSources {
  const Catalogue& catalogue;
  const EntryContent& content;
  const Readiness& readiness;
  const Metrics& metrics;
  std::string rootName;        // the title of the list
  bool metricsPublic = false;  // else only this machine gets them
};

/// The page, the list, health and metrics are answered from memory, at once; contents of entries as work.
[[nodiscard]] HttpHandler makeHttpApi(HttpSources sources);

/// The text message that tells pages of news in the catalogue.
[[nodiscard]] std::string catalogueMessage(const Catalogue& catalogue);

}  // namespace nora
