#include "app/api/log_in.hpp"

#include "archive/access/secret.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <set>

namespace nora {
namespace {

Result<void> makeGroups(Accounts& accounts, const std::set<std::string>& names, const std::string& origin) {
  const auto there = accounts.groups();
  if (!there) return tl::make_unexpected(there.error());
  for (const std::string& name : names) {
    const auto known = std::ranges::find(*there, name, &GroupRecord::name);
    if (known != there->end()) {
      if (known->origin != origin)
        log::warning("[" + origin + "] group_names: there is a group \"" + printable(name) +
                     "\" already that is kept elsewhere: nobody is put into it; remove it, or give another name");
      continue;
    }
    const auto made = accounts.addGroup(name, origin);
    if (made) continue;
    const auto now = accounts.groups();  // another server may have been faster
    const bool isThere = now && std::ranges::find(*now, name, &GroupRecord::name) != now->end();
    if (!isThere) return fail(made.error().code, made.error().what, "[" + origin + "] group_names: " + printable(name));
  }
  return {};
}

}  // namespace

Result<void> makeGroups(Accounts& accounts, const LogInWays& ways) {
  if (auto made = makeGroups(accounts, ways.directories.groupNames(), "ldap"); !made) return made;
  return makeGroups(accounts, ways.providers.groupNames(), "oidc");
}

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

Result<Visitor> beginSession(const LogInPlaces& at, const Visit& visit, const UserRecord& user, const std::string& by,
                             HttpResponse& response) {
  HttpResponse cookie;
  Result<Visitor> visitor;
  const auto stored = at.places.database.together([&]() -> Result<void> {
    cookie = {};
    visitor = at.gate.logIn(user, visit.request, cookie);
    if (!visitor) return tl::make_unexpected(visitor.error());
    const Visit now{visit.request, *visitor, {}, {}, {}};
    if (auto noted = noteAction(at.places, now, "login", 0, user.name, {{"by", by}}); !noted) return noted;
    return at.places.accounts.noteSeen(user.id);
  });
  if (!stored) return tl::make_unexpected(stored.error());
  response.headers.insert(response.headers.end(), cookie.headers.begin(), cookie.headers.end());
  if (user.administrator) at.setup.close();  // the first one may be a directory's
  return visitor;
}

Result<void> noteRefusal(const LogInPlaces& at, const Visit& visit, const std::string& name, const Error& why) {
  return noteAction(at.places, visit, "login.failed", 0, name, {{"why", describe(why)}});
}

}  // namespace nora
