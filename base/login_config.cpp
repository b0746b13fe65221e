#include "base/login_config.hpp"

#include <array>

namespace nora {
namespace {

constexpr std::int64_t leastTimeoutMs = 100, mostTimeoutMs = 60'000;
constexpr std::int64_t longestCheckSeconds = 86400;

using L = TableField<LdapConfig>;
using O = TableField<OidcConfig>;

const std::array ldap{
    L{.name = "name",
      .comment = "Short name: letters a to z, digits, '-'. Users are known by it for ever: do not change it.",
      .text = &LdapConfig::name},
    L{.name = "title", .comment = "What the log-in page calls it. Empty: its name.", .text = &LdapConfig::title},
    L{.name = "urls",
      .comment = "ldaps://HOST or ldap://HOST; the first that answers is asked.",
      .list = &LdapConfig::urls},
    L{.name = "start_tls", .comment = "TLS on ldap:// before anything is said.", .flag = &LdapConfig::startTls},
    L{.name = "ca_file",
      .comment = "PEM file of the authority that signed the directory's certificate. Empty: those of the system.",
      .text = &LdapConfig::caFile},
    L{.name = "allow_plain",
      .comment = "true: passwords may go over the network unencrypted.",
      .flag = &LdapConfig::allowPlain},
    L{.name = "timeout_ms",
      .comment = "To connect, and for each answer.",
      .number = &LdapConfig::timeoutMs,
      .low = leastTimeoutMs,
      .high = mostTimeoutMs},
    L{.name = "bind_dn",
      .comment = "The account that looks users up. Empty: nobody, or the users themselves by user_dn_pattern.",
      .text = &LdapConfig::bindDn},
    L{.name = "bind_password_file", .comment = "A file with its password.", .text = &LdapConfig::bindPasswordFile},
    L{.name = "bind_password_env",
      .comment = "Or the name of an environment variable with it.",
      .text = &LdapConfig::bindPasswordEnv},
    L{.name = "user_dn_pattern",
      .comment = "Users log in at once as uid={name},ou=people,dc=lab or {name}@lab.local. Empty: they are looked up.",
      .text = &LdapConfig::userDnPattern},
    L{.name = "base_dn", .comment = "Users are below it.", .text = &LdapConfig::baseDn},
    L{.name = "user_filter",
      .comment = "Which entry is the user {name}, and may enter.",
      .text = &LdapConfig::userFilter},
    L{.name = "name_attribute",
      .comment = "The name in nora. Active Directory: sAMAccountName.",
      .text = &LdapConfig::nameAttribute},
    L{.name = "full_name_attribute", .comment = "The name for people.", .text = &LdapConfig::fullNameAttribute},
    L{.name = "email_attribute", .comment = "The e-mail.", .text = &LdapConfig::emailAttribute},
    L{.name = "id_attribute",
      .comment = "Stays when an entry is moved or renamed: entryUUID, in Active Directory objectGUID. Empty: the DN.",
      .text = &LdapConfig::idAttribute},
    L{.name = "groups",
      .comment = "Where groups come from: none, memberOf (of the user's entry) or search (by group_filter).",
      .text = &LdapConfig::groups},
    L{.name = "group_base_dn",
      .comment = "Only groups below it count. Empty: base_dn.",
      .text = &LdapConfig::groupBaseDn},
    L{.name = "group_filter",
      .comment = "Which groups have the member {dn}, by name {name}.",
      .text = &LdapConfig::groupFilter},
    L{.name = "group_name_attribute",
      .comment = "A group's name in nora, where group_names is empty.",
      .text = &LdapConfig::groupNameAttribute},
    L{.name = "nested_groups", .comment = "Groups in groups count too.", .flag = &LdapConfig::nestedGroups},
    L{.name = "group_names",
      .comment = "DN of a group = its name in nora; no others count. Empty: all, by their own names.",
      .names = &LdapConfig::groupNames},
    L{.name = "required_group",
      .comment = "DN: who is not in it does not get in. Empty: everybody does.",
      .text = &LdapConfig::requiredGroup},
    L{.name = "administrators_group",
      .comment = "DN: who is in it is an administrator of nora, nobody else of this directory. Empty: nora says it.",
      .text = &LdapConfig::administratorsGroup},
    L{.name = "check_seconds",
      .comment = "So often it is asked whether those who are in may still enter, and their groups. 0: at log-in only.",
      .number = &LdapConfig::checkSeconds,
      .low = 0,
      .high = longestCheckSeconds},
};

const std::array oidc{
    O{.name = "name", .comment = "Short name: letters a to z, digits, '-'.", .text = &OidcConfig::name},
    O{.name = "title", .comment = "On the button of the log-in page. Empty: the name.", .text = &OidcConfig::title},
    O{.name = "issuer",
      .comment = "Address of the provider, exactly as it spells it: https://login.example.org/realms/lab.",
      .text = &OidcConfig::issuer},
    O{.name = "client_id", .comment = "Of nora, as registered at the provider.", .text = &OidcConfig::clientId},
    O{.name = "client_secret_file",
      .comment = "A file with the client's secret. Neither: a public client.",
      .text = &OidcConfig::clientSecretFile},
    O{.name = "client_secret_env",
      .comment = "Or the name of an environment variable with it.",
      .text = &OidcConfig::clientSecretEnv},
    O{.name = "scopes", .comment = "What is asked for; openid must be there.", .list = &OidcConfig::scopes},
    O{.name = "name_claim", .comment = "The claim with the name in nora.", .text = &OidcConfig::nameClaim},
    O{.name = "groups_claim",
      .comment = "The claim with the groups, a list of texts.",
      .text = &OidcConfig::groupsClaim},
    O{.name = "group_names",
      .comment = "A group of the claim = its name in nora; no others count. Empty: all, by their own names.",
      .names = &OidcConfig::groupNames},
    O{.name = "required_group",
      .comment = "Of the claim: who is not in it does not get in. Empty: everybody does.",
      .text = &OidcConfig::requiredGroup},
    O{.name = "administrators_group",
      .comment =
          "Of the claim: who is in it is an administrator of nora, nobody else of this provider. Empty: nora says it.",
      .text = &OidcConfig::administratorsGroup},
    O{.name = "ca_file",
      .comment = "PEM file of the authority that signed the provider's certificate. Empty: those of the system.",
      .text = &OidcConfig::caFile},
    O{.name = "timeout_ms",
      .comment = "For each request to the provider.",
      .number = &OidcConfig::timeoutMs,
      .low = leastTimeoutMs,
      .high = mostTimeoutMs},
};

}  // namespace

std::span<const TableField<LdapConfig>> ldapFields() {
  return ldap;
}

std::span<const TableField<OidcConfig>> oidcFields() {
  return oidc;
}

}  // namespace nora
