// Routes of accounts: who I am, log-in, tokens, sessions; for administrators users, groups, rights and the audit.
#pragma once

#include "app/api/gate.hpp"

#include <string>
#include <vector>

namespace nora {

/// The one-time secret by which the first administrator is made. Thread: any.
class Setup {
 public:
  /// Makes a new one. The text, for the person who has started the server.
  [[nodiscard]] std::string open();
  /// Whether an administrator has still to be made.
  [[nodiscard]] bool isOpen() const;
  [[nodiscard]] bool matches(std::string_view secret) const;
  /// It has been used.
  void close();

 private:
  mutable std::mutex mutex_;
  std::string hash_;
};

[[nodiscard]] std::vector<Route> accountRoutes(const ApiPlaces& places, Gate& gate, LoginLimiter& limiter,
                                               Setup& setup);
[[nodiscard]] std::vector<Route> administrationRoutes(const ApiPlaces& places);

/// Adds to the audit what a request does. Who must not act unseen does not act where this fails.
[[nodiscard]] Result<void> noteAction(const ApiPlaces& places, const Visit& visit, const std::string& action,
                                      std::int64_t projectId, const std::string& item,
                                      const nlohmann::json& detail = nlohmann::json::object());

}  // namespace nora
