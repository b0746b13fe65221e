#include "archive/access/ldap_directory.hpp"

#include "archive/access/encoding.hpp"
#include "archive/access/ldap_groups.hpp"
#include "archive/access/ldap_text.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

/// A server that did not answer is asked last for so long, so that not every log-in waits for it.
constexpr std::chrono::seconds leftAside{30};

tl::unexpected<Error> wrong(std::string setting, std::string what) {
  return fail(ErrorCode::invalidInput, std::move(what), "[ldap] " + std::move(setting));
}

tl::unexpected<Error> refused() {
  return fail(ErrorCode::forbidden, "wrong name or password");
}

bool isLoopback(std::string_view url) {
  for (const std::string_view local : {"ldap://127.0.0.1", "ldap://localhost", "ldap://[::1]"}) {
    if (url.substr(0, local.size()) != local) continue;
    const std::string_view rest = url.substr(local.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return true;
  }
  return url.substr(0, 8) == "ldapi://";
}

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

Result<void> checkUrls(const LdapSettings& settings) {
  if (settings.urls.empty()) return wrong("urls", "is empty: name a server, as ldaps://ldap.example.org");
  for (const auto& url : settings.urls) {
    if (!begins(url, "ldap://") && !begins(url, "ldaps://") && !begins(url, "ldapi://")) {
      return wrong("urls", printable(url) + " must begin with ldaps://, ldap:// or ldapi://");
    }
    if (settings.startTls && !begins(url, "ldap://")) {
      return wrong("start_tls", "is for ldap:// only; " + printable(url) + " does without it");
    }
    if (begins(url, "ldap://") && !settings.startTls && !settings.allowPlain && !isLoopback(url)) {
      return wrong("urls", printable(url) +
                               " would send passwords readable: use ldaps://, set start_tls, or allow_plain if the "
                               "network is safe");
    }
  }
  return {};
}

/// For a pattern that is a distinguished name, not user@domain.
bool isDnPattern(const std::string& pattern) {
  return pattern.find('=') != std::string::npos;
}

std::vector<std::string> userAttributes(const LdapSettings& settings) {
  std::vector<std::string> out{settings.nameAttribute, settings.fullNameAttribute, settings.emailAttribute, "memberOf"};
  if (!settings.idAttribute.empty()) out.push_back(settings.idAttribute);
  return out;
}

std::string filterFor(const LdapSettings& settings, const std::string& name) {
  return filledIn(settings.userFilter, "name", ldapFilterValue(name));
}

/// The account that searches; nobody, if none is set.
Result<void> bindSearcher(const LdapSettings& settings, LdapConnection& connection) {
  if (settings.bindDn.empty()) return {};
  auto bound = connection.bind(settings.bindDn, settings.bindPassword);
  if (!bound && bound.error().code == ErrorCode::forbidden) {
    return wrong("bind_dn", printable(settings.bindDn) + " cannot log in: check it and bind_password");
  }
  return bound;
}

/// Errors: forbidden if there is not exactly one.
Result<LdapEntry> onlyEntry(LdapConnection& connection, const std::string& base, bool below, const std::string& filter,
                            const std::vector<std::string>& attributes) {
  auto found = connection.search(base, below, filter, attributes, 2);
  if (!found && found.error().code != ErrorCode::limitExceeded) return tl::make_unexpected(found.error());
  if (!found || found->size() != 1) return refused();
  return std::move(found->front());
}

Result<LdapEntry> logInBySearch(const LdapSettings& settings, LdapConnection& connection, const std::string& name,
                                const std::string& password) {
  if (auto bound = bindSearcher(settings, connection); !bound) return tl::make_unexpected(bound.error());
  auto entry = onlyEntry(connection, settings.baseDn, true, filterFor(settings, name), userAttributes(settings));
  if (!entry) return entry;
  // On a connection of its own: this one stays the searcher's, who may see groups that the user may not.
  auto users = LdapConnection::open(connection.address());
  if (!users) return tl::make_unexpected(users.error());
  if (auto bound = users->bind(entry->dn, password); !bound) return tl::make_unexpected(bound.error());
  return entry;
}

Result<LdapEntry> logInByPattern(const LdapSettings& settings, LdapConnection& connection, const std::string& name,
                                 const std::string& password) {
  const bool dn = isDnPattern(settings.userDnPattern);
  const std::string who = filledIn(settings.userDnPattern, "name", dn ? ldapNameValue(name) : name);
  if (auto bound = connection.bind(who, password); !bound) return tl::make_unexpected(bound.error());
  if (auto bound = bindSearcher(settings, connection); !bound) return tl::make_unexpected(bound.error());
  // By what was bound with, not by the name: another entry may have that.
  std::string filter = filterFor(settings, name);
  if (!dn) filter = "(&" + filter + "(userPrincipalName=" + ldapFilterValue(who) + "))";
  auto entry = onlyEntry(connection, dn ? who : settings.baseDn, !dn, filter, userAttributes(settings));
  if (!entry && entry.error().code == ErrorCode::forbidden) {
    return fail(ErrorCode::forbidden,
                "the password is right, but the directory shows no entry for which user_filter holds; if users cannot "
                "read their own entry, set bind_dn");
  }
  return entry;
}

/// What this entry is known by for ever; "" if the directory does not show it.
std::string idOf(const LdapSettings& settings, const LdapEntry& entry) {
  if (settings.idAttribute.empty()) return normalisedDn(entry.dn);
  const std::string value = entry.first(settings.idAttribute);
  const bool isPlain = std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return isPlain ? value : toHex(value);
}

Result<DirectoryUser> userOf(const LdapSettings& settings, LdapConnection& connection, const LdapEntry& entry) {
  DirectoryUser user{entry.dn,
                     entry.first(settings.nameAttribute),
                     entry.first(settings.fullNameAttribute),
                     entry.first(settings.emailAttribute),
                     {},
                     idOf(settings, entry)};
  if (user.name.empty()) {
    return wrong("name_attribute", "entries of users have no " + printable(settings.nameAttribute) +
                                       " that can be read: name another, or let the searching account read it");
  }
  if (user.id.empty()) {
    return wrong("id_attribute", "entries of users have no " + printable(settings.idAttribute) +
                                     " that can be read: name another, or let the searching account read it");
  }
  auto groups = ldapGroupsOf(settings, connection, entry, user.name);
  if (!groups) return tl::make_unexpected(groups.error());
  if (!settings.requiredGroup.empty() && !groups->dns.contains(normalisedDn(settings.requiredGroup))) {
    return fail(ErrorCode::forbidden, "not in the group that may use nora: ask who looks after the directory");
  }
  user.groups = std::move(groups->names);
  user.administrator =
      !settings.administratorsGroup.empty() && groups->dns.contains(normalisedDn(settings.administratorsGroup));
  return user;
}

}  // namespace

struct LdapDirectory::Servers {
  std::mutex mutex;
  std::map<std::string, Clock::time_point> asideUntil;
  std::weak_ptr<void> findingOut;

  std::vector<std::string> ordered(const std::vector<std::string>& urls) {
    const std::lock_guard lock(mutex);
    std::vector<std::string> order = urls;
    const auto now = Clock::now();
    std::stable_partition(order.begin(), order.end(), [&](const std::string& url) {
      const auto at = asideUntil.find(url);
      return at == asideUntil.end() || at->second <= now;
    });
    return order;
  }
  /// While no server has answered for a moment, one call at a time finds out whether one does again: the others need
  /// not wait for that. Nothing: another call is finding out.
  std::shared_ptr<void> turn(const std::vector<std::string>& urls) {
    const std::lock_guard lock(mutex);
    const auto now = Clock::now();
    const bool isAway = std::all_of(urls.begin(), urls.end(), [&](const std::string& url) {
      const auto at = asideUntil.find(url);
      return at != asideUntil.end() && at->second > now;
    });
    if (!isAway) return std::make_shared<bool>(false);
    if (findingOut.lock()) return nullptr;
    auto mine = std::make_shared<bool>(true);
    findingOut = mine;
    return mine;
  }
  void answered(const std::string& url, bool did) {
    const std::lock_guard lock(mutex);
    if (did) {
      asideUntil.erase(url);
    } else {
      asideUntil[url] = Clock::now() + leftAside;
    }
  }
};

LdapDirectory::LdapDirectory(LdapSettings settings, std::unique_ptr<Servers> servers)
    : settings_(std::move(settings)), servers_(std::move(servers)) {}
LdapDirectory::LdapDirectory(LdapDirectory&&) noexcept = default;
LdapDirectory& LdapDirectory::operator=(LdapDirectory&&) noexcept = default;
LdapDirectory::~LdapDirectory() = default;

Result<LdapDirectory> LdapDirectory::make(LdapSettings settings) {
  if (auto urls = checkUrls(settings); !urls) return tl::make_unexpected(urls.error());
  const bool pattern = !settings.userDnPattern.empty();
  if (pattern && settings.userDnPattern.find("{name}") == std::string::npos) {
    return wrong("user_dn_pattern", "must have {name} where the user's name goes");
  }
  if (settings.userFilter.find("{name}") == std::string::npos && !(pattern && isDnPattern(settings.userDnPattern))) {
    return wrong("user_filter", "must have {name} where the user's name goes");
  }
  if (settings.baseDn.empty() && !(pattern && isDnPattern(settings.userDnPattern))) {
    return wrong("base_dn", "is empty: name the entry below which the users are, as dc=example,dc=org");
  }
  for (const auto& [setting, dn] : std::initializer_list<std::pair<const char*, std::string>>{
           {"base_dn", settings.baseDn},
           {"group_base_dn", settings.groupBaseDn},
           {"required_group", settings.requiredGroup},
           {"administrators_group", settings.administratorsGroup}}) {
    if (!dn.empty() && normalisedDn(dn).empty()) return wrong(setting, printable(dn) + " is not a distinguished name");
  }
  for (const auto& group : settings.groupNames) {
    if (normalisedDn(group.first).empty()) {
      return wrong("group_names", printable(group.first) + " is not a distinguished name");
    }
  }
  if (!settings.bindDn.empty() && settings.bindPassword.empty()) {
    return wrong("bind_password", "is empty: the directory would take that as nobody");
  }
  for (const auto& [setting, dn] : {std::pair{"required_group", settings.requiredGroup},
                                    std::pair{"administrators_group", settings.administratorsGroup}}) {
    if (!dn.empty() && settings.groups == LdapSettings::Groups::none) {
      return wrong(setting, "needs groups to be memberOf or search");
    }
  }
  if (settings.groupBaseDn.empty()) settings.groupBaseDn = settings.baseDn;
  return LdapDirectory(std::move(settings), std::make_unique<Servers>());
}

LdapAddress LdapDirectory::addressOf(const std::string& url) const {
  return {url, settings_.startTls, settings_.caFile, settings_.timeout};
}

Result<DirectoryUser> LdapDirectory::onAServer(const Work& work) const {
  const auto turn = servers_->turn(settings_.urls);
  if (!turn)
    return fail(ErrorCode::unavailable, "no directory has answered for a moment, and another log-in asks again");
  std::string tried;
  for (const auto& url : servers_->ordered(settings_.urls)) {
    auto connection = LdapConnection::open(addressOf(url));
    auto result = connection ? work(*connection) : Result<DirectoryUser>(tl::make_unexpected(connection.error()));
    const bool answered = result || result.error().code != ErrorCode::unavailable;
    servers_->answered(url, answered);
    if (answered) return result;
    tried += (tried.empty() ? "" : "; ") + describe(result.error());
  }
  return fail(ErrorCode::unavailable, "no directory could be asked: " + tried);
}

Result<DirectoryUser> LdapDirectory::logIn(const std::string& name, const std::string& password) const {
  if (password.empty() || !checkDirectoryName(name)) return refused();
  return onAServer([&](LdapConnection& connection) -> Result<DirectoryUser> {
    auto entry = settings_.userDnPattern.empty() ? logInBySearch(settings_, connection, name, password)
                                                 : logInByPattern(settings_, connection, name, password);
    if (!entry) return tl::make_unexpected(entry.error());
    return userOf(settings_, connection, *entry);
  });
}

Result<DirectoryUser> LdapDirectory::find(const std::string& name) const {
  if (auto checked = checkDirectoryName(name); !checked) return tl::make_unexpected(checked.error());
  if (!settings_.userDnPattern.empty() && settings_.bindDn.empty()) {
    return fail(ErrorCode::unsupported, "users cannot be looked up without their password: set bind_dn", "ldap");
  }
  return onAServer([&](LdapConnection& connection) -> Result<DirectoryUser> {
    if (auto bound = bindSearcher(settings_, connection); !bound) return tl::make_unexpected(bound.error());
    const bool dn = isDnPattern(settings_.userDnPattern);
    const std::string base = dn ? filledIn(settings_.userDnPattern, "name", ldapNameValue(name)) : settings_.baseDn;
    auto entry = onlyEntry(connection, base, !dn, filterFor(settings_, name), userAttributes(settings_));
    if (!entry && entry.error().code == ErrorCode::forbidden && entry.error().where.empty()) {
      return fail(ErrorCode::notFound, "the directory has no such user, or more than one", name);
    }
    if (!entry) return tl::make_unexpected(entry.error());
    return userOf(settings_, connection, *entry);
  });
}

std::vector<Error> LdapDirectory::check() const {
  std::vector<Error> found;
  for (const auto& url : settings_.urls) {
    auto connection = LdapConnection::open(addressOf(url));
    if (!connection) {
      found.push_back(connection.error());
    } else if (auto bound = bindSearcher(settings_, *connection); !bound) {
      found.push_back(bound.error());
    }
  }
  return found;
}

}  // namespace nora
