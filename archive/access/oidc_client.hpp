// Log-in by a provider of OpenID Connect: authorization code with PKCE (S256).
#pragma once

#include "archive/access/http_fetch.hpp"
#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct OidcSettings {
  std::string issuer;  // as https://login.example.org/realms/lab, exactly as the provider spells it
  std::string clientId;
  std::string clientSecret;  // empty: a public client, held by PKCE alone
  std::string redirectUri;   // of nora, as registered at the provider
  std::vector<std::string> scopes = {"openid", "profile", "email"};
  std::string nameClaim = "preferred_username";
  std::string groupsClaim = "groups";
  std::chrono::seconds skew{60};  // by which the clocks may differ
  FetchLimits http;
};

/// What is kept between the two steps, in the browser's own session on the server; used once.
struct OidcPending {
  std::string state;
  std::string nonce;
  std::string verifier;
  std::int64_t startedAt = 0;  // seconds since 1970
};

struct OidcUser {
  std::string issuer, subject;  // both together say who it is, for ever; the name does not
  std::string name;
  std::string fullName;
  std::string email;  // only if the provider has verified it
  std::vector<std::string> groups;
};

/// Thread: any. Addresses and keys of the provider are kept for an hour; keys are asked for again, at most once in 30
/// s, when a token names one that is not known.
class OidcClient {
 public:
  using Clock = std::function<std::int64_t()>;  // seconds since 1970

  /// Checks the settings; asks nobody. Errors: invalidInput (names the setting).
  [[nodiscard]] static Result<OidcClient> make(OidcSettings settings, Clock clock = {});
  OidcClient(OidcClient&&) noexcept;
  OidcClient& operator=(OidcClient&&) noexcept;
  ~OidcClient();

  struct Start {
    std::string url;  // where the browser is sent
    OidcPending pending;
  };
  /// Errors: unavailable (the provider cannot be asked, and why); invalidInput (what it answers is of no use).
  [[nodiscard]] Result<Start> start() const;

  /// The browser has come back to the redirect address with `query` (without '?'). Errors: forbidden (refused at the
  /// provider, another state, later than ten minutes, a token that is not right: says which claim), unavailable,
  /// invalidInput (the provider does not know the client or its secret).
  [[nodiscard]] Result<OidcUser> finish(const OidcPending& pending, std::string_view query) const;

 private:
  struct State;
  explicit OidcClient(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace nora
