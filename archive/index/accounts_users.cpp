// Users: made, changed, removed, and taken over from directories.
#include "archive/index/accounts.hpp"
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <set>

namespace nora {

using namespace archive_sql;

namespace {

const std::string columns =
    "id, name, full_name, email, origin, external_id, password_hash, disabled, administrator, created_us, seen_us, "
    "confirmed_us, absent";

UserRecord userOf(const SqlRow& row) {
  UserRecord out;
  out.id = row.integer(0);
  out.name = row.text(1);
  out.fullName = row.text(2);
  out.email = row.text(3);
  out.origin = row.text(4);
  out.externalId = row.text(5);
  out.passwordHash = row.text(6);
  out.disabled = row.integer(7) != 0;
  out.administrator = row.integer(8) != 0;
  out.createdUs = row.integer(9);
  out.seenUs = row.integer(10);
  out.confirmedUs = row.integer(11);
  out.absent = row.integer(12) != 0;
  return out;
}

/// With the others waiting: the name is free until the transaction ends.
Result<UserRecord> insertUser(Sql& sql, UserRecord user) {
  auto made = sql.change(
      "INSERT INTO user (name, full_name, email, origin, external_id, password_hash, disabled, administrator, "
      "created_us, seen_us, confirmed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {user.name, user.fullName, user.email, user.origin, user.externalId, user.passwordHash,
       std::int64_t{user.disabled}, std::int64_t{user.administrator}, user.createdUs, user.seenUs, user.confirmedUs});
  if (!made) return tl::make_unexpected(made.error());
  user.id = made->newId;
  return user;
}

Result<UserRecord> readUser(Sql& sql, std::int64_t id) {
  return oneOf(sql.query("SELECT " + columns + " FROM user WHERE id = ?", {id}), userOf, "user");
}

Result<bool> isTaken(Sql& sql, const std::string& name, std::int64_t exceptId) {
  auto rows = sql.query("SELECT 1 FROM user WHERE name = ? AND id <> ?", {name, exceptId});
  if (!rows) return tl::make_unexpected(rows.error());
  return !rows->empty();
}

/// Before `without` stops being one.
Result<void> checkAdministratorLeft(Sql& sql, std::int64_t without) {
  auto rows = sql.query(
      "SELECT 1 FROM user WHERE administrator = 1 AND disabled = 0 AND absent = 0 AND id <> ? LIMIT 1", {without});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty())
    return fail(ErrorCode::forbidden, "this is the last administrator: make another one first", "user");
  return {};
}

Result<void> change(Sql& sql, std::string_view text, std::initializer_list<SqlValue> values) {
  auto done = sql.change(text, values);
  if (!done) return tl::make_unexpected(done.error());
  return {};
}

Result<std::int64_t> directoryGroup(Sql& sql, const std::string& name, const std::string& origin) {
  auto rows = sql.query("SELECT id, origin FROM user_group WHERE name = ?", {name});
  if (!rows) return tl::make_unexpected(rows.error());
  // A local group of that name was filled by hand, and rights were given to those people: the directory adds nobody.
  if (!rows->empty()) return rows->front().text(1) == origin ? rows->front().integer(0) : 0;
  auto made = sql.change("INSERT INTO user_group (name, origin) VALUES (?, ?)", {name, origin});
  if (!made) return tl::make_unexpected(made.error());
  return made->newId;
}

/// Memberships in groups of that origin become what the directory says.
Result<void> setDirectoryGroups(Sql& sql, std::int64_t user, std::span<const std::string> names,
                                const std::string& origin) {
  std::set<std::int64_t> wanted;
  for (const std::string& name : names) {
    if (!checkItemName(name, "group")) continue;  // cannot be shown or given rights
    const auto id = directoryGroup(sql, name, origin);
    if (!id) return tl::make_unexpected(id.error());
    if (*id != 0) wanted.insert(*id);
  }
  auto rows = sql.query(
      "SELECT membership.group_id FROM membership JOIN user_group ON user_group.id = membership.group_id WHERE "
      "membership.user_id = ? AND user_group.origin = ?",
      {user, origin});
  if (!rows) return tl::make_unexpected(rows.error());
  for (const SqlRow& row : *rows) {
    const std::int64_t group = row.integer(0);
    if (wanted.erase(group) != 0) continue;
    auto gone = change(sql, "DELETE FROM membership WHERE group_id = ? AND user_id = ?", {group, user});
    if (!gone) return gone;
  }
  for (const std::int64_t group : wanted) {
    auto made = change(sql, "INSERT INTO membership (group_id, user_id) VALUES (?, ?)", {group, user});
    if (!made) return made;
  }
  return {};
}

enum class Confirmed { byLogIn, between };

/// The user of an entry with what the entry says now; new only where they log in.
Result<UserRecord> entryUser(Sql& sql, const DirectoryEntry& entry, Confirmed how, std::int64_t nowUs) {
  auto rows = sql.query("SELECT " + columns + " FROM user WHERE origin = ? AND external_id = ?",
                        {entry.origin, entry.externalId});
  if (!rows) return tl::make_unexpected(rows.error());
  UserRecord user = rows->empty() ? UserRecord{} : userOf(rows->front());
  const bool isNew = rows->empty();
  if (isNew && how == Confirmed::between) return fail(ErrorCode::notFound, "there is no such user", "user");
  if (user.disabled) return fail(ErrorCode::forbidden, "this user is disabled: ask an administrator", "user");
  const auto taken = isTaken(sql, entry.name, user.id);
  if (!taken) return tl::make_unexpected(taken.error());
  if (*taken)
    return fail(ErrorCode::forbidden,
                "there is another user of that name: ask an administrator, who can remove one of the two, or have one "
                "renamed where it is kept",
                "name");
  user.name = entry.name;
  user.fullName = storable(entry.fullName);
  user.email = storable(entry.email);
  user.administrator = entry.administrator.value_or(user.administrator);
  user.confirmedUs = nowUs;
  user.absent = false;
  if (how == Confirmed::byLogIn) user.seenUs = nowUs;
  if (isNew) {
    user.origin = entry.origin;
    user.externalId = entry.externalId;
    user.createdUs = nowUs;
    return insertUser(sql, user);
  }
  auto stored = change(
      sql,
      "UPDATE user SET name = ?, full_name = ?, email = ?, administrator = ?, seen_us = ?, "
      "confirmed_us = ?, absent = 0 WHERE id = ?",
      {user.name, user.fullName, user.email, std::int64_t{user.administrator}, user.seenUs, user.confirmedUs, user.id});
  if (!stored) return tl::make_unexpected(stored.error());
  return user;
}

/// With the groups; for one who logs in, or between two log-ins.
Result<UserRecord> takeOver(Database& database, const DirectoryEntry& entry, Confirmed how, std::int64_t nowUs) {
  if (auto right = checkItemName(entry.name, "user"); !right) return tl::make_unexpected(right.error());
  if (entry.externalId.empty() || entry.origin.empty() || entry.origin == "local")
    return fail(ErrorCode::invalidInput, "the directory does not say who this is", "user");
  UserRecord out;
  auto done = database.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    auto user = entryUser(sql, entry, how, nowUs);
    if (!user) return tl::make_unexpected(user.error());
    out = std::move(*user);
    return setDirectoryGroups(sql, out.id, entry.groups, entry.origin);
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

/// A local user, if the name is free and `may` says so; all within one transaction.
Result<UserRecord> addLocal(Database& database, const UserRecord& wanted, std::int64_t nowUs,
                            const std::function<Result<void>(Sql&)>& may) {
  if (auto right = checkItemName(wanted.name, "user"); !right) return tl::make_unexpected(right.error());
  UserRecord out;
  auto done = database.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    if (auto allowed = may(sql); !allowed) return allowed;
    const auto taken = isTaken(sql, wanted.name, 0);
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) return fail(ErrorCode::invalidInput, "there is a user of that name", "user");
    UserRecord user = wanted;
    user.createdUs = nowUs;
    auto made = insertUser(sql, std::move(user));
    if (!made) return tl::make_unexpected(made.error());
    out = std::move(*made);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace

Accounts::Accounts(Database& database, Now now) : database_(database), now_(clockOr(std::move(now))) {}

Result<UserRecord> Accounts::addUser(const UserRecord& user) {
  return addLocal(database_, user, now_(), [](Sql&) -> Result<void> { return {}; });
}

Result<UserRecord> Accounts::addFirstAdministrator(const UserRecord& user) {
  UserRecord first = user;
  first.administrator = true;
  return addLocal(database_, first, now_(), [](Sql& sql) -> Result<void> {
    auto rows = sql.query("SELECT 1 FROM user WHERE administrator = 1 LIMIT 1");
    if (!rows) return tl::make_unexpected(rows.error());
    if (!rows->empty()) return fail(ErrorCode::forbidden, "there is an administrator already: log in", "user");
    return {};
  });
}

Result<std::vector<UserRecord>> Accounts::users() {
  return readAll(database_, "SELECT " + columns + " FROM user ORDER BY name", {}, userOf);
}

Result<UserRecord> Accounts::user(std::int64_t id) {
  return readOne(database_, "SELECT " + columns + " FROM user WHERE id = ?", {id}, userOf, "user");
}

Result<UserRecord> Accounts::user(std::string_view name) {
  return readOne(database_, "SELECT " + columns + " FROM user WHERE name = ?", {std::string(name)}, userOf, "user");
}

Result<void> Accounts::noteSeen(std::int64_t userId) {
  return changeOne(database_, "UPDATE user SET seen_us = ? WHERE id = ?", {now_(), userId}, "user");
}

Result<void> Accounts::changeUser(const UserRecord& user) {
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto before = readUser(sql, user.id);
    if (!before) return tl::make_unexpected(before.error());
    if (before->administrator && !before->disabled && (!user.administrator || user.disabled)) {
      if (auto left = checkAdministratorLeft(sql, user.id); !left) return left;
    }
    auto stored = change(sql,
                         "UPDATE user SET full_name = ?, email = ?, origin = ?, password_hash = ?, disabled = ?, "
                         "administrator = ? WHERE id = ?",
                         {user.fullName, user.email, user.origin, user.passwordHash, std::int64_t{user.disabled},
                          std::int64_t{user.administrator}, user.id});
    if (!stored || !user.disabled) return stored;
    return change(sql, "DELETE FROM web_session WHERE user_id = ?", {user.id});
  });
}

Result<void> Accounts::setPassword(std::int64_t id, std::string_view hash, std::int64_t keep) {
  return database_.write([&](Sql& sql) -> Result<void> {
    const auto before = readUser(sql, id);
    if (!before) return tl::make_unexpected(before.error());
    if (before->origin != "local") {
      return fail(ErrorCode::invalidInput,
                  "the password of this user is kept by " + before->origin + ": change it there", "user");
    }
    auto stored = change(sql, "UPDATE user SET password_hash = ? WHERE id = ?", {std::string(hash), id});
    if (!stored) return stored;
    return change(sql, "DELETE FROM web_session WHERE user_id = ? AND id <> ?", {id, keep});
  });
}

Result<void> Accounts::removeUser(std::int64_t id) {
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto before = readUser(sql, id);
    if (!before) return tl::make_unexpected(before.error());
    if (before->administrator && !before->disabled) {
      if (auto left = checkAdministratorLeft(sql, id); !left) return left;
    }
    // Tokens, sessions and memberships go with the row; links would let others in by rights that nobody has.
    for (const char* text : {"DELETE FROM access_grant WHERE user_id = ?", "DELETE FROM share_link WHERE owner_id = ?",
                             "DELETE FROM user WHERE id = ?"}) {
      if (auto gone = change(sql, text, {id}); !gone) return gone;
    }
    return {};
  });
}

Result<UserRecord> Accounts::enter(const DirectoryEntry& entry) {
  return takeOver(database_, entry, Confirmed::byLogIn, now_());
}

Result<UserRecord> Accounts::confirm(const DirectoryEntry& entry) {
  return takeOver(database_, entry, Confirmed::between, now_());
}

Result<void> Accounts::setAbsent(std::int64_t id) {
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto set = change(sql, "UPDATE user SET absent = 1 WHERE id = ?", {id}); !set) return set;
    return change(sql, "DELETE FROM web_session WHERE user_id = ?", {id});
  });
}

Result<std::vector<UserRecord>> Accounts::usersToConfirm(std::string_view origin) {
  const std::int64_t now = now_();
  return readAll(database_,
                 "SELECT " + columns +
                     " FROM user WHERE origin = ? AND disabled = 0 AND ("
                     "EXISTS (SELECT 1 FROM web_session WHERE user_id = user.id AND expires_us > ?) OR "
                     "EXISTS (SELECT 1 FROM token WHERE user_id = user.id AND expires_us > ?) OR "
                     "EXISTS (SELECT 1 FROM share_link WHERE owner_id = user.id AND expires_us > ?)) ORDER BY id",
                 {std::string(origin), now, now, now}, userOf);
}

Result<void> Accounts::setGroupsOf(std::int64_t userId, std::span<const std::string> names, std::string_view origin) {
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto user = readUser(sql, userId);
    if (!user) return tl::make_unexpected(user.error());
    return setDirectoryGroups(sql, userId, names, std::string(origin));
  });
}

}  // namespace nora
