#include "app/api/account_routes.hpp"

#include "app/api/json_body.hpp"
#include "app/api/router.hpp"
#include "app/api/shown_scene.hpp"
#include "app/process_metrics.hpp"
#include "archive/access/password.hpp"
#include "archive/access/secret.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t smallBody = 64 << 10;
constexpr std::string_view tokenPrefix = "nora_token_";

nlohmann::json toJson(const UserRecord& user) {
  return {{"id", user.id},
          {"name", user.name},
          {"fullName", user.fullName},
          {"email", user.email},
          {"administrator", user.administrator},
          {"origin", user.origin}};
}

std::string entranceOf(const Visitor& visitor) {
  if (visitor.key == "local") return "local";
  switch (visitor.caller.entrance) {
    case Entrance::session: return "session";
    case Entrance::token: return "token";
    case Entrance::shareLink: return "shareLink";
    case Entrance::guest: break;
  }
  return "guest";
}

/// What a link shows to who came by it.
Result<nlohmann::json> shareJson(const ApiPlaces& places, const Visitor& visitor) {
  const auto links = places.accounts.shareLinks(visitor.caller.onlyProject);
  if (!links) return tl::make_unexpected(links.error());
  RowMaker rows(places, visitor);
  for (const ShareLinkRecord& link : *links) {
    if (visitor.key != "share:" + std::to_string(link.id)) continue;
    auto scene = shownScene(places, rows, link.scene);
    if (!scene) return scene;
    return nlohmann::json{{"projectId", link.projectId},
                          {"rights", toJson(link.rights)},
                          {"scene", *std::move(scene)},
                          {"expires", jsonTime(link.expiresUs)}};
  }
  return fail(ErrorCode::forbidden, "the link was taken back: ask for a new one");
}

/// Names and addresses alone: guests see them.
nlohmann::json waysJson(const LogInWays& ways) {
  auto providers = nlohmann::json::array();
  for (const auto& one : ways.providers.all())
    providers.push_back({{"name", one.name}, {"title", one.title}, {"url", one.startUrl}});
  return {{"directories", ways.directories.titles()}, {"providers", std::move(providers)}};
}

Result<nlohmann::json> meJson(const LogInPlaces& at, const Visitor& visitor) {
  const ApiPlaces& places = at.places;
  nlohmann::json out{{"user", nullptr},
                     {"entrance", entranceOf(visitor)},
                     {"csrf", visitor.csrf.empty() ? nlohmann::json() : nlohmann::json(visitor.csrf)},
                     {"logIn", waysJson(at.ways)},
                     {"setup", at.setup.isOpen()},
                     {"share", nullptr},
                     {"version", std::string(programVersion)}};
  if (visitor.caller.entrance == Entrance::shareLink) {
    auto share = shareJson(places, visitor);
    if (!share) return share;
    out["share"] = *std::move(share);
    return out;
  }
  if (visitor.caller.userId == 0) return out;
  const auto user = places.accounts.user(visitor.caller.userId);
  if (!user) return tl::make_unexpected(user.error());
  out["user"] = toJson(*user);
  return out;
}

/// Requests that have no session yet to tell forged ones by.
Result<void> ownOrigin(const HttpRequest& request) {
  const auto origin = request.header("origin");
  if (origin.empty() || origin == request.ownOrigin) return {};
  return fail(ErrorCode::forbidden, "the request comes from another site", "origin");
}

HttpResponse waitFor(std::chrono::milliseconds time) {
  auto response = problemWith({ErrorCode::limitExceeded, "too many failed log-ins; wait a little", {}}, 429);
  response.headers.emplace_back("retry-after", std::to_string(time.count() / 1000 + 1));
  return response;
}

/// An account is its user's alone. A token makes no tokens, so that one that leaks ends with its time; and who comes by
/// a share link acts for its owner in one project, but is not its owner.
Result<void> inPerson(const Visitor& visitor) {
  if (visitor.sessionId != 0 || visitor.key == "local") return {};
  return fail(ErrorCode::forbidden, "log in with name and password to do this");
}

constexpr const char* wrongNameOrPassword = "name or password is wrong";

/// Whether it is the password of a local user.
Result<void> checkLocal(const UserRecord& user, const std::string& password) {
  if (user.passwordHash.empty() || user.disabled) {
    checkPasswordOfNobody(password);
    return fail(ErrorCode::forbidden, wrongNameOrPassword);
  }
  const auto check = checkPassword(password, user.passwordHash);
  if (!check) return tl::make_unexpected(check.error());
  if (!check->matches) return fail(ErrorCode::forbidden, wrongNameOrPassword);
  return {};
}

/// Who it is. A local user's password is compared here and goes to no directory, nor does one of them take that name
/// over.
Result<UserRecord> checked(const LogInPlaces& at, const std::string& name, const std::string& password) {
  Accounts& accounts = at.places.accounts;
  auto user = accounts.user(name);
  if (!user && user.error().code != ErrorCode::notFound) return user;
  if (user && user->origin == "local") {
    if (auto right = checkLocal(*user, password); !right) return tl::make_unexpected(right.error());
    return user;
  }
  if (at.ways.directories.empty()) {
    checkPasswordOfNobody(password);
    return fail(ErrorCode::forbidden, wrongNameOrPassword);
  }
  const auto entry = at.ways.directories.logIn(name, password);
  if (!entry) return tl::make_unexpected(entry.error());
  return accounts.enter(*entry);
}

Result<HttpResponse> entered(const LogInPlaces& at, const Visit& visit, const UserRecord& user, const std::string& by) {
  HttpResponse cookie;
  const auto visitor = beginSession(at, visit, user, by, cookie);
  if (!visitor) return tl::make_unexpected(visitor.error());
  const auto me = meJson(at, *visitor);
  if (!me) return tl::make_unexpected(me.error());
  auto response = jsonAnswer(*me);
  response.headers = std::move(cookie.headers);
  return response;
}

/// 403, not 401: the log-in itself was wrong.
HttpResponse refusedLogIn(const Error& error) {
  constexpr const char* againInSeconds = "30";
  auto response = problem(error);
  if (error.code == ErrorCode::unavailable) response.headers.emplace_back("retry-after", againInSeconds);
  return response;
}

Result<HttpResponse> logInAnswer(const LogInPlaces& at, const Visit& visit) {
  if (auto own = ownOrigin(visit.request); !own) return tl::make_unexpected(own.error());
  JsonBody body(visit.body);
  const auto name = body.text("name"), password = body.text("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  const auto has = at.gate.hasAccounts();
  if (!has) return tl::make_unexpected(has.error());
  if (!*has && !at.setup.isOpen() && at.ways.empty()) {
    return problem({ErrorCode::forbidden,
                    "there are no accounts: this server is for who sits at its machine; \"nora user add\", or a start "
                    "with login = always, makes one for others",
                    {}});
  }
  if (const auto time = at.limiter.admit(name, visit.request.client); time.count() > 0) return waitFor(time);
  const auto user = checked(at, name, password);
  if (!user) {
    if (user.error().code != ErrorCode::forbidden) at.limiter.undecided(name, visit.request.client);
    if (auto noted = noteRefusal(at, visit, name, user.error()); !noted) return tl::make_unexpected(noted.error());
    return refusedLogIn(user.error());
  }
  at.limiter.succeeded(name, visit.request.client);
  return entered(at, visit, *user, user->origin == "local" ? "password" : user->origin);
}

Result<HttpResponse> setUpAnswer(const LogInPlaces& at, const Visit& visit) {
  if (auto own = ownOrigin(visit.request); !own) return tl::make_unexpected(own.error());
  JsonBody body(visit.body);
  const auto secret = body.text("secret"), name = body.text("name"), password = body.text("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!at.setup.matches(secret)) {
    return problem({ErrorCode::forbidden,
                    "the link was used, or is of an earlier start: log in, or start the server again if there is no "
                    "administrator",
                    {}});
  }
  if (auto good = checkNewPassword(password, name); !good) return tl::make_unexpected(good.error());
  const auto hash = hashPassword(password);
  if (!hash) return tl::make_unexpected(hash.error());
  UserRecord user;
  user.name = name;
  user.passwordHash = *hash;
  Result<UserRecord> made;
  const auto stored = at.places.database.together([&]() -> Result<void> {
    made = at.places.accounts.addFirstAdministrator(user);
    if (!made) return tl::make_unexpected(made.error());
    return noteAction(at.places, visit, "user.add", 0, name, {{"setup", true}});
  });
  if (!made && made.error().code == ErrorCode::forbidden) {
    at.setup.close();  // somebody else was faster, by this link or otherwise
    return problem(made.error());
  }
  if (!stored) return tl::make_unexpected(stored.error());
  return entered(at, visit, *made, "setup");
}

Result<HttpResponse> passwordAnswer(const LogInPlaces& at, const Visit& visit) {
  if (auto person = inPerson(visit.visitor); !person) return tl::make_unexpected(person.error());
  JsonBody body(visit.body);
  const auto old = body.text("old", 4096), wanted = body.text("new", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  Accounts& accounts = at.places.accounts;
  const auto user = accounts.user(visit.visitor.name);
  if (!user) return tl::make_unexpected(user.error());
  if (user->origin != "local")
    return fail(ErrorCode::invalidInput, "your password is not kept here: change it where you log in", "old");
  if (const auto time = at.limiter.admit(user->name, visit.request.client); time.count() > 0) return waitFor(time);
  if (auto right = checkLocal(*user, old); !right) {
    if (right.error().code == ErrorCode::forbidden)
      return fail(ErrorCode::invalidInput, "the old password is wrong", "old");
    at.limiter.undecided(user->name, visit.request.client);
    return tl::make_unexpected(right.error());
  }
  at.limiter.succeeded(user->name, visit.request.client);
  if (auto good = checkNewPassword(wanted, user->name); !good) return tl::make_unexpected(good.error());
  const auto hash = hashPassword(wanted);
  if (!hash) return tl::make_unexpected(hash.error());
  const auto stored = at.places.database.together([&]() -> Result<void> {
    if (auto noted = noteAction(at.places, visit, "password.set", 0, user->name); !noted) return noted;
    return accounts.setPassword(user->id, *hash, visit.visitor.sessionId);
  });
  if (!stored) return tl::make_unexpected(stored.error());
  return jsonAnswer(nlohmann::json::object());
}

// ---- tokens and sessions of one's own

nlohmann::json toJson(const TokenRecord& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"rights", nora::toJson(token.rights)},
          {"projectId", token.projectId == 0 ? nlohmann::json() : nlohmann::json(token.projectId)},
          {"created", jsonTime(token.createdUs)},
          {"expires", jsonTime(token.expiresUs)},
          {"used", jsonTime(token.usedUs)}};
}

Result<HttpResponse> tokensAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto tokens = places.accounts.tokens(visit.visitor.caller.userId);
  if (!tokens) return tl::make_unexpected(tokens.error());
  auto out = nlohmann::json::array();
  for (const auto& token : *tokens) out.push_back(toJson(token));
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> addTokenAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  TokenRecord token;
  token.userId = visit.visitor.caller.userId;
  token.name = body.text("name");
  token.rights = body.rights("rights").value_or(Rights(Right::read));
  token.projectId = body.id("projectId").value_or(0);
  const auto expires = body.timeUs("expires");
  if (!expires) body.wrong("expires", "the field is missing");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  token.expiresUs = *expires;
  const auto secret = newSecret(tokenPrefix);
  token.secretHash = secret.hash;
  if (auto noted = noteAction(places, visit, "token.add", token.projectId, token.name); !noted)
    return tl::make_unexpected(noted.error());
  const auto made = places.accounts.addToken(token);
  if (!made) return tl::make_unexpected(made.error());
  auto json = toJson(*made);
  json["secret"] = secret.text;
  return jsonAnswer(json, 201);
}

Result<HttpResponse> removeTokenAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "token");
  if (!id) return tl::make_unexpected(id.error());
  const auto tokens = places.accounts.tokens(visit.visitor.caller.userId);
  if (!tokens) return tl::make_unexpected(tokens.error());
  const bool isOwn = std::any_of(tokens->begin(), tokens->end(), [&](const auto& token) { return token.id == *id; });
  if (!isOwn) return fail(ErrorCode::notFound, "there is no such token", "token");
  if (auto noted = noteAction(places, visit, "token.remove", 0, std::to_string(*id)); !noted)
    return tl::make_unexpected(noted.error());
  if (auto removed = places.accounts.removeToken(*id); !removed) return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

nlohmann::json toJson(const WebSessionRecord& session, const Visitor& visitor) {
  return {{"id", session.id},
          {"userId", session.userId},
          {"address", session.address},
          {"created", jsonTime(session.createdUs)},
          {"seen", jsonTime(session.seenUs)},
          {"expires", jsonTime(session.expiresUs)},
          {"current", session.id == visitor.sessionId}};
}

Result<HttpResponse> sessionsAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto sessions = places.accounts.sessions(visit.visitor.caller.userId);
  if (!sessions) return tl::make_unexpected(sessions.error());
  auto out = nlohmann::json::array();
  for (const auto& session : *sessions) out.push_back(toJson(session, visit.visitor));
  return jsonAnswer(listJson(std::move(out)));
}

Result<HttpResponse> endSessionAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "session");
  if (!id) return tl::make_unexpected(id.error());
  const auto sessions = places.accounts.sessions(visit.visitor.caller.userId);
  if (!sessions) return tl::make_unexpected(sessions.error());
  const bool isOwn = std::any_of(sessions->begin(), sessions->end(), [&](const auto& one) { return one.id == *id; });
  if (!isOwn) return fail(ErrorCode::notFound, "there is no such session", "session");
  if (auto noted = noteAction(places, visit, "session.end", 0, std::to_string(*id)); !noted)
    return tl::make_unexpected(noted.error());
  if (auto removed = places.accounts.removeSession(*id); !removed) return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

}  // namespace

std::vector<Route> accountRoutes(const LogInPlaces& at) {
  const ApiPlaces places = at.places;
  const auto everybody = Route::For::everybody, users = Route::For::users;
  const auto own = [&](std::string_view method, std::string_view pattern,
                       Result<HttpResponse> (*answer)(const ApiPlaces&, const Visit&), std::size_t body = 0) {
    return Route{method,
                 pattern,
                 users,
                 [places, answer](const Visit& visit) -> Result<HttpResponse> {
                   if (auto person = inPerson(visit.visitor); !person) return tl::make_unexpected(person.error());
                   return answer(places, visit);
                 },
                 {},
                 body};
  };
  return {
      {"GET", "/api/v1/me", everybody,
       [at](const Visit& visit) -> Result<HttpResponse> {
         const auto me = meJson(at, visit.visitor);
         if (!me) return tl::make_unexpected(me.error());
         return jsonAnswer(*me);
       }},
      {"POST",
       "/api/v1/login",
       everybody,
       [at](const Visit& visit) { return logInAnswer(at, visit); },
       {},
       smallBody,
       true,
       true},
      {"POST",
       "/api/v1/setup",
       everybody,
       [at](const Visit& visit) { return setUpAnswer(at, visit); },
       {},
       smallBody,
       false,
       true},
      {"POST",
       "/api/v1/logout",
       everybody,
       [places, &gate = at.gate](const Visit& visit) -> Result<HttpResponse> {
         auto response = jsonAnswer(nlohmann::json::object());
         const auto stored = places.database.together([&]() -> Result<void> {
           if (auto out = gate.logOut(visit.visitor, visit.request, response); !out) return out;
           return noteAction(places, visit, "logout", 0, visit.visitor.name);
         });
         if (!stored) return tl::make_unexpected(stored.error());
         return response;
       },
       {},
       smallBody,
       false,
       true},
      {"PUT",
       "/api/v1/me/password",
       users,
       [at](const Visit& visit) { return passwordAnswer(at, visit); },
       {},
       smallBody,
       false,
       true},
      own("GET", "/api/v1/me/tokens", tokensAnswer),
      own("POST", "/api/v1/me/tokens", addTokenAnswer, smallBody),
      own("DELETE", "/api/v1/me/tokens/{id}", removeTokenAnswer),
      own("GET", "/api/v1/me/sessions", sessionsAnswer),
      own("DELETE", "/api/v1/me/sessions/{id}", endSessionAnswer),
  };
}

}  // namespace nora
