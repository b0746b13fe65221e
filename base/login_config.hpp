// The settings of directories and providers by which people log in: tables [ldap] and [oidc] of the TOML file, one or
// more of each ([[ldap]]). What they mean to the servers that are asked is said in archive/access.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct LdapConfig {
  std::string name = "ldap";
  std::string title;
  std::vector<std::string> urls;
  bool startTls = false;
  std::string caFile;
  bool allowPlain = false;
  std::int64_t timeoutMs = 5000;
  std::string bindDn;
  std::string bindPasswordFile, bindPasswordEnv;
  std::string userDnPattern;
  std::string baseDn;
  std::string userFilter = "(&(objectClass=person)(uid={name}))";
  std::string nameAttribute = "uid", fullNameAttribute = "cn", emailAttribute = "mail", idAttribute;
  std::string groups = "none";
  std::string groupBaseDn;
  std::string groupFilter = "(|(member={dn})(uniqueMember={dn})(memberUid={name}))";
  std::string groupNameAttribute = "cn";
  bool nestedGroups = false;
  std::map<std::string, std::string> groupNames;
  std::string requiredGroup, administratorsGroup;
  std::int64_t checkSeconds = 900;
};

struct OidcConfig {
  std::string name = "oidc";
  std::string title;
  std::string issuer;
  std::string clientId;
  std::string clientSecretFile, clientSecretEnv;
  std::vector<std::string> scopes = {"openid", "profile", "email"};
  std::string nameClaim = "preferred_username", groupsClaim = "groups";
  std::map<std::string, std::string> groupNames;
  std::string requiredGroup, administratorsGroup;
  std::string caFile;
  std::int64_t timeoutMs = 8000;
};

/// One setting of a table: exactly one of the pointers is set.
template <class Table>
struct TableField {
  std::string_view name;
  std::string_view comment;
  std::string Table::*text = nullptr;
  std::vector<std::string> Table::*list = nullptr;
  std::map<std::string, std::string> Table::*names = nullptr;  // a table of texts
  bool Table::*flag = nullptr;
  std::int64_t Table::*number = nullptr;
  std::int64_t low = 0, high = 0;  // allowed range of a number
};

[[nodiscard]] std::span<const TableField<LdapConfig>> ldapFields();
[[nodiscard]] std::span<const TableField<OidcConfig>> oidcFields();

}  // namespace nora
