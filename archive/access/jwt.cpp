#include "archive/access/jwt.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/encoding.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nora {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longestToken = 64 * 1024;  // bytes
constexpr std::size_t longestSubject = 255;      // OpenID Connect Core, section 2

tl::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::invalidInput, std::move(what), "ID token");
}
tl::unexpected<Error> refused(std::string claim, std::string what) {
  return fail(ErrorCode::forbidden, std::move(what), "ID token, " + std::move(claim));
}

std::string textOf(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Json objectOf(std::string_view part) {
  const auto bytes = fromBase64Url(part);
  return bytes ? Json::parse(*bytes, nullptr, false) : Json();
}

std::optional<double> timeOf(const Json& claims, const char* name) {
  const auto at = claims.find(name);
  if (at == claims.end() || !at->is_number()) return std::nullopt;
  const double time = at->get<double>();
  return std::isfinite(time) ? std::optional(time) : std::nullopt;
}

bool isFor(const Json& claims, const std::string& client) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  if (audience->is_string()) return *audience == client;
  return audience->is_array() && std::find(audience->begin(), audience->end(), Json(client)) != audience->end();
}

std::string seconds(double difference) {
  return std::to_string(static_cast<long long>(std::min(std::fabs(difference), 1e15))) + " s";
}

Result<void> checkTimes(const Json& claims, const TokenExpectation& expected) {
  const auto now = static_cast<double>(expected.now);
  const auto skew = static_cast<double>(expected.skew.count());
  const auto expires = timeOf(claims, "exp"), issued = timeOf(claims, "iat");
  if (!expires) return refused("exp", "has no time at which it ends");
  if (!issued) return refused("iat", "has no time at which it was made");
  if (*expires + skew <= now) {
    return refused("exp", "ended " + seconds(now - *expires) +
                              " ago: log in again; if that does not help, this machine's "
                              "clock is ahead of the provider's: set both by NTP");
  }
  for (const auto* name : {"iat", "nbf"}) {
    const auto from = timeOf(claims, name);
    if (!claims.contains(name) || (from && *from - skew <= now)) continue;
    if (!from) return refused(name, "is not a time");
    return refused(
        name, "begins in " + seconds(*from - now) + ": this machine's clock is behind the provider's: set both by NTP");
  }
  return {};
}

}  // namespace

Result<JsonWebToken> parseToken(std::string_view text) {
  if (text.size() > longestToken) return damaged("is longer than 64 KiB");
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return damaged("is not of three parts");
  }
  const Json header = objectOf(text.substr(0, first));
  JsonWebToken token;
  token.claims = objectOf(text.substr(first + 1, second - first - 1));
  auto signature = fromBase64Url(text.substr(second + 1));
  if (!header.is_object() || !token.claims.is_object() || !signature) return damaged("is damaged");
  if (header.contains("crit")) return damaged("wants an extension that nora does not know");
  const std::string algorithm = textOf(header, "alg");
  if (algorithm != "RS256" && algorithm != "ES256") {
    return fail(ErrorCode::unsupported,
                "is signed by \"" + printable(algorithm.substr(0, 20)) + "\": set the client to RS256 or ES256",
                "ID token");
  }
  token.algorithm = algorithm == "RS256" ? JsonWebKey::Algorithm::rs256 : JsonWebKey::Algorithm::es256;
  token.keyId = textOf(header, "kid");
  token.signedPart = text.substr(0, second);
  token.signature = std::move(*signature);
  return token;
}

SignatureCheck checkSignature(const JsonWebToken& token, std::span<const JsonWebKey> keys) {
  SignatureCheck check;
  for (const auto& key : keys) {
    if (key.algorithm() != token.algorithm) continue;
    if (!token.keyId.empty() && key.id() != token.keyId) continue;
    check.known = true;
    check.right = check.right || key.verifies(token.signedPart, token.signature);
  }
  return check;
}

Result<void> checkClaims(const Json& claims, const TokenExpectation& expected) {
  if (textOf(claims, "iss") != expected.issuer) {
    return refused("iss", "is of " + printable(textOf(claims, "iss").substr(0, 200)) + ", not of " + expected.issuer +
                              ": set the issuer as the provider spells it");
  }
  if (!isFor(claims, expected.clientId)) return refused("aud", "is for another program than " + expected.clientId);
  const bool several = claims["aud"].is_array() && claims["aud"].size() > 1;
  if ((several || claims.contains("azp")) && textOf(claims, "azp") != expected.clientId) {
    return refused("azp", "was given to another program than " + expected.clientId);
  }
  if (auto times = checkTimes(claims, expected); !times) return times;
  if (expected.nonce.empty() || !equalInConstantTime(textOf(claims, "nonce"), expected.nonce)) {
    return refused("nonce", "is not of this log-in: begin again");
  }
  const std::string subject = textOf(claims, "sub");
  if (subject.empty() || subject.size() > longestSubject) return refused("sub", "names nobody");
  return {};
}

}  // namespace nora
