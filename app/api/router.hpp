// Router: finds the route of a request, asks who it is from, and runs it on a worker.
#pragma once

#include "app/api/gate.hpp"

#include <memory>
#include <vector>

namespace nora {

/// Answers everything below /api/. Errors are problems (RFC 9457): 401 where a log-in would help.
/// `gate` outlives the handler.
[[nodiscard]] HttpHandler makeRouter(std::vector<Route> routes, Gate& gate);

}  // namespace nora
