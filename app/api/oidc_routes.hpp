// Log-in by a provider of OpenID Connect: two addresses that a browser is led to. What goes wrong is told on the log-in
// page, by a word in its address (?login_failed=WORD).
#pragma once

#include "app/api/log_in.hpp"

#include <string_view>
#include <vector>

namespace nora {

/// `at` is copied; what it refers to outlives the routes.
[[nodiscard]] std::vector<Route> oidcRoutes(const LogInPlaces& at);

/// Whether the page may be left to `text` after a log-in: "", or a query or fragment of the page itself (?... or #...)
/// in the characters of addresses, at most 2000. So no log-in ever ends on another site.
[[nodiscard]] bool isReturnPlace(std::string_view text);

}  // namespace nora
