// Accounts: users, groups, grants, tokens, sessions, share links and the audit, as rows of the index. What they mean is
// decided in archive/access.
#pragma once

#include "archive/access/rights.hpp"
#include "archive/index/database.hpp"
#include "archive/search/query_sql.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

struct UserRecord {
  std::int64_t id = 0;
  std::string name;  // for log-in
  std::string fullName, email;
  std::string origin = "local";  // local, ldap, oidc
  std::string passwordHash;      // of local ones, see password.hpp; empty: no log-in by password
  bool disabled = false;
  bool administrator = false;              // of the whole server
  std::int64_t createdUs = 0, seenUs = 0;  // seen: the last log-in; 0: never
  std::string externalId;                  // who it is at the directory or provider, for ever; empty of local ones
  std::int64_t confirmedUs = 0;            // when the directory or provider last said who it is; 0: never, or local
  bool absent = false;                     // the directory has said since that it has no such user who may enter
};

/// What a directory or provider says of somebody who has just proved who they are.
struct DirectoryEntry {
  std::string origin;      // ldap, oidc
  std::string externalId;  // distinguished name; issuer and subject; never empty
  std::string name, fullName, email;
  std::vector<std::string> groups;      // names
  std::optional<bool> administrator{};  // of the server; nothing: that is said in nora
};

struct GroupRecord {
  std::int64_t id = 0;
  std::string name;
  std::string origin = "local";
  std::vector<std::int64_t> members;  // ids of users
};

/// A secret that lets somebody in; the index has its hash (secret.hpp).
struct TokenRecord {
  std::int64_t id = 0;
  std::string secretHash;
  std::int64_t userId = 0;
  std::string name;
  Rights rights;  // its scopes
  std::int64_t createdUs = 0, expiresUs = 0;
  std::int64_t usedUs = 0;     // exact to a minute; 0: never
  std::int64_t projectId = 0;  // 0: good in every project
};

struct WebSessionRecord {
  std::int64_t id = 0;
  std::string secretHash;
  std::int64_t userId = 0;
  std::string csrf, address;
  std::int64_t createdUs = 0, seenUs = 0, expiresUs = 0;
};

/// A log-in at a provider that has begun: what must be known when the browser comes back.
struct PendingLogin {
  std::string stateHash, browserHash;  // hashOfSecret()
  std::string provider;                // its name in the settings
  std::string nonce, verifier;         // see OidcPending
  std::string returnTo;                // query and fragment of the page
  std::string address;                 // from which it has begun
  std::int64_t startedUs = 0;
};

struct ShareLinkRecord {
  std::int64_t id = 0;
  std::string secretHash;
  std::int64_t projectId = 0, ownerId = 0;
  Rights rights;
  std::string scene;  // JSON
  std::int64_t createdUs = 0, expiresUs = 0;
};

struct AuditRecord {
  std::int64_t id = 0, atUs = 0;
  std::string user, action;
  std::int64_t projectId = 0;  // 0: of no project
  std::string item, detail = "{}", address;
};

/// All calls from any thread; what is changed is on the disk when they return. Errors: those of Database; notFound;
/// invalidInput where a name is taken or is none (checkItemName).
class Accounts {
 public:
  using Now = std::function<std::int64_t()>;  // microseconds since 1970, UTC

  /// The database has been opened by openDatabase and outlives this.
  explicit Accounts(Database& database, Now now = {});

  // ---- users and groups

  [[nodiscard]] Result<UserRecord> addUser(const UserRecord& user);
  /// The one who sets the server up. Errors: forbidden if there is an administrator, also one who is made at the same
  /// time, by another server too.
  [[nodiscard]] Result<UserRecord> addFirstAdministrator(const UserRecord& user);
  /// All but id, name, times, externalId and absent. Who is disabled is logged out everywhere.
  /// Errors: forbidden if no administrator would be left who can log in.
  [[nodiscard]] Result<void> changeUser(const UserRecord& user);
  /// Logs the user out everywhere but in the session `keep`. Errors: invalidInput of users who are not local.
  [[nodiscard]] Result<void> setPassword(std::int64_t userId, std::string_view hash, std::int64_t keep = 0);
  /// With tokens, sessions, share links, memberships and grants. Errors: forbidden as changeUser.
  [[nodiscard]] Result<void> removeUser(std::int64_t userId);
  /// Finds the user by origin and externalId, or makes one; name, e-mail and groups follow the entry, and the log-in is
  /// noted. Errors: forbidden if another user has that name already (where: "name"), or the user is disabled.
  [[nodiscard]] Result<UserRecord> enter(const DirectoryEntry& entry);
  /// What the directory says of somebody between two log-ins. Errors: as enter; notFound of who has never logged in.
  [[nodiscard]] Result<UserRecord> confirm(const DirectoryEntry& entry);
  /// The directory has no such user who may enter: logged out everywhere, and tokens and links rest, until it has.
  [[nodiscard]] Result<void> setAbsent(std::int64_t userId);
  /// Who has a session, token or link that is good as far as the index knows, and is not disabled.
  [[nodiscard]] Result<std::vector<UserRecord>> usersToConfirm(std::string_view origin);
  [[nodiscard]] Result<void> noteSeen(std::int64_t userId);
  [[nodiscard]] Result<UserRecord> user(std::string_view name);
  [[nodiscard]] Result<UserRecord> user(std::int64_t id);
  [[nodiscard]] Result<std::vector<UserRecord>> users();

  [[nodiscard]] Result<GroupRecord> addGroup(std::string_view name, std::string_view origin = "local");
  /// With its memberships and grants.
  [[nodiscard]] Result<void> removeGroup(std::string_view name);
  [[nodiscard]] Result<std::vector<GroupRecord>> groups();
  /// Errors: invalidInput if the group is a directory's, which alone says who belongs to it.
  [[nodiscard]] Result<void> setMember(std::string_view group, std::int64_t userId, bool isMember);
  /// What a directory says at log-in: the user is in exactly these of the groups of that origin. New ones are made;
  /// names that a group cannot have are left out.
  [[nodiscard]] Result<void> setGroupsOf(std::int64_t userId, std::span<const std::string> names,
                                         std::string_view origin);

  // ---- rights

  [[nodiscard]] Result<std::vector<Grant>> grants(std::int64_t projectId);
  /// Neither user nor group: everybody. No rights: the grant is taken away. Errors: notFound (names what there is not).
  [[nodiscard]] Result<void> setGrant(std::int64_t projectId, const Grant& grant);
  /// Who somebody is, for accessTo().
  [[nodiscard]] Result<Caller> callerOf(std::int64_t userId);
  [[nodiscard]] Result<Access> access(std::int64_t projectId, const Caller& caller);
  /// What the caller may do in each project that they may read; by its id.
  [[nodiscard]] Result<std::map<std::int64_t, Access>> accesses(const Caller& caller);
  /// Where the caller may search: the projects that accessTo() lets them read.
  [[nodiscard]] Result<SearchScope> scope(const Caller& caller);

  // ---- secrets

  /// Errors of adding: invalidInput if it has expired already.
  [[nodiscard]] Result<TokenRecord> addToken(const TokenRecord& token);
  /// notFound too if it has expired. Notes the use, at most once a minute.
  [[nodiscard]] Result<TokenRecord> token(std::string_view secretHash);
  [[nodiscard]] Result<std::vector<TokenRecord>> tokens(std::int64_t userId);
  [[nodiscard]] Result<void> removeToken(std::int64_t id);

  [[nodiscard]] Result<WebSessionRecord> addSession(const WebSessionRecord& session);
  /// notFound too if it has expired.
  [[nodiscard]] Result<WebSessionRecord> session(std::string_view secretHash);
  /// Of one user, or of all with 0; the last used first.
  [[nodiscard]] Result<std::vector<WebSessionRecord>> sessions(std::int64_t userId);
  /// `kind`: "session", "token" or "share". Errors: notFound if it has been removed or has expired.
  [[nodiscard]] Result<void> isAlive(std::string_view kind, std::int64_t id);
  [[nodiscard]] Result<void> extendSession(std::int64_t id, std::int64_t expiresUs);
  [[nodiscard]] Result<void> removeSession(std::int64_t id);
  /// All of a user (password changed, disabled); 0: those of all users that have expired. How many.
  [[nodiscard]] Result<std::int64_t> removeSessions(std::int64_t userId);

  /// Everybody is logged out.
  [[nodiscard]] Result<void> removeAllSessions();

  /// Those of longer than `pendingLoginUs` ago go, and of an address that has many the oldest.
  [[nodiscard]] Result<void> addPendingLogin(const PendingLogin& login);
  static constexpr std::int64_t pendingLoginUs = 600'000'000;
  /// Takes it out: it is used once, however many ask. Errors: notFound (also too old, or of another browser).
  [[nodiscard]] Result<PendingLogin> takePendingLogin(std::string_view stateHash, std::string_view browserHash);

  [[nodiscard]] Result<ShareLinkRecord> addShareLink(const ShareLinkRecord& link);
  [[nodiscard]] Result<ShareLinkRecord> shareLink(std::string_view secretHash);
  /// The newest first, also those that have expired.
  [[nodiscard]] Result<std::vector<ShareLinkRecord>> shareLinks(std::int64_t projectId);
  [[nodiscard]] Result<void> removeShareLink(std::int64_t id);

  // ---- audit

  /// Can only be added to. What a request says of itself may be anything: text that is too long or not UTF-8 is made
  /// to fit. Who must not act unseen does not act if this fails.
  [[nodiscard]] Result<void> note(const AuditRecord& record);
  struct AuditFilter {
    std::optional<std::int64_t> projectId;
    std::optional<std::string> user, action;
    std::int64_t fromUs = 0, untilUs = INT64_MAX;
    std::int64_t before = 0;  // id of the last one of the page before; 0: the first page
    int most = 100;
  };
  /// The newest first.
  [[nodiscard]] Result<std::vector<AuditRecord>> audit(const AuditFilter& filter);

 private:
  Database& database_;
  Now now_;
};

}  // namespace nora
