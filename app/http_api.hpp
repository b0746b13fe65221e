// What the server answers by HTTP: the page, its state for programs that look after servers, and the API.
#pragma once

#include "app/readiness.hpp"
#include "base/metrics.hpp"
#include "streaming/socket/server.hpp"

namespace nora {

/// All of it must outlive the handler.
struct HttpSources {
  const Readiness& readiness;
  const Metrics& metrics;
  bool metricsPublic = false;  // else only this machine gets them
  HttpHandler api;             // for /api/
};

/// The page, health and metrics are answered from memory, at once.
[[nodiscard]] HttpHandler makeHttpApi(HttpSources sources);

}  // namespace nora
