// Taking a project out of the index, and going on after a backup was put in its place.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <array>
#include <filesystem>

namespace nora {

using namespace archive_sql;

namespace {

/// Rows that know an item by its level and id alone.
Result<void> removeOfItems(Sql& sql, Level level, std::int64_t project) {
  const std::string table(tableOf(level));
  const std::string items = level == Level::project ? "SELECT id FROM project WHERE id = ?"
                                                    : "SELECT id FROM " + table + " WHERE project_id = ?";
  for (const char* rows : {"meta_key", "meta_history"}) {
    const std::string text = std::string("DELETE FROM ") + rows + " WHERE level = ? AND item_id IN (" + items + ")";
    auto gone = sql.change(text, {static_cast<std::int64_t>(level), project});
    if (!gone) return tl::make_unexpected(gone.error());
  }
  return {};
}

constexpr std::array<const char*, 13> ofProject{
    "DELETE FROM item_tag WHERE project_id = ?",
    "DELETE FROM file_part WHERE file_id IN (SELECT id FROM file WHERE project_id = ?)",
    "DELETE FROM file WHERE project_id = ?",
    "DELETE FROM dicom_header WHERE project_id = ?",
    "DELETE FROM study WHERE project_id = ?",
    "DELETE FROM subject WHERE project_id = ?",
    "DELETE FROM access_grant WHERE project_id = ?",
    "DELETE FROM share_link WHERE project_id = ?",
    "DELETE FROM token WHERE project_id = ?",
    "DELETE FROM preset WHERE project_id = ?",
    "DELETE FROM saved_filter WHERE project_id = ?",
    "DELETE FROM project_scan WHERE project_id = ?",
    "DELETE FROM project_journal WHERE project_id = ?"};

}  // namespace

Result<void> Archive::removeProject(std::int64_t id) {
  std::string journal;
  auto done = database_.write([&](Sql& sql) -> Result<void> {
    const auto raised = raise(sql);
    if (!raised) return tl::make_unexpected(raised.error());
    const auto known = sql.query("SELECT file FROM project_journal WHERE project_id = ?", {id});
    if (!known) return tl::make_unexpected(known.error());
    journal = known->empty() ? "" : known->front().text(0);
    for (const Level level : {Level::project, Level::subject, Level::study, Level::file}) {
      if (auto gone = removeOfItems(sql, level, id); !gone) return gone;
    }
    for (const char* text : ofProject) {
      if (auto gone = sql.change(text, {id}); !gone) return tl::make_unexpected(gone.error());
    }
    const auto gone = sql.change("DELETE FROM project WHERE id = ?", {id});
    if (!gone) return tl::make_unexpected(gone.error());
    if (gone->rows == 0) return fail(ErrorCode::notFound, "there is no such project", std::to_string(id));
    return {};
  });
  if (!done || journal.empty()) return done;
  std::error_code ignored;  // where the disk does not let it go, nora reindex brings the project back
  std::filesystem::rename(journal, journal + ".removed-" + std::to_string(now_()), ignored);
  return {};
}

Result<void> Archive::raiseAbove(std::int64_t seen) {
  return database_.write([&](Sql& sql) -> Result<void> {
    auto raised =
        sql.change("UPDATE revision SET n = CASE WHEN n < ? THEN ? ELSE n END + 1 WHERE id = 1", {seen, seen});
    if (!raised) return tl::make_unexpected(raised.error());
    return {};
  });
}

}  // namespace nora
