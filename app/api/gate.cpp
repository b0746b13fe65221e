#include "app/api/gate.hpp"

#include "archive/access/secret.hpp"

namespace nora {
namespace {

constexpr std::chrono::seconds lookAtAccountsEvery{2};
constexpr std::string_view bearer = "Bearer ";

std::int64_t nowUs() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t microseconds(std::chrono::hours time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

/// "there is no such ..." of a secret says nothing; anything else is the index's trouble.
Error refused(const Error& error, std::string what) {
  if (error.code != ErrorCode::notFound) return error;
  return {ErrorCode::forbidden, std::move(what), {}};
}

}  // namespace

Gate::Gate(const ApiPlaces& places, Options options)
    : places_(places), options_(options), localCsrf_(newSecret().text) {}

Result<bool> Gate::hasAccounts() {
  {
    const std::lock_guard lock(mutex_);
    if (hasAccounts_ || Clock::now() - lookedAt_ < lookAtAccountsEvery) return hasAccounts_;
  }
  const auto users = places_.accounts.users();
  if (!users) return tl::make_unexpected(users.error());
  const std::lock_guard lock(mutex_);
  hasAccounts_ = !users->empty();
  lookedAt_ = Clock::now();
  return hasAccounts_;
}

bool Gate::isLocal(const HttpRequest& request) {
  if (!options_.local || !request.fromThisMachine) return false;
  const auto has = hasAccounts();
  return has && !*has;
}

CookiePlace Gate::placeOf(const HttpRequest& request) {
  return {"/", request.ownOrigin.starts_with("https:")};
}

Result<Visitor> Gate::ofUser(std::int64_t userId, Entrance entrance) {
  const auto user = places_.accounts.user(userId);
  if (!user) return tl::make_unexpected(user.error());
  auto caller = places_.accounts.callerOf(userId);
  if (!caller) return tl::make_unexpected(caller.error());
  if (caller->disabled) return fail(ErrorCode::forbidden, "the account is disabled: ask an administrator");
  const auto good = entrance == Entrance::session ? options_.confirmedSession : options_.confirmedSecret;
  if (user->origin != "local" && nowUs() - user->confirmedUs > microseconds(good))
    return fail(ErrorCode::forbidden, "log in at the page first, so that it is known that you may still enter",
                "confirmed");
  Visitor out;
  out.caller = *std::move(caller);
  out.caller.entrance = entrance;
  out.name = user->name;
  return out;
}

Result<Visitor> Gate::byToken(std::string_view header) {
  constexpr const char* wrong = "the token is wrong or has expired: make a new one";
  if (!header.starts_with(bearer)) return fail(ErrorCode::forbidden, "expected \"Bearer TOKEN\"", "authorization");
  const auto token = places_.accounts.token(hashOfSecret(header.substr(bearer.size())));
  if (!token) return tl::make_unexpected(refused(token.error(), wrong));
  auto out = ofUser(token->userId, Entrance::token);
  if (!out) return out;
  out->caller.limit = token->rights;
  out->caller.onlyProject = token->projectId;
  out->key = "token:" + std::to_string(token->id);
  return out;
}

Result<Visitor> Gate::byShare(std::string_view secret) {
  const auto link = places_.accounts.shareLink(hashOfSecret(secret));
  if (!link) return tl::make_unexpected(refused(link.error(), "the link is wrong or has expired: ask for a new one"));
  auto out = ofUser(link->ownerId, Entrance::shareLink);
  if (!out) return out;
  out->caller.limit = link->rights;
  out->caller.onlyProject = link->projectId;
  out->name = "link of " + out->name;
  out->key = "share:" + std::to_string(link->id);
  return out;
}

Result<Visitor> Gate::bySession(const HttpRequest& request, std::string_view secret) {
  const auto session = places_.accounts.session(hashOfSecret(secret));
  if (!session && session.error().code == ErrorCode::notFound) return Visitor();  // ended: a guest
  if (!session) return tl::make_unexpected(session.error());
  auto out = ofUser(session->userId, Entrance::session);
  if (!out && out.error().where == "confirmed") return Visitor();  // as if it had ended
  if (!out) return out;
  out->sessionId = session->id;
  out->csrf = session->csrf;
  out->key = "session:" + std::to_string(session->id);
  const std::int64_t until = nowUs() + microseconds(options_.session);
  constexpr std::int64_t minute = 60'000'000;
  if (until - session->expiresUs > minute) (void)places_.accounts.extendSession(session->id, until);
  (void)request;
  return out;
}

Result<Visitor> Gate::visitor(const HttpRequest& request) {
  if (const auto header = request.header("authorization"); !header.empty()) return byToken(header);
  if (const auto share = request.query.find("share"); share != request.query.end()) return byShare(share->second);
  Visitor out;
  const auto cookie = cookieValue(request.header("cookie"), sessionCookieName(placeOf(request)));
  if (cookie) {
    auto found = bySession(request, *cookie);
    if (!found) return found;
    out = *std::move(found);
  }
  if (out.sessionId == 0 && isLocal(request)) {
    out.caller.entrance = Entrance::session;
    out.caller.administrator = true;
    out.name = out.key = "local";
    out.csrf = localCsrf_;
  }
  if (out.csrf.empty()) return out;
  const RequestOrigin origin{request.method,
                             request.ownOrigin,
                             request.header("origin"),
                             request.header("sec-fetch-site"),
                             request.header("x-nora-csrf"),
                             false};
  if (auto right = checkForgery(origin, out.csrf); !right) return tl::make_unexpected(right.error());
  return out;
}

/// What is seen: other rights to read, or to see names, are another. Empty: nothing, of a guest.
Result<std::string> Gate::fingerprint(const Visitor& visitor) {
  const auto scope = places_.accounts.scope(visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  std::string out = visitor.key.empty() ? "" : "known";  // who is known may wait for a project, or make the first one
  for (const auto id : scope->projects) out += " " + std::to_string(id);
  for (const auto id : scope->pseudonymous) out += " p" + std::to_string(id);
  return out;
}

Result<Visitor> Gate::streamVisitor(const HttpRequest& request, std::string& key) {
  auto found = visitor(request);
  if (!found) return found;
  auto print = fingerprint(*found);
  if (!print) return tl::make_unexpected(print.error());
  if (print->empty()) return fail(ErrorCode::forbidden, "log in first");
  key = found->key + "|" + *print;
  const std::lock_guard lock(mutex_);
  streams_[key] = {*found, *print};
  return found;
}

bool Gate::mayStay(const std::string& key) {
  Stream stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(key);
    if (found == streams_.end()) return false;
    stream = found->second;
  }
  const auto now = [&]() -> Result<Visitor> {
    const std::string& who = stream.visitor.key;
    const auto id = [&] { return std::stoll(who.substr(who.find(':') + 1)); };
    if (who == "local") {
      const auto has = hasAccounts();
      if (!has) return tl::make_unexpected(has.error());
      return *has ? Result<Visitor>(fail(ErrorCode::forbidden, "there are accounts now")) : stream.visitor;
    }
    if (who.empty()) return stream.visitor;  // a guest
    if (auto alive = places_.accounts.isAlive(who.substr(0, who.find(':')), id()); !alive)
      return tl::make_unexpected(alive.error());
    auto user = ofUser(stream.visitor.caller.userId, stream.visitor.caller.entrance);
    if (!user) return user;
    user->key = stream.visitor.key;
    user->caller.limit = stream.visitor.caller.limit;
    user->caller.onlyProject = stream.visitor.caller.onlyProject;
    return user;
  }();
  const auto print = now ? fingerprint(*now) : Result<std::string>(tl::make_unexpected(now.error()));
  // Where the index is away for a while nobody is sent away.
  const bool isUnknown =
      !print && print.error().code != ErrorCode::notFound && print.error().code != ErrorCode::forbidden;
  if (isUnknown || (print && *print == stream.fingerprint)) return true;
  const std::lock_guard lock(mutex_);
  streams_.erase(key);
  return false;
}

Result<Visitor> Gate::logIn(const UserRecord& user, const HttpRequest& request, HttpResponse& response) {
  const auto secret = newSecret();
  WebSessionRecord session;
  session.secretHash = secret.hash;
  session.userId = user.id;
  session.csrf = newSecret().text;
  session.address = request.client;
  session.expiresUs = nowUs() + microseconds(options_.session);
  const auto made = places_.accounts.addSession(session);
  if (!made) return tl::make_unexpected(made.error());
  auto out = ofUser(user.id, Entrance::session);
  if (!out) return out;
  out->sessionId = made->id;
  out->csrf = made->csrf;
  auto cookie = sessionCookie(secret.text, placeOf(request), std::chrono::seconds(0));
  if (!cookie) return tl::make_unexpected(cookie.error());
  response.headers.emplace_back("set-cookie", *std::move(cookie));
  const std::lock_guard lock(mutex_);
  hasAccounts_ = true;
  return out;
}

Result<void> Gate::logOut(const Visitor& visitor, const HttpRequest& request, HttpResponse& response) {
  if (visitor.sessionId != 0) {
    if (auto removed = places_.accounts.removeSession(visitor.sessionId); !removed) return removed;
  }
  response.headers.emplace_back("set-cookie", endedSessionCookie(placeOf(request)));
  return {};
}

}  // namespace nora
