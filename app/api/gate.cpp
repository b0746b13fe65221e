#include "app/api/gate.hpp"

#include "archive/access/secret.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::chrono::seconds lookAtAccountsEvery{2};
constexpr std::chrono::seconds lookAtRightsEvery{1};  // of an answer that is being sent
constexpr std::chrono::minutes keepUnasked{2};        // a stream's visitor; while it lives it is asked for every second
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

/// Where the index is away for a while nobody is sent away.
template <class T>
bool isUnknown(const Result<T>& result) {
  return !result && result.error().code != ErrorCode::notFound && result.error().code != ErrorCode::forbidden;
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
  const auto now = Clock::now();
  std::erase_if(streams_, [&](const auto& one) { return now - one.second.seen > keepUnasked; });
  streams_[key] = {*found, *print, now};
  return found;
}

Result<Visitor> Gate::asNow(const Visitor& visitor) {
  const std::string& who = visitor.key;
  if (who == "local") {
    const auto has = hasAccounts();
    if (!has) return tl::make_unexpected(has.error());
    return *has ? Result<Visitor>(fail(ErrorCode::forbidden, "there are accounts now")) : visitor;
  }
  if (who.empty()) return visitor;  // a guest
  const auto colon = who.find(':');
  if (auto alive = places_.accounts.isAlive(who.substr(0, colon), std::stoll(who.substr(colon + 1))); !alive)
    return tl::make_unexpected(alive.error());
  auto user = ofUser(visitor.caller.userId, visitor.caller.entrance);
  if (!user) return user;
  user->key = visitor.key;
  user->caller.limit = visitor.caller.limit;
  user->caller.onlyProject = visitor.caller.onlyProject;
  return user;
}

bool Gate::mayStay(const std::string& key) {
  Stream stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(key);
    if (found == streams_.end()) return false;
    found->second.seen = Clock::now();
    stream = found->second;
  }
  const auto now = asNow(stream.visitor);
  const auto print = now ? fingerprint(*now) : Result<std::string>(tl::make_unexpected(now.error()));
  if (isUnknown(print) || (print && *print == stream.fingerprint)) return true;
  const std::lock_guard lock(mutex_);
  streams_.erase(key);
  return false;
}

bool Gate::hasLost(const Visitor& visitor, const std::map<std::int64_t, Access>& had) {
  const auto now = asNow(visitor);
  const auto has = now ? places_.accounts.accesses(now->caller)
                       : Result<std::map<std::int64_t, Access>>(tl::make_unexpected(now.error()));
  if (isUnknown(has)) return false;
  if (!has || (visitor.caller.administrator && !now->caller.administrator)) return true;
  return std::any_of(had.begin(), had.end(), [&](const auto& project) {
    const auto left = has->find(project.first);
    if (left == has->end()) return true;
    const bool losesNames = project.second.showsIdentity && !left->second.showsIdentity;
    return losesNames || !(project.second.rights - left->second.rights).empty();
  });
}

Result<std::shared_ptr<HttpStream>> Gate::whileAdmitted(std::shared_ptr<HttpStream> stream, const Visitor& visitor) {
  class Admitted final : public HttpStream {
   public:
    Admitted(std::shared_ptr<HttpStream> stream, std::function<bool()> hasLost)
        : stream_(std::move(stream)), hasLost_(std::move(hasLost)) {}
    std::optional<std::uint64_t> size() const override { return stream_->size(); }
    Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) override {
      if (const auto now = Clock::now(); now - looked_ >= lookAtRightsEvery) {
        if (hasLost_()) return fail(ErrorCode::forbidden, "you may not have this any more");
        looked_ = now;
      }
      return stream_->read(into, std::move(stop));
    }

   private:
    const std::shared_ptr<HttpStream> stream_;
    const std::function<bool()> hasLost_;
    Clock::time_point looked_ = Clock::now();
  };
  auto had = places_.accounts.accesses(visitor.caller);
  if (!had) return tl::make_unexpected(had.error());
  return std::make_shared<Admitted>(std::move(stream),
                                    [this, visitor, had = *std::move(had)] { return hasLost(visitor, had); });
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
