// Groups and grants, and what is decided from them.
#include "archive/index/accounts.hpp"
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <algorithm>
#include <map>

namespace nora {

using namespace archive_sql;

namespace {

Grant grantOf(const SqlRow& row) {
  Grant out;
  if (row.integer(0) != 0) out.userId = row.integer(0);
  if (row.integer(1) != 0) out.groupId = row.integer(1);
  out.rights = Rights::fromBits(static_cast<std::uint32_t>(row.integer(2)));
  return out;
}

ProjectFacts factsOf(const SqlRow& row) {
  return {row.integer(0), row.integer(1) != 0};
}

const std::string grantsOfProject =
    "SELECT user_id, group_id, rights FROM access_grant WHERE project_id = ? ORDER BY user_id, group_id";

Result<void> checkThere(Sql& sql, const std::string& table, std::int64_t id, std::string_view what) {
  auto rows = sql.query("SELECT 1 FROM " + table + " WHERE id = ?", {id});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
  return {};
}

Result<std::int64_t> groupId(Sql& sql, std::string_view name) {
  auto rows = sql.query("SELECT id FROM user_group WHERE name = ?", {std::string(name)});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::notFound, "there is no such group", std::string(name));
  return rows->front().integer(0);
}

}  // namespace

Result<GroupRecord> Accounts::addGroup(std::string_view name, std::string_view origin) {
  if (auto right = checkItemName(name, "group"); !right) return tl::make_unexpected(right.error());
  GroupRecord out{0, std::string(name), std::string(origin), {}};
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    auto there = sql.query("SELECT 1 FROM user_group WHERE name = ?", {out.name});
    if (!there) return tl::make_unexpected(there.error());
    if (!there->empty()) return fail(ErrorCode::invalidInput, "there is a group of that name", "group");
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
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto id = groupId(sql, name);
    if (!id) return tl::make_unexpected(id.error());
    for (const char* text : {"DELETE FROM access_grant WHERE group_id = ?", "DELETE FROM user_group WHERE id = ?"}) {
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
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto id = groupId(sql, group);
    if (!id) return tl::make_unexpected(id.error());
    auto origin = sql.query("SELECT origin FROM user_group WHERE id = ?", {*id});
    if (!origin) return tl::make_unexpected(origin.error());
    if (const std::string from = origin->front().text(0); from != "local")
      return fail(ErrorCode::invalidInput, from + " says who is in this group: change it there", "group");
    if (auto there = checkThere(sql, "user", userId, "user"); !there) return there;
    auto gone = sql.change("DELETE FROM membership WHERE group_id = ? AND user_id = ?", {*id, userId});
    if (!gone) return tl::make_unexpected(gone.error());
    if (!isMember) return {};
    return sql.append("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", {*id, userId});
  });
}

Result<void> Accounts::setGrant(std::int64_t projectId, const Grant& grant) {
  const std::int64_t user = grant.userId.value_or(0), group = grant.groupId.value_or(0);
  if (user != 0 && group != 0)
    return fail(ErrorCode::invalidInput, "rights are given to a user or to a group, not to both", "grant");
  return database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    if (auto there = checkThere(sql, "project", projectId, "project"); !there) return there;
    if (grant.userId) {
      if (auto there = checkThere(sql, "user", user, "user"); !there) return there;
    }
    if (grant.groupId) {
      if (auto there = checkThere(sql, "user_group", group, "group"); !there) return there;
    }
    auto gone = sql.change("DELETE FROM access_grant WHERE project_id = ? AND user_id = ? AND group_id = ?",
                           {projectId, user, group});
    if (!gone) return tl::make_unexpected(gone.error());
    if (grant.rights.empty()) return {};
    return sql.append("INSERT INTO access_grant (project_id, user_id, group_id, rights) VALUES (?, ?, ?, ?)",
                      {projectId, user, group, std::int64_t{grant.rights.bits()}});
  });
}

Result<std::vector<Grant>> Accounts::grants(std::int64_t projectId) {
  return readAll(database_, grantsOfProject, {projectId}, grantOf);
}

Result<Caller> Accounts::callerOf(std::int64_t userId) {
  Caller out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out = {};
    auto rows = sql.query("SELECT disabled, administrator, absent FROM user WHERE id = ?", {userId});
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->empty()) return fail(ErrorCode::notFound, "there is no such user", "user");
    out.entrance = Entrance::session;
    out.userId = userId;
    out.disabled = rows->front().integer(0) != 0 || rows->front().integer(2) != 0;
    out.administrator = rows->front().integer(1) != 0;
    auto groups = sql.query("SELECT group_id FROM membership WHERE user_id = ? ORDER BY group_id", {userId});
    if (!groups) return tl::make_unexpected(groups.error());
    for (const SqlRow& row : *groups) out.groups.push_back(row.integer(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<Access> Accounts::access(std::int64_t projectId, const Caller& caller) {
  Access out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    const auto facts =
        oneOf(sql.query("SELECT id, hide_identity FROM project WHERE id = ?", {projectId}), factsOf, "project");
    if (!facts) return tl::make_unexpected(facts.error());
    auto rows = sql.query(grantsOfProject, {projectId});
    if (!rows) return tl::make_unexpected(rows.error());
    std::vector<Grant> given;
    for (const SqlRow& row : *rows) given.push_back(grantOf(row));
    out = accessTo(*facts, given, caller);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::map<std::int64_t, Access>> Accounts::accesses(const Caller& caller) {
  std::map<std::int64_t, Access> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query("SELECT project_id, user_id, group_id, rights FROM access_grant");
    if (!rows) return tl::make_unexpected(rows.error());
    std::map<std::int64_t, std::vector<Grant>> given;
    for (const SqlRow& row : *rows) {
      given[row.integer(0)].push_back(grantOf(SqlRow({row[1], row[2], row[3]})));
    }
    auto projects = sql.query("SELECT id, hide_identity FROM project ORDER BY id");
    if (!projects) return tl::make_unexpected(projects.error());
    for (const SqlRow& row : *projects) {
      const Access may = accessTo(factsOf(row), given[row.integer(0)], caller);
      if (may.rights.has(Right::read)) out.emplace(row.integer(0), may);
    }
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<SearchScope> Accounts::scope(const Caller& caller) {
  const auto all = accesses(caller);
  if (!all) return tl::make_unexpected(all.error());
  SearchScope out;
  for (const auto& [id, may] : *all) (may.showsIdentity ? out.projects : out.pseudonymous).push_back(id);
  return out;
}

}  // namespace nora
