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

Result<nlohmann::json> meJson(const ApiPlaces& places, const Visitor& visitor, const Setup& setup) {
  nlohmann::json out{{"user", nullptr},
                     {"entrance", entranceOf(visitor)},
                     {"csrf", visitor.csrf.empty() ? nlohmann::json() : nlohmann::json(visitor.csrf)},
                     {"logIn", {{"password", true}, {"oidc", false}, {"oidcName", ""}}},
                     {"setup", setup.isOpen()},
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

/// Name and password of a local user.
Result<UserRecord> checked(const ApiPlaces& places, const std::string& name, const std::string& password) {
  constexpr const char* wrong = "name or password is wrong";
  auto user = places.accounts.user(name);
  if (!user && user.error().code != ErrorCode::notFound) return tl::make_unexpected(user.error());
  if (!user || user->passwordHash.empty() || user->disabled) {
    checkPasswordOfNobody(password);
    return fail(ErrorCode::forbidden, wrong);
  }
  const auto check = checkPassword(password, user->passwordHash);
  if (!check) return tl::make_unexpected(check.error());
  if (!check->matches) return fail(ErrorCode::forbidden, wrong);
  return *std::move(user);
}

Result<HttpResponse> entered(const ApiPlaces& places, Gate& gate, const Setup& setup, const Visit& visit,
                             const UserRecord& user) {
  HttpResponse cookie;
  Result<Visitor> visitor;
  const auto stored = places.database.together([&]() -> Result<void> {
    cookie = {};
    visitor = gate.logIn(user, visit.request, cookie);
    if (!visitor) return tl::make_unexpected(visitor.error());
    const Visit now{visit.request, *visitor, {}, {}, {}};
    if (auto noted = noteAction(places, now, "login", 0, user.name); !noted) return noted;
    return places.accounts.noteSeen(user.id);
  });
  if (!stored) return tl::make_unexpected(stored.error());
  const auto me = meJson(places, *visitor, setup);
  if (!me) return tl::make_unexpected(me.error());
  auto response = jsonAnswer(*me);
  response.headers = std::move(cookie.headers);
  return response;
}

Result<HttpResponse> logInAnswer(const ApiPlaces& places, Gate& gate, LoginLimiter& limiter, const Setup& setup,
                                 const Visit& visit) {
  if (auto own = ownOrigin(visit.request); !own) return tl::make_unexpected(own.error());
  JsonBody body(visit.body);
  const auto name = body.text("name"), password = body.text("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  const auto has = gate.hasAccounts();
  if (!has) return tl::make_unexpected(has.error());
  if (!*has && !setup.isOpen()) {
    return problem({ErrorCode::forbidden,
                    "there are no accounts: this server is for who sits at its machine; \"nora user add\", or a start "
                    "with login = always, makes one for others",
                    {}});
  }
  if (const auto time = limiter.admit(name, visit.request.client); time.count() > 0) return waitFor(time);
  const auto user = checked(places, name, password);
  if (!user) {
    if (user.error().code != ErrorCode::forbidden) limiter.undecided(name, visit.request.client);
    if (auto noted = noteAction(places, visit, "login.failed", 0, name); !noted)
      return tl::make_unexpected(noted.error());
    return problem(user.error());  // 403, not 401: the log-in itself was wrong
  }
  limiter.succeeded(name, visit.request.client);
  return entered(places, gate, setup, visit, *user);
}

Result<HttpResponse> setUpAnswer(const ApiPlaces& places, Gate& gate, Setup& setup, const Visit& visit) {
  if (auto own = ownOrigin(visit.request); !own) return tl::make_unexpected(own.error());
  JsonBody body(visit.body);
  const auto secret = body.text("secret"), name = body.text("name"), password = body.text("password", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!setup.matches(secret)) {
    return problem({ErrorCode::forbidden, "the link was used, or is of an earlier start: start the server again", {}});
  }
  const auto users = places.accounts.users();
  if (!users) return tl::make_unexpected(users.error());
  if (std::any_of(users->begin(), users->end(), [](const auto& one) { return one.administrator; })) {
    setup.close();  // made by the command line meanwhile
    return problem({ErrorCode::forbidden, "there is an administrator already: log in", {}});
  }
  if (auto good = checkNewPassword(password, name); !good) return tl::make_unexpected(good.error());
  const auto hash = hashPassword(password);
  if (!hash) return tl::make_unexpected(hash.error());
  UserRecord user;
  user.name = name;
  user.administrator = true;
  user.passwordHash = *hash;
  Result<UserRecord> made;
  const auto stored = places.database.together([&]() -> Result<void> {
    made = places.accounts.addUser(user);
    if (!made) return tl::make_unexpected(made.error());
    return noteAction(places, visit, "user.add", 0, name, {{"setup", true}});
  });
  if (!stored) return tl::make_unexpected(stored.error());
  setup.close();
  return entered(places, gate, setup, visit, *made);
}

Result<HttpResponse> passwordAnswer(const ApiPlaces& places, LoginLimiter& limiter, const Visit& visit) {
  if (auto person = inPerson(visit.visitor); !person) return tl::make_unexpected(person.error());
  JsonBody body(visit.body);
  const auto old = body.text("old", 4096), wanted = body.text("new", 4096);
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  const std::string& name = visit.visitor.name;
  if (const auto time = limiter.admit(name, visit.request.client); time.count() > 0) return waitFor(time);
  const auto user = checked(places, name, old);
  if (!user && user.error().code != ErrorCode::forbidden) {
    limiter.undecided(name, visit.request.client);
    return tl::make_unexpected(user.error());
  }
  if (!user) return fail(ErrorCode::invalidInput, "the old password is wrong", "old");
  limiter.succeeded(name, visit.request.client);
  if (auto good = checkNewPassword(wanted, user->name); !good) return tl::make_unexpected(good.error());
  const auto hash = hashPassword(wanted);
  if (!hash) return tl::make_unexpected(hash.error());
  const auto stored = places.database.together([&]() -> Result<void> {
    if (auto noted = noteAction(places, visit, "password.set", 0, user->name); !noted) return noted;
    return places.accounts.setPassword(user->id, *hash, visit.visitor.sessionId);
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

std::string Setup::open() {
  const auto secret = newSecret();
  const std::lock_guard lock(mutex_);
  hash_ = secret.hash;
  return secret.text;
}

bool Setup::isOpen() const {
  const std::lock_guard lock(mutex_);
  return !hash_.empty();
}

bool Setup::matches(std::string_view secret) const {
  const std::lock_guard lock(mutex_);
  return !hash_.empty() && secretMatches(secret, hash_);
}

void Setup::close() {
  const std::lock_guard lock(mutex_);
  hash_.clear();
}

Result<void> noteAction(const ApiPlaces& places, const Visit& visit, const std::string& action, std::int64_t projectId,
                        const std::string& item, const nlohmann::json& detail) {
  AuditRecord record;
  record.user = visit.visitor.name.empty() ? "guest" : visit.visitor.name;
  record.action = action;
  record.projectId = projectId;
  record.item = item;
  record.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  record.address = visit.request.client;
  return places.accounts.note(record);
}

std::vector<Route> accountRoutes(const ApiPlaces& places, Gate& gate, LoginLimiter& limiter, Setup& setup) {
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
       [places, &setup](const Visit& visit) -> Result<HttpResponse> {
         const auto me = meJson(places, visit.visitor, setup);
         if (!me) return tl::make_unexpected(me.error());
         return jsonAnswer(*me);
       }},
      {"POST",
       "/api/v1/login",
       everybody,
       [=, &gate, &limiter, &setup](const Visit& visit) { return logInAnswer(places, gate, limiter, setup, visit); },
       {},
       smallBody,
       true},
      {"POST",
       "/api/v1/setup",
       everybody,
       [=, &gate, &setup](const Visit& visit) { return setUpAnswer(places, gate, setup, visit); },
       {},
       smallBody,
       true},
      {"POST",
       "/api/v1/logout",
       everybody,
       [places, &gate](const Visit& visit) -> Result<HttpResponse> {
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
       true},
      {"PUT",
       "/api/v1/me/password",
       users,
       [=, &limiter](const Visit& visit) { return passwordAnswer(places, limiter, visit); },
       {},
       smallBody,
       true},
      own("GET", "/api/v1/me/tokens", tokensAnswer),
      own("POST", "/api/v1/me/tokens", addTokenAnswer, smallBody),
      own("DELETE", "/api/v1/me/tokens/{id}", removeTokenAnswer),
      own("GET", "/api/v1/me/sessions", sessionsAnswer),
      own("DELETE", "/api/v1/me/sessions/{id}", endSessionAnswer),
  };
}

}  // namespace nora
