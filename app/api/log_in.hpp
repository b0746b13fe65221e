// What all ways of logging in have in common: by password, by a directory, by a provider, by the first start's link.
#pragma once

#include "app/api/gate.hpp"
#include "app/login_directories.hpp"
#include "app/login_providers.hpp"

#include <mutex>
#include <string>
#include <string_view>

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

/// Where people log in who have no password here.
struct LogInWays {
  LoginDirectories directories;
  LoginProviders providers;

  [[nodiscard]] bool empty() const { return directories.empty() && providers.all().empty(); }
  /// A directory or provider says who is an administrator: then nora needs no first one of its own.
  [[nodiscard]] bool sayAdministrators() const {
    return directories.sayAdministrators() || providers.sayAdministrators();
  }
};

/// The groups that the settings name are there before the first of their members logs in, so that rights can be given
/// to them. Says in the log which names another group has: nobody would be put into those. Errors: those of the index.
[[nodiscard]] Result<void> makeGroups(Accounts& accounts, const LogInWays& ways);

/// Outlives the routes.
struct LogInPlaces {
  ApiPlaces places;
  Gate& gate;
  LoginLimiter& limiter;
  Setup& setup;
  const LogInWays& ways;
};

/// A session for who has proved who they are: the answer gets its cookie, the audit a line. `by`: "password", "setup",
/// or the origin of users of directories and providers.
[[nodiscard]] Result<Visitor> beginSession(const LogInPlaces& at, const Visit& visit, const UserRecord& user,
                                           const std::string& by, HttpResponse& response);

/// A log-in that was refused, or that nobody could decide. `name` as typed.
[[nodiscard]] Result<void> noteRefusal(const LogInPlaces& at, const Visit& visit, const std::string& name,
                                       const Error& why);

/// Adds to the audit what a request does. Who must not act unseen does not act where this fails.
[[nodiscard]] Result<void> noteAction(const ApiPlaces& places, const Visit& visit, const std::string& action,
                                      std::int64_t projectId, const std::string& item,
                                      const nlohmann::json& detail = nlohmann::json::object());

}  // namespace nora
