// Users, groups and grants.
#include "archive/index/accounts.hpp"
#include "archive/index/accounts_sql.hpp"
#include "archive/index/archive.hpp"

#include <algorithm>
#include <set>

namespace nora {

using namespace accounts_sql;

namespace {

const std::string userColumns =
    "id, name, full_name, email, origin, password_hash, disabled, administrator, created_us, seen_us";

UserRecord userOf(const SqlRow& row) {
  return {row.integer(0), row.text(1),         row.text(2),         row.text(3),    row.text(4),
          row.text(5),    row.integer(6) != 0, row.integer(7) != 0, row.integer(8), row.integer(9)};
}

Grant grantOf(const SqlRow& row) {
  Grant out;
  if (row.integer(0) != 0) out.userId = row.integer(0);
  if (row.integer(1) != 0) out.groupId = row.integer(1);
  out.rights = Rights::fromBits(static_cast<std::uint32_t>(row.integer(2)));
  return out;
}

Result<std::int64_t> groupId(Sql& sql, std::string_view name) {
  auto rows = sql.query("SELECT id FROM user_group WHERE name = ?", {std::string(name)});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::notFound, "there is no such group", std::string(name));
  return rows->front().integer(0);
}

}  // namespace

Accounts::Accounts(Database& database, Now now) : database_(database), now_(now ? std::move(now) : Now(nowUs)) {}

Result<UserRecord> Accounts::addUser(const UserRecord& wanted) {
  if (auto right = checkItemName(wanted.name, "user"); !right) return tl::make_unexpected(right.error());
  UserRecord out = wanted;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    auto there = sql.query("SELECT id FROM user WHERE name = ?", {wanted.name});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return fail(ErrorCode::invalidInput, "there is a user of that name", "user");
    out.createdUs = now_();
    auto made = sql.change(
        "INSERT INTO user (name, full_name, email, origin, password_hash, disabled, administrator, created_us) VALUES "
        "(?, ?, ?, ?, ?, ?, ?, ?)",
        {out.name, out.fullName, out.email, out.origin, out.passwordHash, std::int64_t{out.disabled},
         std::int64_t{out.administrator}, out.createdUs});
    if (!made) return tl::make_unexpected(made.error());
    out.id = made->newId;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> Accounts::changeUser(const UserRecord& user) {
  return changeOne(database_,
                   "UPDATE user SET full_name = ?, email = ?, origin = ?, password_hash = ?, disabled = ?, "
                   "administrator = ? WHERE id = ?",
                   {user.fullName, user.email, user.origin, user.passwordHash, std::int64_t{user.disabled},
                    std::int64_t{user.administrator}, user.id},
                   "user");
}

Result<void> Accounts::noteSeen(std::int64_t userId) {
  return changeOne(database_, "UPDATE user SET seen_us = ? WHERE id = ?", {now_(), userId}, "user");
}

Result<UserRecord> Accounts::user(std::string_view name) {
  return readOne(database_, "SELECT " + userColumns + " FROM user WHERE name = ?", {std::string(name)}, userOf, "user");
}

Result<UserRecord> Accounts::user(std::int64_t id) {
  return readOne(database_, "SELECT " + userColumns + " FROM user WHERE id = ?", {id}, userOf, "user");
}

Result<std::vector<UserRecord>> Accounts::users() {
  return readAll(database_, "SELECT " + userColumns + " FROM user ORDER BY name", {}, userOf);
}

Result<GroupRecord> Accounts::addGroup(std::string_view name, std::string_view origin) {
  if (auto right = checkItemName(name, "group"); !right) return tl::make_unexpected(right.error());
  GroupRecord out{0, std::string(name), std::string(origin), {}};
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (groupId(sql, name)) return fail(ErrorCode::invalidInput, "there is a group of that name", "group");
    auto made = sql.change("INSERT INTO user_group (name, origin) VALUES (?, ?)", {out.name, out.origin});
    if (!made) return tl::make_unexpected(made.error());
    out.id = made->newId;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> Accounts::removeGroup(std::string_view name) {
  return database_.write([&](Sql& sql) -> Result<void> {
    const auto id = groupId(sql, name);
    if (!id) return tl::make_unexpected(id.error());
    for (const char* text : {"DELETE FROM access_grant WHERE group_id = ?", "DELETE FROM membership WHERE group_id = ?",
                             "DELETE FROM user_group WHERE id = ?"}) {
      if (auto done = sql.change(text, {*id}); !done) return tl::make_unexpected(done.error());
    }
    return {};
  });
}

Result<std::vector<GroupRecord>> Accounts::groups() {
  std::vector<GroupRecord> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query("SELECT id, name, origin FROM user_group ORDER BY name");
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.push_back({row.integer(0), row.text(1), row.text(2), {}});
    auto members = sql.query("SELECT group_id, user_id FROM membership ORDER BY user_id");
    if (!members) return tl::make_unexpected(members.error());
    for (const SqlRow& row : *members) {
      const auto at = std::ranges::find(out, row.integer(0), &GroupRecord::id);
      if (at != out.end()) at->members.push_back(row.integer(1));
    }
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<void> Accounts::setMember(std::string_view group, std::int64_t userId, bool isMember) {
  return database_.write([&](Sql& sql) -> Result<void> {
    const auto id = groupId(sql, group);
    if (!id) return tl::make_unexpected(id.error());
    auto user = sql.query("SELECT 1 FROM user WHERE id = ?", {userId});
    if (!user) return tl::make_unexpected(user.error());
    if (user->empty()) return fail(ErrorCode::notFound, "there is no such user", "user");
    auto gone = sql.change("DELETE FROM membership WHERE group_id = ? AND user_id = ?", {*id, userId});
    if (!gone) return tl::make_unexpected(gone.error());
    if (!isMember) return {};
    auto made = sql.change("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", {*id, userId});
    if (!made) return tl::make_unexpected(made.error());
    return {};
  });
}

Result<void> Accounts::setGroupsOf(std::int64_t userId, std::span<const std::string> names, std::string_view origin) {
  for (const std::string& name : names) {
    if (auto right = checkItemName(name, "group"); !right) return right;
  }
  return database_.write([&](Sql& sql) -> Result<void> {
    auto left = sql.change(
        "DELETE FROM membership WHERE user_id = ? AND group_id IN (SELECT id FROM user_group WHERE origin = ?)",
        {userId, std::string(origin)});
    if (!left) return tl::make_unexpected(left.error());
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
      auto rows = sql.query("SELECT id, origin FROM user_group WHERE name = ?", {name});
      if (!rows) return tl::make_unexpected(rows.error());
      if (!rows->empty() && rows->front().text(1) != origin)
        continue;  // a group of another origin is not the directory's to fill
      std::int64_t id = rows->empty() ? 0 : rows->front().integer(0);
      if (id == 0) {
        auto made = sql.change("INSERT INTO user_group (name, origin) VALUES (?, ?)", {name, std::string(origin)});
        if (!made) return tl::make_unexpected(made.error());
        id = made->newId;
      }
      auto joined = sql.change("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", {id, userId});
      if (!joined) return tl::make_unexpected(joined.error());
    }
    return {};
  });
}

Result<std::vector<Grant>> Accounts::grants(std::int64_t projectId) {
  return readAll(database_,
                 "SELECT user_id, group_id, rights FROM access_grant WHERE project_id = ? ORDER BY user_id, group_id",
                 {projectId}, grantOf);
}

Result<void> Accounts::setGrant(std::int64_t projectId, const Grant& grant) {
  if (grant.userId && grant.groupId)
    return fail(ErrorCode::invalidInput, "a grant is for a user, a group or everybody", "grant");
  const std::int64_t user = grant.userId.value_or(0), group = grant.groupId.value_or(0);
  return database_.write([&](Sql& sql) -> Result<void> {
    auto project = sql.query("SELECT 1 FROM project WHERE id = ?", {projectId});
    if (!project) return tl::make_unexpected(project.error());
    if (project->empty()) return fail(ErrorCode::notFound, "there is no such project", "project");
    auto gone = sql.change("DELETE FROM access_grant WHERE project_id = ? AND user_id = ? AND group_id = ?",
                           {projectId, user, group});
    if (!gone) return tl::make_unexpected(gone.error());
    if (grant.rights.empty()) return {};
    auto made = sql.change("INSERT INTO access_grant (project_id, user_id, group_id, rights) VALUES (?, ?, ?, ?)",
                           {projectId, user, group, std::int64_t{grant.rights.bits()}});
    if (!made) return tl::make_unexpected(made.error());
    return {};
  });
}

Result<Caller> Accounts::callerOf(std::int64_t userId) {
  Caller out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out = {};
    auto user = sql.query("SELECT disabled, administrator FROM user WHERE id = ?", {userId});
    if (!user) return tl::make_unexpected(user.error());
    if (user->empty()) return fail(ErrorCode::notFound, "there is no such user", "user");
    out.entrance = Entrance::session;
    out.userId = userId;
    out.disabled = user->front().integer(0) != 0;
    out.administrator = user->front().integer(1) != 0;
    auto groups = sql.query("SELECT group_id FROM membership WHERE user_id = ? ORDER BY group_id", {userId});
    if (!groups) return tl::make_unexpected(groups.error());
    for (const SqlRow& row : *groups) out.groups.push_back(row.integer(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
