// JSON Web Tokens (RFC 7519) in compact form, as ID tokens of OpenID Connect: taken apart, and held against what is
// expected of them. Only signed ones, RS256 and ES256.
#pragma once

#include "archive/access/jwk.hpp"
#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nora {

struct JsonWebToken {
  JsonWebKey::Algorithm algorithm = JsonWebKey::Algorithm::rs256;
  std::string keyId;  // kid; may be empty
  nlohmann::json claims;
  std::string_view signedPart;  // of the text that was parsed
  std::string signature;
};

/// Takes a token apart; nothing of it is trusted yet. `text` must live as long as the token. Errors: invalidInput
/// (longer than 64 KiB, not of three parts, not base64url or JSON, "crit"); unsupported (names the algorithm; "none"
/// too).
[[nodiscard]] Result<JsonWebToken> parseToken(std::string_view text);

/// Whether one of the keys that the token may mean has signed it. `known`: one of them has its id.
struct SignatureCheck {
  bool known = false;
  bool right = false;
};
[[nodiscard]] SignatureCheck checkSignature(const JsonWebToken& token, std::span<const JsonWebKey> keys);

struct TokenExpectation {
  std::string issuer;
  std::string clientId;
  std::string nonce;
  std::int64_t now = 0;  // seconds since 1970
  std::chrono::seconds skew{60};
};

/// OpenID Connect Core 3.1.3.7. Errors: forbidden; names the claim, and for times by how much the clocks differ.
[[nodiscard]] Result<void> checkClaims(const nlohmann::json& claims, const TokenExpectation& expected);

}  // namespace nora
