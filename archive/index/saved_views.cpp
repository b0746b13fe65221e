#include "archive/index/saved_views.hpp"

#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <nlohmann/json.hpp>

namespace nora {

using namespace archive_sql;

namespace {

constexpr std::size_t longestScene = std::size_t{1} << 20;

const std::string presetColumns = "id, project_id, owner_id, name, scene, created_us, changed_us";
const std::string filterColumns = "id, project_id, owner_id, name, query";
const std::string ofUser = " WHERE owner_id IN (0, ?) AND project_id IN (0, ?) ORDER BY name, id";

PresetRecord presetOf(const SqlRow& row) {
  return {row.integer(0), row.integer(1), row.integer(2), row.text(3), row.text(4), row.integer(5), row.integer(6)};
}

SavedFilterRecord filterOf(const SqlRow& row) {
  return {row.integer(0), row.integer(1), row.integer(2), row.text(3), row.text(4)};
}

/// Scenes are read by who knows them; here it is held only that the text can be a scene.
Result<void> checkScene(const std::string& scene) {
  if (scene.size() > longestScene) return fail(ErrorCode::limitExceeded, "a scene has at most 1 MiB", "scene");
  if (!nlohmann::json::parse(scene, nullptr, false).is_object())
    return fail(ErrorCode::invalidInput, "a scene is a JSON object", "scene");
  return {};
}

/// The id of the row of that name, or 0. With the others waiting.
Result<std::int64_t> sameName(Sql& sql, const std::string& table, std::int64_t project, std::int64_t owner,
                              const std::string& name) {
  auto rows = sql.query("SELECT id FROM " + table + " WHERE project_id = ? AND owner_id = ? AND name = ?",
                        {project, owner, name});
  if (!rows) return tl::make_unexpected(rows.error());
  return rows->empty() ? 0 : rows->front().integer(0);
}

}  // namespace

SavedViews::SavedViews(Database& database, Now now) : database_(database), now_(clockOr(std::move(now))) {}

Result<PresetRecord> SavedViews::savePreset(const PresetRecord& wanted) {
  if (auto right = checkItemName(wanted.name, "preset"); !right) return tl::make_unexpected(right.error());
  if (auto right = checkScene(wanted.scene); !right) return tl::make_unexpected(right.error());
  std::int64_t id = 0;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto there = sameName(sql, "preset", wanted.projectId, wanted.ownerId, wanted.name);
    if (!there) return tl::make_unexpected(there.error());
    const std::int64_t nowUs = now_();
    auto stored = *there != 0 ? sql.change("UPDATE preset SET scene = ?, changed_us = ? WHERE id = ?",
                                           {wanted.scene, nowUs, *there})
                              : sql.change(
                                    "INSERT INTO preset (project_id, owner_id, name, scene, created_us, changed_us) "
                                    "VALUES (?, ?, ?, ?, ?, ?)",
                                    {wanted.projectId, wanted.ownerId, wanted.name, wanted.scene, nowUs, nowUs});
    if (!stored) return tl::make_unexpected(stored.error());
    id = *there != 0 ? *there : stored->newId;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return preset(id);
}

Result<std::vector<PresetRecord>> SavedViews::presets(std::int64_t userId, std::int64_t projectId) {
  return readAll(database_, "SELECT " + presetColumns + " FROM preset" + ofUser, {userId, projectId}, presetOf);
}

Result<PresetRecord> SavedViews::preset(std::int64_t id) {
  return readOne(database_, "SELECT " + presetColumns + " FROM preset WHERE id = ?", {id}, presetOf, "preset");
}

Result<void> SavedViews::removePreset(std::int64_t id) {
  return changeOne(database_, "DELETE FROM preset WHERE id = ?", {id}, "preset");
}

Result<SavedFilterRecord> SavedViews::saveFilter(const SavedFilterRecord& wanted) {
  if (auto right = checkItemName(wanted.name, "filter"); !right) return tl::make_unexpected(right.error());
  if (auto query = parseQuery(wanted.query); !query) return tl::make_unexpected(query.error());
  SavedFilterRecord out = wanted;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    if (auto alone = oneAtATime(sql); !alone) return alone;
    const auto there = sameName(sql, "saved_filter", out.projectId, out.ownerId, out.name);
    if (!there) return tl::make_unexpected(there.error());
    auto stored = *there != 0
                      ? sql.change("UPDATE saved_filter SET query = ? WHERE id = ?", {out.query, *there})
                      : sql.change("INSERT INTO saved_filter (project_id, owner_id, name, query) VALUES (?, ?, ?, ?)",
                                   {out.projectId, out.ownerId, out.name, out.query});
    if (!stored) return tl::make_unexpected(stored.error());
    out.id = *there != 0 ? *there : stored->newId;
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::vector<SavedFilterRecord>> SavedViews::filters(std::int64_t userId, std::int64_t projectId) {
  return readAll(database_, "SELECT " + filterColumns + " FROM saved_filter" + ofUser, {userId, projectId}, filterOf);
}

Result<SavedFilterRecord> SavedViews::filter(std::int64_t id) {
  return readOne(database_, "SELECT " + filterColumns + " FROM saved_filter WHERE id = ?", {id}, filterOf, "filter");
}

Result<void> SavedViews::removeFilter(std::int64_t id) {
  return changeOne(database_, "DELETE FROM saved_filter WHERE id = ?", {id}, "filter");
}

}  // namespace nora
