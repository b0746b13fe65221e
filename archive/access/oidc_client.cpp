#include "archive/access/oidc_client.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/encoding.hpp"
#include "archive/access/oidc_provider.hpp"
#include "archive/access/secret.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t longestLogIn = 600;  // seconds between start() and finish()
constexpr std::size_t longestQuery = 16 * 1024, mostGroups = 1000;

tl::unexpected<Error> wrong(std::string setting, std::string what) {
  return fail(ErrorCode::invalidInput, std::move(what), "[oidc] " + std::move(setting));
}
tl::unexpected<Error> refused(std::string what) {
  return fail(ErrorCode::forbidden, std::move(what), "log-in");
}

std::string textOf(const Json& object, const std::string& name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Some providers say true as a text.
bool isTrue(const Json& claims, const char* name) {
  const auto at = claims.find(name);
  return at != claims.end() && (*at == Json(true) || *at == Json("true"));
}

std::vector<std::string> groupsOf(const Json& claims, const std::string& name) {
  std::vector<std::string> groups;
  const auto at = claims.find(name);
  if (at == claims.end()) return groups;
  if (at->is_string()) groups.push_back(at->get<std::string>());
  for (const auto& group : at->is_array() ? *at : Json::array()) {
    if (group.is_string() && groups.size() < mostGroups) groups.push_back(group.get<std::string>());
  }
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded first. Base64 with padding, unlike in tokens.
std::string basicHeader(const OidcSettings& settings) {
  std::string text = toBase64Url(percentEncode(settings.clientId) + ":" + percentEncode(settings.clientSecret));
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return "Authorization: Basic " + text;
}

struct Tokens {
  std::string id, access;
};

Result<Tokens> exchange(const OidcSettings& settings, const OidcProvider& provider, const OidcAddresses& addresses,
                        const OidcPending& pending, const std::string& code) {
  FetchRequest request{addresses.token, {"Accept: application/json"}, {}};
  request.form = "grant_type=authorization_code&code=" + percentEncode(code) +
                 "&redirect_uri=" + percentEncode(settings.redirectUri) + "&code_verifier=" + pending.verifier;
  const bool inHeader = !settings.clientSecret.empty() && !addresses.secretInForm;
  if (inHeader) request.headers.push_back(basicHeader(settings));
  if (!inHeader) request.form += "&client_id=" + percentEncode(settings.clientId);
  if (!inHeader && !settings.clientSecret.empty())
    request.form += "&client_secret=" + percentEncode(settings.clientSecret);
  auto answer = provider.ask(request);
  if (!answer) return tl::make_unexpected(answer.error());
  Tokens tokens{textOf(*answer, "id_token"), textOf(*answer, "access_token")};
  if (tokens.id.empty()) {
    return fail(ErrorCode::invalidInput, "gives no ID token: the client must be allowed the scope openid", request.url);
  }
  return tokens;
}

/// RFC 6749 section 4.1.2 and RFC 9207. The code, if the answer is to this log-in.
Result<std::string> codeOf(const OidcSettings& settings, const OidcAddresses& addresses, const OidcPending& pending,
                           std::string_view query, std::int64_t now) {
  if (query.size() > longestQuery) return refused("the provider's answer is too long");
  const auto state = queryValue(query, "state"), issuer = queryValue(query, "iss"), code = queryValue(query, "code");
  if (pending.state.empty() || !state || !equalInConstantTime(*state, pending.state)) {
    return refused("the provider's answer is not to this log-in: begin again in the same browser");
  }
  if (now > pending.startedAt + longestLogIn || now + settings.skew.count() < pending.startedAt) {
    return refused("the log-in has taken more than ten minutes: begin again");
  }
  if (issuer ? *issuer != settings.issuer : addresses.issuerInAnswer)
    return refused("the answer is of another provider");
  if (const auto error = queryValue(query, "error")) {
    return refused("the provider refuses: " + printable(error->substr(0, 100)) + " " +
                   printable(queryValue(query, "error_description").value_or("").substr(0, 300)));
  }
  if (!code || code->empty()) return refused("the provider's answer has no code: begin again");
  return *code;
}

}  // namespace

struct OidcClient::State {
  OidcSettings settings;
  Clock clock;
  OidcProvider provider;

  State(OidcSettings with, Clock by)
      : settings(std::move(with)), clock(by), provider(settings.issuer, settings.http, by) {}

  /// What the ID token leaves out may be at another address.
  Result<void> complete(const OidcAddresses& addresses, const Tokens& tokens, Json& claims) const {
    if (!textOf(claims, settings.nameClaim).empty() || addresses.userInfo.empty() || tokens.access.empty()) return {};
    if (tokens.access.find_first_of("\r\n") != std::string::npos) return refused("the access token is damaged");
    auto more = provider.ask({addresses.userInfo, {"Authorization: Bearer " + tokens.access}, {}});
    if (!more) return tl::make_unexpected(more.error());
    if (textOf(*more, "sub") != textOf(claims, "sub")) return refused("the provider tells of another user");
    // The signed claims stay as they are.
    for (const auto& [name, value] : more->items()) {
      if (!claims.contains(name)) claims[name] = value;
    }
    return {};
  }

  Result<OidcUser> userOf(const Json& claims) const {
    OidcUser user{settings.issuer,
                  textOf(claims, "sub"),
                  textOf(claims, settings.nameClaim),
                  textOf(claims, "name"),
                  {},
                  groupsOf(claims, settings.groupsClaim)};
    if (user.name.empty()) {
      return wrong("name_claim", "the provider says no " + printable(settings.nameClaim) +
                                     " of users: name another claim, or let the client have the scope for it");
    }
    if (isTrue(claims, "email_verified")) user.email = textOf(claims, "email");
    return user;
  }
};

OidcClient::OidcClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
OidcClient::OidcClient(OidcClient&&) noexcept = default;
OidcClient& OidcClient::operator=(OidcClient&&) noexcept = default;
OidcClient::~OidcClient() = default;

Result<OidcClient> OidcClient::make(OidcSettings settings, Clock clock) {
  if (auto checked = checkFetchAddress(settings.issuer); !checked) return wrong("issuer", describe(checked.error()));
  if (settings.issuer.find_first_of("?#") != std::string::npos) return wrong("issuer", "must have no ? and no #");
  if (settings.clientId.empty()) return wrong("client_id", "is empty: register nora at the provider");
  if (auto checked = checkFetchAddress(settings.redirectUri); !checked) {
    return wrong("redirect_uri", describe(checked.error()));
  }
  if (std::find(settings.scopes.begin(), settings.scopes.end(), "openid") == settings.scopes.end()) {
    return wrong("scopes", "must have openid");
  }
  if (!clock) {
    clock = [] {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      return std::chrono::duration_cast<std::chrono::seconds>(now).count();
    };
  }
  return OidcClient(std::make_unique<State>(std::move(settings), std::move(clock)));
}

Result<OidcClient::Start> OidcClient::start() const {
  auto addresses = state_->provider.addresses();
  if (!addresses) return tl::make_unexpected(addresses.error());
  const OidcSettings& settings = state_->settings;
  Start begun;
  begun.pending = {newSecret().text, newSecret().text, newSecret().text, state_->clock()};
  begun.url = addresses->authorization + (addresses->authorization.find('?') == std::string::npos ? "?" : "&") +
              "response_type=code&client_id=" + percentEncode(settings.clientId) +
              "&redirect_uri=" + percentEncode(settings.redirectUri) +
              "&scope=" + percentEncode(joined(settings.scopes)) + "&state=" + begun.pending.state +
              "&nonce=" + begun.pending.nonce + "&code_challenge=" + toBase64Url(sha256(begun.pending.verifier)) +
              "&code_challenge_method=S256";
  return begun;
}

Result<OidcUser> OidcClient::finish(const OidcPending& pending, std::string_view query) const {
  const OidcSettings& settings = state_->settings;
  auto addresses = state_->provider.addresses();
  if (!addresses) return tl::make_unexpected(addresses.error());
  auto code = codeOf(settings, *addresses, pending, query, state_->clock());
  if (!code) return tl::make_unexpected(code.error());
  auto tokens = exchange(settings, state_->provider, *addresses, pending, *code);
  if (!tokens) return tl::make_unexpected(tokens.error());
  auto token = parseToken(tokens->id);
  if (!token) return tl::make_unexpected(token.error());
  if (auto known = state_->provider.checkSigned(*token); !known) return tl::make_unexpected(known.error());
  const TokenExpectation expected{settings.issuer, settings.clientId, pending.nonce, state_->clock(), settings.skew};
  if (auto right = checkClaims(token->claims, expected); !right) return tl::make_unexpected(right.error());
  if (auto completed = state_->complete(*addresses, *tokens, token->claims); !completed) {
    return tl::make_unexpected(completed.error());
  }
  return state_->userOf(token->claims);
}

}  // namespace nora
