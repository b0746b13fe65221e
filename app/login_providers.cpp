#include "app/login_providers.hpp"

#include "app/login_names.hpp"

#include <algorithm>
#include <utility>

namespace nora {
namespace {

constexpr const char* origin = "oidc";

/// With / at its end. Errors: invalidInput.
Result<std::string> pageUrlOf(std::string url) {
  const auto wrong = [](std::string what) { return fail(ErrorCode::invalidInput, std::move(what), "public_url"); };
  if (url.empty())
    return wrong("is empty: [oidc] needs the address by which browsers reach nora, as https://images.example.org/");
  if (auto right = checkFetchAddress(url); !right) return wrong(describe(right.error()));
  if (url.find_first_of("?#") != std::string::npos) return wrong("must have no ? and no #");
  if (!url.ends_with('/')) url += '/';
  return url;
}

Result<OidcSettings> settingsOf(const OidcConfig& from, const std::string& pageUrl, const Environment& environment) {
  auto secret = loginSecret("[oidc] client_secret", from.clientSecretFile, from.clientSecretEnv, environment);
  if (!secret) return tl::make_unexpected(secret.error());
  if (auto there = checkCaFile("[oidc] ca_file", from.caFile); !there) return tl::make_unexpected(there.error());
  OidcSettings out;
  out.issuer = from.issuer;
  out.clientId = from.clientId;
  out.clientSecret = *std::move(secret);
  out.redirectUri = pageUrl + std::string(oidcCallbackPath.substr(1));
  out.scopes = from.scopes;
  out.nameClaim = from.nameClaim;
  out.groupsClaim = from.groupsClaim;
  out.http.timeout = std::chrono::milliseconds(from.timeoutMs);
  out.http.connectTimeout = std::min(out.http.connectTimeout, out.http.timeout);
  out.http.caFile = from.caFile;
  return out;
}

bool has(const std::vector<std::string>& groups, const std::string& group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

Result<DirectoryEntry> LoginProvider::entryOf(const OidcUser& user) const {
  if (!requiredGroup.empty() && !has(user.groups, requiredGroup))
    return fail(ErrorCode::forbidden, "not in the group that may use nora", "group");
  DirectoryEntry out{origin,     user.issuer + " " + user.subject,     user.name, user.fullName,
                     user.email, groupsInNora(user.groups, groupNames)};
  if (!administratorsGroup.empty()) out.administrator = has(user.groups, administratorsGroup);
  return out;
}

Result<LoginProviders> LoginProviders::make(const std::vector<OidcConfig>& settings, const std::string& publicUrl,
                                            const Environment& environment) {
  LoginProviders out;
  if (settings.empty()) return out;
  auto pageUrl = pageUrlOf(publicUrl);
  if (!pageUrl) return tl::make_unexpected(pageUrl.error());
  out.pageUrl_ = *std::move(pageUrl);
  std::set<std::string> names;
  for (const OidcConfig& one : settings) {
    if (auto right = checkLoginName("oidc", one.name, names); !right) return tl::make_unexpected(right.error());
    auto with = settingsOf(one, out.pageUrl_, environment);
    if (!with) return tl::make_unexpected(with.error());
    auto client = OidcClient::make(*std::move(with));
    if (!client) return tl::make_unexpected(client.error());
    out.all_.push_back({one.name, one.title.empty() ? one.name : one.title,
                        out.pageUrl_ + std::string(oidcStartPath.substr(1)) + "?provider=" + one.name,
                        *std::move(client), one.groupNames, one.requiredGroup, one.administratorsGroup});
  }
  return out;
}

const LoginProvider* LoginProviders::find(const std::string& name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

std::set<std::string> LoginProviders::groupNames() const {
  std::set<std::string> out;
  for (const auto& one : all_) out.merge(namesGiven(one.groupNames));
  return out;
}

bool LoginProviders::sayAdministrators() const {
  return std::any_of(all_.begin(), all_.end(), [](const auto& one) { return !one.administratorsGroup.empty(); });
}

}  // namespace nora
