#include "archive/access/oidc_provider.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t keptFor = 3600;        // seconds
constexpr std::int64_t askedAgainAfter = 30;  // seconds; a stranger's tokens must not make us ask all the time

std::string textOf(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool lists(const Json& object, const char* name, const char* value) {
  const auto at = object.find(name);
  return at != object.end() && at->is_array() && std::find(at->begin(), at->end(), Json(value)) != at->end();
}

bool isTrue(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

bool fresh(std::int64_t since, std::int64_t now, std::int64_t seconds) {
  return since <= now && now < since + seconds;  // a clock that was set back makes it old
}

}  // namespace

OidcProvider::OidcProvider(std::string issuer, FetchLimits limits, Clock clock)
    : issuer_(std::move(issuer)), limits_(std::move(limits)), clock_(std::move(clock)) {}

Result<Json> OidcProvider::ask(const FetchRequest& request) const {
  auto answer = httpFetch(request, limits_);
  if (!answer) return tl::make_unexpected(answer.error());
  Json json = Json::parse(answer->body, nullptr, false);
  if (answer->status >= 500) {
    return fail(ErrorCode::unavailable, "answers with status " + std::to_string(answer->status), request.url);
  }
  if (answer->status != 200) {
    std::string what = "answers with status " + std::to_string(answer->status);
    const std::string error = json.is_object() ? textOf(json, "error") : std::string();
    if (!error.empty()) what += " " + printable(error.substr(0, 100));
    if (error == "invalid_client") what += ": check client_id and client_secret";
    if (error != "invalid_grant") return fail(ErrorCode::invalidInput, what, request.url);
    return fail(ErrorCode::forbidden,
                what + ": the log-in was used already, is too old, or redirect_uri differs: begin again", request.url);
  }
  if (!json.is_object()) return fail(ErrorCode::invalidInput, "does not answer with a JSON object", request.url);
  return json;
}

Result<OidcAddresses> OidcProvider::addresses() {
  const std::int64_t now = clock_();
  {
    const std::lock_guard lock(mutex_);
    if (addresses_ && fresh(addressesAt_, now, keptFor)) return *addresses_;
  }
  const std::string base = issuer_.back() == '/' ? issuer_.substr(0, issuer_.size() - 1) : issuer_;
  const std::string url = base + "/.well-known/openid-configuration";
  auto json = ask({url, {"Accept: application/json"}, {}});
  if (!json) return tl::make_unexpected(json.error());
  if (textOf(*json, "issuer") != issuer_) {
    return fail(ErrorCode::invalidInput,
                "is the configuration of " + printable(textOf(*json, "issuer").substr(0, 200)) + ", not of " + issuer_ +
                    ": set the issuer as the provider spells it",
                url);
  }
  OidcAddresses found{textOf(*json, "authorization_endpoint"),
                      textOf(*json, "token_endpoint"),
                      textOf(*json, "jwks_uri"),
                      textOf(*json, "userinfo_endpoint"),
                      false,
                      isTrue(*json, "authorization_response_iss_parameter_supported")};
  const char* const methods = "token_endpoint_auth_methods_supported";
  found.secretInForm = lists(*json, methods, "client_secret_post") && !lists(*json, methods, "client_secret_basic");
  for (const auto* address : {&found.authorization, &found.token, &found.keys}) {
    if (auto checked = checkFetchAddress(*address); !checked) {
      return fail(ErrorCode::invalidInput, "names an address that cannot be used: " + describe(checked.error()), url);
    }
  }
  const std::lock_guard lock(mutex_);
  addresses_ = found;
  addressesAt_ = now;
  return found;
}

Result<std::vector<JsonWebKey>> OidcProvider::keys(bool again) {
  const std::int64_t now = clock_();
  {
    const std::lock_guard lock(mutex_);
    if (!keys_.empty() && fresh(keysAt_, now, again ? askedAgainAfter : keptFor)) return keys_;
  }
  auto where = addresses();
  if (!where) return tl::make_unexpected(where.error());
  auto answer = httpFetch({where->keys, {"Accept: application/json"}, {}}, limits_);
  if (!answer) return tl::make_unexpected(answer.error());
  if (answer->status != 200) {
    return fail(ErrorCode::unavailable, "answers with status " + std::to_string(answer->status), where->keys);
  }
  auto parsed = parseKeySet(answer->body);
  if (!parsed) return parsed;
  const std::lock_guard lock(mutex_);
  keys_ = *parsed;
  keysAt_ = now;
  return parsed;
}

Result<void> OidcProvider::checkSigned(const JsonWebToken& token) {
  SignatureCheck check;
  for (const bool again : {false, true}) {
    auto known = keys(again);
    if (!known) return tl::make_unexpected(known.error());
    check = checkSignature(token, *known);
    // Without an id the token may be by a newer key of the same kind.
    if (check.right || (check.known && !token.keyId.empty())) break;
  }
  if (check.right) return {};
  return fail(ErrorCode::forbidden,
              check.known ? "is not signed by the provider" : "is signed by a key that the provider does not publish",
              "ID token");
}

}  // namespace nora
