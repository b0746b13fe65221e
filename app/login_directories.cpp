#include "app/login_directories.hpp"

#include "app/login_names.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <condition_variable>
#include <initializer_list>
#include <mutex>
#include <utility>

namespace nora {
namespace {

constexpr const char* origin = "ldap";
constexpr std::chrono::seconds lookWhatIsDue{1};

Result<LdapSettings> settingsOf(const LdapConfig& from, const Environment& environment) {
  auto password = loginSecret("[ldap] bind_password", from.bindPasswordFile, from.bindPasswordEnv, environment);
  if (!password) return tl::make_unexpected(password.error());
  if (auto there = checkCaFile("[ldap] ca_file", from.caFile); !there) return tl::make_unexpected(there.error());
  LdapSettings out;
  out.urls = from.urls;
  out.startTls = from.startTls;
  out.caFile = from.caFile;
  out.allowPlain = from.allowPlain;
  out.timeout = std::chrono::milliseconds(from.timeoutMs);
  out.bindDn = from.bindDn;
  out.bindPassword = *std::move(password);
  out.userDnPattern = from.userDnPattern;
  out.baseDn = from.baseDn;
  out.userFilter = from.userFilter;
  out.nameAttribute = from.nameAttribute;
  out.fullNameAttribute = from.fullNameAttribute;
  out.emailAttribute = from.emailAttribute;
  out.idAttribute = from.idAttribute;
  out.groupBaseDn = from.groupBaseDn;
  out.groupFilter = from.groupFilter;
  out.groupNameAttribute = from.groupNameAttribute;
  out.nestedGroups = from.nestedGroups;
  out.groupNames = from.groupNames;
  out.requiredGroup = from.requiredGroup;
  out.administratorsGroup = from.administratorsGroup;
  if (from.groups == "memberOf") {
    out.groups = LdapSettings::Groups::memberOf;
  } else if (from.groups == "search") {
    out.groups = LdapSettings::Groups::search;
  } else if (from.groups != "none") {
    return fail(ErrorCode::invalidInput, "must be none, memberOf or search, not '" + printable(from.groups) + "'",
                "[ldap] groups");
  }
  return out;
}

std::string idPrefix(const std::string& directory) {
  return directory + ":";
}

/// A wrong password is the user's matter; that somebody may not enter although it is right they are told.
bool isPlainRefusal(const Error& error) {
  return error.code == ErrorCode::notFound ||
         (error.code == ErrorCode::forbidden && error.what == "wrong name or password");
}

void noteInAudit(Accounts& accounts, const UserRecord& user, const char* action, const std::string& directory) {
  AuditRecord record;
  record.user = "nora";
  record.action = action;
  record.item = user.name;
  record.detail = R"({"by": ")" + directory + R"("})";  // plain letters, see checkLoginName
  if (auto noted = accounts.note(record); !noted) log::error("audit: " + describe(noted.error()));
}

}  // namespace

Result<LoginDirectories> LoginDirectories::make(const std::vector<LdapConfig>& settings,
                                                const Environment& environment) {
  LoginDirectories out;
  std::set<std::string> names;
  for (const LdapConfig& one : settings) {
    if (auto right = checkLoginName("ldap", one.name, names); !right) return tl::make_unexpected(right.error());
    auto with = settingsOf(one, environment);
    if (!with) return tl::make_unexpected(with.error());
    auto ldap = LdapDirectory::make(*std::move(with));
    if (!ldap) return tl::make_unexpected(ldap.error());
    out.all_.push_back({one.name, one.title.empty() ? one.name : one.title, *std::move(ldap),
                        namesGiven(one.groupNames), !one.administratorsGroup.empty(),
                        std::chrono::seconds(one.checkSeconds), Clock::now()});
  }
  return out;
}

std::vector<std::string> LoginDirectories::titles() const {
  std::vector<std::string> out;
  for (const auto& directory : all_) out.push_back(directory.title);
  return out;
}

std::set<std::string> LoginDirectories::groupNames() const {
  std::set<std::string> out;
  for (const auto& directory : all_) out.insert(directory.groupNames.begin(), directory.groupNames.end());
  return out;
}

bool LoginDirectories::sayAdministrators() const {
  return std::any_of(all_.begin(), all_.end(), [](const auto& directory) { return directory.saysAdministrators; });
}

DirectoryEntry LoginDirectories::entryOf(const Directory& directory, const DirectoryUser& user) {
  DirectoryEntry out{origin, idPrefix(directory.name) + user.id, user.name, user.fullName, user.email, user.groups};
  if (directory.saysAdministrators) out.administrator = user.administrator;
  return out;
}

Result<DirectoryEntry> LoginDirectories::logIn(const std::string& name, const std::string& password) const {
  Error refused{ErrorCode::forbidden, "name or password is wrong", {}};
  std::string silent;
  for (const Directory& directory : all_) {
    auto user = directory.ldap.logIn(name, password);
    if (user) return entryOf(directory, *user);
    if (isPlainRefusal(user.error())) continue;
    if (user.error().code == ErrorCode::forbidden && user.error().where.empty()) {
      refused.what = user.error().what;
      continue;
    }
    log::error("[ldap] " + directory.name + ": " + describe(user.error()));
    silent += (silent.empty() ? "" : ", ") + directory.title;
  }
  if (silent.empty()) return tl::make_unexpected(refused);
  return fail(ErrorCode::unavailable,
              silent +
                  " cannot be asked now, so nobody can log in by it; accounts of this server can. Try again later, "
                  "or tell the administrator");
}

/// False if the directory is not worth asking for others now.
bool LoginDirectories::confirm(const Directory& directory, Accounts& accounts, const UserRecord& user) {
  auto found = directory.ldap.find(user.name);
  const bool isThere = found && idPrefix(directory.name) + found->id == user.externalId;
  const bool isGone = found ? !isThere
                            : found.error().code == ErrorCode::notFound ||
                                  (found.error().code == ErrorCode::forbidden && found.error().where.empty());
  if (!isThere && !isGone) {
    log::warning("[ldap] " + directory.name + ": users are not confirmed: " + describe(found.error()));
    return false;
  }
  if (isGone && !user.absent) {
    if (auto out = accounts.setAbsent(user.id); !out) log::error("a user who has gone: " + describe(out.error()));
    noteInAudit(accounts, user, "user.absent", directory.name);
  }
  if (isGone) return true;
  if (auto taken = accounts.confirm(entryOf(directory, *found)); !taken) {
    log::warning("[ldap] " + directory.name + ": a user is not confirmed: " + describe(taken.error()));
  } else if (user.absent) {
    noteInAudit(accounts, user, "user.present", directory.name);
  }
  return true;
}

void LoginDirectories::confirmUsers(Accounts& accounts, const std::stop_token& stop) {
  for (Directory& directory : all_) {
    if (directory.every.count() == 0 || Clock::now() < directory.due) continue;
    const auto users = accounts.usersToConfirm(origin);
    if (!users) log::error("users of directories: " + describe(users.error()));
    for (const UserRecord& user : users ? *users : std::vector<UserRecord>()) {
      if (stop.stop_requested()) return;
      if (!user.externalId.starts_with(idPrefix(directory.name))) continue;
      if (!confirm(directory, accounts, user)) break;
    }
    directory.due = Clock::now() + directory.every;
  }
}

std::jthread LoginDirectories::watch(Accounts& accounts) {
  return std::jthread([this, &accounts](const std::stop_token& stop) {
    for (const Directory& directory : all_) {
      for (const Error& error : directory.ldap.check())
        log::warning("[ldap] " + directory.name + ": " + describe(error));
    }
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!never.wait_for(lock, stop, lookWhatIsDue, [] { return false; }) && !stop.stop_requested())
      confirmUsers(accounts, stop);
  });
}

}  // namespace nora
