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

const Rights onlySeeing = Right::read;  // what counts for pictures; names always do

/// Whether something that was allowed is not any more.
bool isLess(const std::map<std::int64_t, Access>& now, const std::map<std::int64_t, Access>& had, Rights counted) {
  return std::any_of(had.begin(), had.end(), [&](const auto& project) {
    const auto left = now.find(project.first);
    if (left == now.end()) return true;
    const bool losesNames = project.second.showsIdentity && !left->second.showsIdentity;
    return losesNames || !((project.second.rights - left->second.rights) & counted).empty();
  });
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

Result<Visitor> Gate::streamVisitor(const HttpRequest& request, std::string& key) {
  auto found = visitor(request);
  if (!found) return found;
  auto has = places_.accounts.accesses(found->caller);
  if (!has) return tl::make_unexpected(has.error());
  // Who is known may wait for a project, or make the first one.
  if (has->empty() && found->key.empty()) return fail(ErrorCode::forbidden, "log in first");
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  std::erase_if(streams_, [&](const auto& one) { return now - one.second.seen > keepUnasked; });
  // Sessions go on with what the visitor has gained since, but never with what was lost.
  auto stream = std::find_if(streams_.begin(), streams_.end(), [&](const auto& one) {
    return one.second.standing.visitor.key == found->key && !isLess(*has, one.second.standing.had, onlySeeing);
  });
  if (stream == streams_.end())
    stream = streams_.emplace(found->key + "|" + std::to_string(++streamCount_), Stream{}).first;
  stream->second = {{*found, *std::move(has)}, now};
  key = stream->first;
  return found;
}

Result<Visitor> Gate::visitorOfStream(const std::string& key) {
  const bool stays = mayStay(key);  // also so that what is seen from now on counts when it is lost
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(key);
  if (!stays || found == streams_.end()) return fail(ErrorCode::forbidden, "what you may see has changed");
  return found->second.standing.visitor;
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
  Standing standing;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(key);
    if (found == streams_.end()) return false;
    found->second.seen = Clock::now();
    standing = found->second.standing;
  }
  const bool stays = goesOn(standing, onlySeeing);
  const std::lock_guard lock(mutex_);
  if (const auto found = streams_.find(key); !stays)
    streams_.erase(key);
  else if (found != streams_.end())
    found->second.standing = std::move(standing);
  return stays;
}

bool Gate::goesOn(Standing& standing, Rights counted) {
  const auto now = asNow(standing.visitor);
  const auto has = now ? places_.accounts.accesses(now->caller)
                       : Result<std::map<std::int64_t, Access>>(tl::make_unexpected(now.error()));
  if (isUnknown(has)) return true;
  if (!has || (standing.visitor.caller.administrator && !now->caller.administrator)) return false;
  if (isLess(*has, standing.had, counted)) return false;
  standing = {*now, *has};
  return true;
}

Result<std::shared_ptr<HttpStream>> Gate::whileAdmitted(std::shared_ptr<HttpStream> stream, const Visitor& visitor) {
  class Admitted final : public HttpStream {
   public:
    Admitted(std::shared_ptr<HttpStream> stream, std::function<bool()> goesOn)
        : stream_(std::move(stream)), goesOn_(std::move(goesOn)) {}
    std::optional<std::uint64_t> size() const override { return stream_->size(); }
    Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) override {
      if (const auto now = Clock::now(); now - looked_ >= lookAtRightsEvery) {
        if (!goesOn_()) return fail(ErrorCode::forbidden, "you may not have this any more");
        looked_ = now;
      }
      return stream_->read(into, std::move(stop));
    }

   private:
    const std::shared_ptr<HttpStream> stream_;
    const std::function<bool()> goesOn_;
    Clock::time_point looked_ = Clock::now();
  };
  auto had = places_.accounts.accesses(visitor.caller);
  if (!had) return tl::make_unexpected(had.error());
  const auto goesOn = [this, standing = Standing{visitor, *std::move(had)}]() mutable {
    return this->goesOn(standing, Rights::all());
  };
  return std::make_shared<Admitted>(std::move(stream), goesOn);
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
