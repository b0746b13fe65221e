// What is known of a provider of OpenID Connect: its addresses (discovery) and its keys, kept for a while.
#pragma once

#include "archive/access/http_fetch.hpp"
#include "archive/access/jwt.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {

struct OidcAddresses {
  std::string authorization, token, keys;
  std::string userInfo;         // may be empty
  bool secretInForm = false;    // client_secret_post; else in the header (client_secret_basic)
  bool issuerInAnswer = false;  // RFC 9207: the answer must name the issuer
};

/// Thread: any; no lock is held while the provider is asked.
class OidcProvider {
 public:
  using Clock = std::function<std::int64_t()>;  // seconds since 1970
  OidcProvider(std::string issuer, FetchLimits limits, Clock clock);

  /// Kept for an hour. Errors: unavailable; invalidInput (the answer is not for this issuer, an address that is not
  /// https).
  [[nodiscard]] Result<OidcAddresses> addresses();

  /// Whether the provider has signed a token. Its keys are kept for an hour, and asked for again, at most once in 30 s,
  /// when the token names one that is not known. Errors: forbidden (wrong signature, unknown key), unavailable.
  [[nodiscard]] Result<void> checkSigned(const JsonWebToken& token);

  /// Asks one of the addresses; the answer must be a JSON object with status 200. Errors: unavailable, invalidInput
  /// (names the OAuth error in it); forbidden of invalid_grant: the code is not good, or not any more.
  [[nodiscard]] Result<nlohmann::json> ask(const FetchRequest& request) const;

 private:
  [[nodiscard]] Result<std::vector<JsonWebKey>> keys(bool again);

  const std::string issuer_;
  const FetchLimits limits_;
  const Clock clock_;
  std::mutex mutex_;
  std::optional<OidcAddresses> addresses_;
  std::int64_t addressesAt_ = 0;
  std::vector<JsonWebKey> keys_;
  std::int64_t keysAt_ = 0;
};

}  // namespace nora
