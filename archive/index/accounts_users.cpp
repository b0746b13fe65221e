// Users: made, changed, removed, and taken over from directories.
#include "archive/index/accounts.hpp"
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <set>

namespace nora {

using namespace archive_sql;

namespace {

const std::string columns =
    "id, name, full_name, email, origin, external_id, password_hash, disabled, administrator, created_us, seen_us";

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
  return out;
}

/// With the others waiting: the name is free until the transaction ends.
Result<UserRecord> insertUser(Sql& sql, UserRecord user) {
  auto made = sql.change(
      "INSERT INTO user (name, full_name, email, origin, external_id, password_hash, disabled, administrator, "
      "created_us, seen_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {user.name, user.fullName, user.email, user.origin, user.externalId, user.passwordHash,
       std::int64_t{user.disabled}, std::int64_t{user.administrator}, user.createdUs, user.seenUs});
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
  auto rows = sql.query("SELECT 1 FROM user WHERE administrator = 1 AND disabled = 0 AND id <> ? LIMIT 1", {without});
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

/// The user of an entry, new or with what the entry says now.
Result<UserRecord> entryUser(Sql& sql, const DirectoryEntry& entry, std::int64_t nowUs) {
  auto rows = sql.query("SELECT " + columns + " FROM user WHERE origin = ? AND external_id = ?",
                        {entry.origin, entry.externalId});
  if (!rows) return tl::make_unexpected(rows.error());
  UserRecord user = rows->empty() ? UserRecord{} : userOf(rows->front());
  if (user.disabled) return fail(ErrorCode::forbidden, "this user is disabled: ask an administrator", "user");
  const auto taken = isTaken(sql, entry.name, user.id);
  if (!taken) return tl::make_unexpected(taken.error());
  if (*taken)
    return fail(ErrorCode::forbidden, "there is another user of that name: ask an administrator to rename one", "user");
  user.name = entry.name;
  user.fullName = storable(entry.fullName);
  user.email = storable(entry.email);
  user.seenUs = nowUs;
  if (user.id == 0) {
    user.origin = entry.origin;
    user.externalId = entry.externalId;
    user.createdUs = nowUs;
    return insertUser(sql, user);
  }
  auto stored = change(sql, "UPDATE user SET name = ?, full_name = ?, email = ?, seen_us = ? WHERE id = ?",
                       {user.name, user.fullName, user.email, user.seenUs, user.id});
  if (!stored) return tl::make_unexpected(stored.error());
  return user;
}

}  // namespace

Accounts::Accounts(Database& database, Now now) : database_(database), now_(clockOr(std::move(now))) {}

Result<UserRecord> Accounts::addUser(const UserRecord& wanted) {
  if (auto right = checkItemName(wanted.name, "user"); !right) return tl::make_unexpected(right.error());
  UserRecord out;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto taken = isTaken(sql, wanted.name, 0);
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) return fail(ErrorCode::invalidInput, "there is a user of that name", "user");
    UserRecord user = wanted;
    user.createdUs = now_();
    auto made = insertUser(sql, std::move(user));
    if (!made) return tl::make_unexpected(made.error());
    out = std::move(*made);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
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
  if (auto right = checkItemName(entry.name, "user"); !right) return tl::make_unexpected(right.error());
  if (entry.externalId.empty() || entry.origin.empty() || entry.origin == "local")
    return fail(ErrorCode::invalidInput, "the directory does not say who this is", "user");
  UserRecord out;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    auto user = entryUser(sql, entry, now_());
    if (!user) return tl::make_unexpected(user.error());
    out = std::move(*user);
    return setDirectoryGroups(sql, out.id, entry.groups, entry.origin);
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
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
