#include "app/api/oidc_routes.hpp"

#include "app/api/json_body.hpp"
#include "archive/access/encoding.hpp"
#include "archive/access/secret.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace nora {
namespace {

constexpr std::size_t longestReturn = 2000;
constexpr std::chrono::seconds cookieLife{Accounts::pendingLoginUs / 1'000'000};

CookiePlace cookiePlace(const HttpRequest& request) {
  return {"/", request.ownOrigin.starts_with("https:")};
}

HttpResponse leadTo(std::string url) {
  HttpResponse response;
  response.status = 303;
  response.location = std::move(url);
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

/// The words that client/src/login-view.ts has sentences for.
HttpResponse backToLogIn(const LogInPlaces& at, const std::string& word) {
  return leadTo(at.ways.providers.pageUrl() + "?login_failed=" + word);
}

/// For an error of the provider's, or of what nora makes of its answer.
std::string wordFor(const Error& error) {
  if (error.code == ErrorCode::unavailable) return "unavailable";
  if (error.code == ErrorCode::invalidInput) return "setup";  // what to do about it is the administrator's matter
  if (error.code != ErrorCode::forbidden) return "failed";
  if (error.where == "name") return "name";
  if (error.where == "user") return "disabled";
  if (error.where == "group") return "group";
  return "failed";
}

/// The browser keeps the mark that it has, so that log-ins in two tabs do not disturb each other.
std::string browserMark(const HttpRequest& request) {
  const auto known = cookieValue(request.header("cookie"), loginCookieName(cookiePlace(request)));
  return known && looksLikeSecret(*known) ? *known : newSecret().text;
}

Result<HttpResponse> startAnswer(const LogInPlaces& at, const Visit& visit) {
  const auto& providers = at.ways.providers;
  const std::string wanted = queryText(visit.request, "provider");
  const bool isOnlyOne = wanted.empty() && providers.all().size() == 1;
  const LoginProvider* provider = isOnlyOne ? &providers.all().front() : providers.find(wanted);
  if (provider == nullptr)
    return fail(ErrorCode::notFound, "this server logs nobody in by such a provider", "provider");
  const std::string returnTo = queryText(visit.request, "return");
  if (!isReturnPlace(returnTo))
    return fail(ErrorCode::invalidInput, "must be a query (?...) or fragment (#...) of the page", "return");
  const auto begun = provider->client.start();
  if (!begun) {
    log::error("[oidc] " + provider->name + ": " + describe(begun.error()));
    return backToLogIn(at, wordFor(begun.error()));
  }
  const std::string mark = browserMark(visit.request);
  auto cookie = loginCookie(mark, cookiePlace(visit.request), cookieLife);
  if (!cookie) return tl::make_unexpected(cookie.error());
  const OidcPending& pending = begun->pending;
  const PendingLogin login{
      hashOfSecret(pending.state), hashOfSecret(mark), provider->name, pending.nonce, pending.verifier, returnTo,
      visit.request.client};
  if (auto kept = at.places.accounts.addPendingLogin(login); !kept) return tl::make_unexpected(kept.error());
  auto response = leadTo(begun->url);
  response.headers.emplace_back("set-cookie", *std::move(cookie));
  return response;
}

/// What OidcClient::finish() reads, as it stood in the address.
std::string answeredQuery(const HttpRequest& request) {
  std::string out;
  for (const char* name : {"state", "code", "iss", "error", "error_description"}) {
    const auto found = request.query.find(name);
    if (found == request.query.end()) continue;
    out += (out.empty() ? "" : "&") + std::string(name) + "=" + percentEncode(found->second);
  }
  return out;
}

Result<UserRecord> userFrom(const LogInPlaces& at, const LoginProvider& provider, const OidcPending& pending,
                            const HttpRequest& request) {
  const auto user = provider.client.finish(pending, answeredQuery(request));
  if (!user) return tl::make_unexpected(user.error());
  const auto entry = provider.entryOf(*user);
  if (!entry) return tl::make_unexpected(entry.error());
  return at.places.accounts.enter(*entry);
}

/// Each attempt counts for its address, as a wrong password does.
Result<HttpResponse> finishAnswer(const LogInPlaces& at, const Visit& visit, const PendingLogin& login,
                                  const std::string& state) {
  const HttpRequest& request = visit.request;
  const LoginProvider* provider = at.ways.providers.find(login.provider);
  if (provider == nullptr) return backToLogIn(at, "expired");  // the settings are others now
  const std::string& attempt = login.stateHash;
  if (at.limiter.admit(attempt, request.client).count() > 0) return backToLogIn(at, "limit");
  const auto user = userFrom(at, *provider, {state, login.nonce, login.verifier, login.startedUs / 1'000'000}, request);
  if (user || user.error().code != ErrorCode::forbidden) at.limiter.undecided(attempt, request.client);
  if (!user) {
    log::warning("[oidc] " + provider->name + ": " + describe(user.error()));
    if (auto noted = noteRefusal(at, visit, "", user.error()); !noted) return tl::make_unexpected(noted.error());
    const bool isRefusedThere = request.query.contains("error") && user.error().code == ErrorCode::forbidden;
    return backToLogIn(at, isRefusedThere ? "refused" : wordFor(user.error()));
  }
  auto response = leadTo(at.ways.providers.pageUrl() + login.returnTo);
  if (auto visitor = beginSession(at, visit, *user, provider->name, response); !visitor)
    return tl::make_unexpected(visitor.error());
  return response;
}

Result<HttpResponse> callbackAnswer(const LogInPlaces& at, const Visit& visit) {
  if (at.ways.providers.all().empty()) return fail(ErrorCode::notFound, "this server logs nobody in by a provider");
  const std::string state = queryText(visit.request, "state");
  const auto mark = cookieValue(visit.request.header("cookie"), loginCookieName(cookiePlace(visit.request)));
  if (state.empty() || !mark) return backToLogIn(at, "expired");
  const auto login = at.places.accounts.takePendingLogin(hashOfSecret(state), hashOfSecret(*mark));
  if (!login && login.error().code == ErrorCode::notFound) return backToLogIn(at, "expired");
  if (!login) return tl::make_unexpected(login.error());
  return finishAnswer(at, visit, *login, state);
}

}  // namespace

bool isReturnPlace(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > longestReturn || (text.front() != '?' && text.front() != '#')) return false;
  constexpr std::string_view punctuation = "-._~!$&'()*+,;=:@/?#%[]";  // RFC 3986
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

std::vector<Route> oidcRoutes(const LogInPlaces& at) {
  const auto waiting = [at](std::string_view path, Result<HttpResponse> (*answer)(const LogInPlaces&, const Visit&)) {
    Route route{"GET", path, Route::For::everybody, [at, answer](const Visit& visit) { return answer(at, visit); }};
    route.waits = true;
    return route;
  };
  return {waiting(oidcStartPath, startAnswer), waiting(oidcCallbackPath, callbackAnswer)};
}

}  // namespace nora
