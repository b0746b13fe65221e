#include "archive/access/ldap_groups.hpp"

#include "archive/access/ldap_text.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr int deepest = 8;  // groups in groups
constexpr int mostGroups = 1000;

/// Both normalised.
bool isBelow(const std::string& dn, const std::string& base) {
  return base.empty() || dn == base ||
         (dn.size() > base.size() && dn.compare(dn.size() - base.size(), base.size(), base) == 0 &&
          dn[dn.size() - base.size() - 1] == ',');
}

/// What `member`, a user or a group, is in directly. `name` is empty for groups.
Result<std::vector<LdapEntry>> directGroups(const LdapSettings& settings, LdapConnection& connection,
                                            const LdapEntry& member, const std::string& name) {
  if (settings.groups == LdapSettings::Groups::search) {
    std::string filter = filledIn(settings.groupFilter, "dn", ldapFilterValue(member.dn));
    filter = filledIn(std::move(filter), "name", ldapFilterValue(name));
    return connection.search(settings.groupBaseDn, true, filter, {settings.groupNameAttribute}, mostGroups);
  }
  std::vector<LdapEntry> groups;
  const auto at = member.attributes.find("memberof");
  if (at == member.attributes.end()) return groups;
  for (const auto& dn : at->second) groups.push_back({dn, {}});
  return groups;
}

/// The entry of a group that is known by its name only, for the groups that it is in.
Result<LdapEntry> withItsGroups(const LdapSettings& settings, LdapConnection& connection, LdapEntry group) {
  if (settings.groups != LdapSettings::Groups::memberOf) return group;
  auto found = connection.search(group.dn, false, "(objectClass=*)", {"memberOf"}, 1);
  if (!found) return tl::make_unexpected(found.error());
  return found->empty() ? std::move(group) : std::move(found->front());
}

/// "" where the group has none in nora.
std::string nameInNora(const LdapSettings& settings, const LdapEntry& group, const std::string& dn) {
  if (settings.groupNames.empty()) {
    const std::string own = group.first(settings.groupNameAttribute);
    return own.empty() ? firstValueOfDn(group.dn) : own;
  }
  for (const auto& [of, name] : settings.groupNames) {
    if (normalisedDn(of) == dn) return name;
  }
  return {};
}

}  // namespace

Result<LdapGroups> ldapGroupsOf(const LdapSettings& settings, LdapConnection& connection, const LdapEntry& user,
                                const std::string& name) {
  LdapGroups found;
  if (settings.groups == LdapSettings::Groups::none) return found;
  const std::string base = normalisedDn(settings.groupBaseDn);
  std::set<std::string> names;
  std::vector<LdapEntry> level = {user};
  for (int depth = 0; !level.empty() && depth < (settings.nestedGroups ? deepest : 1); ++depth) {
    std::vector<LdapEntry> above;
    for (const auto& member : level) {
      auto groups = directGroups(settings, connection, member, depth == 0 ? name : std::string());
      if (!groups) return tl::make_unexpected(groups.error());
      for (auto& group : *groups) {
        const std::string dn = normalisedDn(group.dn);
        if (dn.empty() || !isBelow(dn, base) || !found.dns.insert(dn).second) continue;
        names.insert(nameInNora(settings, group, dn));
        if (!settings.nestedGroups) continue;
        auto whole = withItsGroups(settings, connection, std::move(group));
        if (!whole) return tl::make_unexpected(whole.error());
        above.push_back(std::move(*whole));
      }
    }
    if (found.dns.size() > mostGroups) {
      return fail(ErrorCode::limitExceeded, "a user is in more than 1000 groups: narrow group_base_dn", "ldap");
    }
    level = std::move(above);
  }
  names.erase("");
  found.names.assign(names.begin(), names.end());
  return found;
}

}  // namespace nora
