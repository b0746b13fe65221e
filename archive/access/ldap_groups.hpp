// Which groups of a directory somebody is in.
#pragma once

#include "archive/access/ldap_directory.hpp"

#include <set>

namespace nora {

struct LdapGroups {
  std::set<std::string> dns;       // normalised, also of groups that have no name in nora
  std::vector<std::string> names;  // in nora; sorted, each once
};

/// By LdapSettings::groups. Errors: as LdapConnection::search; limitExceeded beyond 1000 groups.
[[nodiscard]] Result<LdapGroups> ldapGroupsOf(const LdapSettings& settings, LdapConnection& connection,
                                              const LdapEntry& user, const std::string& name);

}  // namespace nora
