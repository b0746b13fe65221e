// The providers of OpenID Connect of the settings ([oidc]).
#pragma once

#include "app/login_secret.hpp"
#include "archive/access/oidc_client.hpp"
#include "archive/index/accounts.hpp"
#include "base/login_config.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace nora {

constexpr std::string_view oidcStartPath = "/api/v1/login/oidc", oidcCallbackPath = "/api/v1/login/oidc/callback";

struct LoginProvider {
  std::string name, title;
  std::string startUrl;  // where the browser begins
  OidcClient client;
  std::map<std::string, std::string> groupNames;
  std::string requiredGroup, administratorsGroup;

  /// Errors: forbidden (where: "group") if they are not in the required group.
  [[nodiscard]] Result<DirectoryEntry> entryOf(const OidcUser& user) const;
};

/// Thread: any.
class LoginProviders {
 public:
  LoginProviders() = default;  // none

  /// Checks the settings; asks nobody. Errors: invalidInput (names the setting).
  [[nodiscard]] static Result<LoginProviders> make(const std::vector<OidcConfig>& settings,
                                                   const std::string& publicUrl, const Environment& environment);

  [[nodiscard]] const std::vector<LoginProvider>& all() const { return all_; }
  /// nullptr: there is none of that name.
  [[nodiscard]] const LoginProvider* find(const std::string& name) const;
  [[nodiscard]] bool sayAdministrators() const;
  /// Names of groups in nora that the settings give.
  [[nodiscard]] std::set<std::string> groupNames() const;
  /// Of the page, with / at its end; empty without providers.
  [[nodiscard]] const std::string& pageUrl() const { return pageUrl_; }

 private:
  std::vector<LoginProvider> all_;
  std::string pageUrl_;
};

}  // namespace nora
