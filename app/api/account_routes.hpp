// Routes of accounts: who I am, log-in, tokens, sessions; for administrators users, groups, rights and the audit.
#pragma once

#include "app/api/log_in.hpp"

#include <vector>

namespace nora {

/// `at` is copied; what it refers to outlives the routes.
[[nodiscard]] std::vector<Route> accountRoutes(const LogInPlaces& at);
[[nodiscard]] std::vector<Route> administrationRoutes(const ApiPlaces& places);

}  // namespace nora
