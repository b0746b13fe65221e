// The directories of the settings ([ldap]): people log in by them, and they are asked from time to time who may still
// enter.
#pragma once

#include "app/login_secret.hpp"
#include "archive/access/ldap_directory.hpp"
#include "archive/index/accounts.hpp"
#include "base/login_config.hpp"

#include <chrono>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace nora {

/// Thread: any. Calls wait for the directories, within their time limits: not for the socket's thread.
class LoginDirectories {
 public:
  LoginDirectories() = default;  // none

  /// Checks the settings; asks nobody. Errors: invalidInput (names the table and the setting).
  [[nodiscard]] static Result<LoginDirectories> make(const std::vector<LdapConfig>& settings,
                                                     const Environment& environment);

  [[nodiscard]] bool empty() const { return all_.empty(); }
  /// For people, in their order.
  [[nodiscard]] std::vector<std::string> titles() const;
  /// Names of groups in nora that the settings give.
  [[nodiscard]] std::set<std::string> groupNames() const;
  /// One of them says who is an administrator of nora.
  [[nodiscard]] bool sayAdministrators() const;

  /// Asks one after the other until one lets them in. Errors: forbidden (all that could be asked refuse, and why if
  /// that helps who logs in), unavailable (none let them in, and one could not be asked, which names it; the log has
  /// why).
  [[nodiscard]] Result<DirectoryEntry> logIn(const std::string& name, const std::string& password) const;

  /// Asks the directories which are due, of all their users who have a way in: takes over their groups, and shuts out
  /// who is not found. A directory that does not answer changes nothing.
  void confirmUsers(Accounts& accounts, const std::stop_token& stop);

  /// Says in the log which servers cannot be asked, then confirms users again and again. `accounts` and this outlive
  /// it.
  [[nodiscard]] std::jthread watch(Accounts& accounts);

 private:
  using Clock = std::chrono::steady_clock;
  struct Directory {
    std::string name, title;
    LdapDirectory ldap;
    std::set<std::string> groupNames;
    bool saysAdministrators = false;
    std::chrono::seconds every{0};  // 0: never
    Clock::time_point due{};
  };

  [[nodiscard]] static DirectoryEntry entryOf(const Directory& directory, const DirectoryUser& user);
  [[nodiscard]] static bool confirm(const Directory& directory, Accounts& accounts, const UserRecord& user);

  std::vector<Directory> all_;
};

}  // namespace nora
