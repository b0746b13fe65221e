// Users and groups of a directory (LDAP, Active Directory): who logs in, and which groups they are in.
#pragma once

#include "archive/access/ldap_connection.hpp"
#include "base/error.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct LdapSettings {
  enum class Groups {
    none,
    memberOf,  // from the user's entry, as in Active Directory
    search,    // by groupFilter below groupBaseDn
  };

  std::vector<std::string> urls;  // ldap://host, ldaps://host; tried in this order
  bool startTls = false;          // on ldap:// before anything else is said
  std::string caFile;             // PEM; empty: that of the system
  bool allowPlain = false;        // passwords readable on the network: on another machine only if this says so
  std::chrono::milliseconds timeout{5000};

  /// The account that searches for users. Empty: nobody, if the directory lets nobody search.
  std::string bindDn;
  std::string bindPassword;
  /// Not empty: users are not searched for but log in by this name at once, as "uid={name},ou=people,dc=lab" or, for
  /// Active Directory, "{name}@lab.local", which must be the entry's userPrincipalName.
  std::string userDnPattern;

  std::string baseDn;                                              // below it are the users
  std::string userFilter = "(&(objectClass=person)(uid={name}))";  // Active Directory: (sAMAccountName={name})
  std::string nameAttribute = "uid";                               // the name in nora; Active Directory: sAMAccountName
  std::string fullNameAttribute = "cn";
  std::string emailAttribute = "mail";
  /// What stays of an entry that is moved or renamed: entryUUID, in Active Directory objectGUID. Empty: its DN.
  std::string idAttribute;

  Groups groups = Groups::none;
  std::string groupBaseDn;  // only groups below it count; empty: baseDn
  std::string groupFilter = "(|(member={dn})(uniqueMember={dn})(memberUid={name}))";
  std::string groupNameAttribute = "cn";
  bool nestedGroups = false;                      // groups in groups too, eight deep
  std::map<std::string, std::string> groupNames;  // DN of a group -> its name in nora; empty: all, by their own name
  std::string requiredGroup;                      // DN; not empty: who is not in it cannot log in
  std::string administratorsGroup;                // DN; not empty: DirectoryUser::administrator says who is in it
};

struct DirectoryUser {
  std::string dn;
  std::string name;  // as the directory spells it
  std::string fullName;
  std::string email;
  std::vector<std::string> groups;  // names in nora, sorted, each once
  std::string id;                   // by idAttribute, in hexadecimal unless it is plain text; else the normalised DN
  bool administrator = false;

  friend bool operator==(const DirectoryUser&, const DirectoryUser&) = default;
};

/// Thread: any. Each call opens its own connections and blocks for up to some time-outs a server. While none answers
/// one call at a time asks them; the others are unavailable at once.
class LdapDirectory {
 public:
  /// Checks the settings; asks no server. Errors: invalidInput (names the setting and what to do).
  [[nodiscard]] static Result<LdapDirectory> make(LdapSettings settings);
  LdapDirectory(LdapDirectory&&) noexcept;
  LdapDirectory& operator=(LdapDirectory&&) noexcept;
  ~LdapDirectory();

  /// Errors: forbidden "wrong name or password" (nobody of that name, more than one, a wrong or empty password: not
  /// told apart in the text) or not in the required group; unavailable (no server could be asked: says why for each);
  /// invalidInput (a setting that the directory refuses).
  [[nodiscard]] Result<DirectoryUser> logIn(const std::string& name, const std::string& password) const;

  /// Without a password, by the searching account: to see whether a user is still there and in which groups.
  /// Errors: notFound; unsupported if users log in by a pattern and there is no account that searches.
  [[nodiscard]] Result<DirectoryUser> find(const std::string& name) const;

  /// Connects to every server and logs the searching account in. One line for each that fails, empty if all is well.
  [[nodiscard]] std::vector<Error> check() const;

 private:
  struct Servers;
  LdapDirectory(LdapSettings settings, std::unique_ptr<Servers> servers);
  using Work = std::function<Result<DirectoryUser>(LdapConnection&)>;
  [[nodiscard]] Result<DirectoryUser> onAServer(const Work& work) const;
  [[nodiscard]] LdapAddress addressOf(const std::string& url) const;

  LdapSettings settings_;
  std::unique_ptr<Servers> servers_;
};

}  // namespace nora
