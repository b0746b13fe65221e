// What a search finds in the order of a column: pages by key, and all ids at once.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <algorithm>
#include <array>

namespace nora {

using namespace archive_sql;

namespace {

constexpr int mostOfAPage = 1000;

struct SortColumn {
  std::string_view name, column;
  bool isText;
};

constexpr std::array common{SortColumn{"name", "name_fold", true}, SortColumn{"created", "created_us", false},
                            SortColumn{"changed", "changed_us", false}};
constexpr std::array ofFiles{SortColumn{"path", "path_fold", true},
                             SortColumn{"kind", "kind", true},
                             SortColumn{"format", "format_fold", true},
                             SortColumn{"size", "size", false},
                             SortColumn{"modified", "mtime_us", false},
                             SortColumn{"state", "state", false},
                             SortColumn{"modality", "modality_fold", true},
                             SortColumn{"sequence", "sequence_fold", true},
                             SortColumn{"date", "date", true},
                             SortColumn{"instances", "instances", false},
                             SortColumn{"dims", "nx", false},
                             SortColumn{"spacingMm", "dx", false},
                             SortColumn{"subject", "subject_id", false},
                             SortColumn{"study", "study_id", false},
                             SortColumn{"project", "project_id", false}};
constexpr std::array ofStudies{SortColumn{"date", "date", true}, SortColumn{"subject", "subject_id", false},
                               SortColumn{"project", "project_id", false}};
constexpr std::array ofSubjects{SortColumn{"project", "project_id", false}};

std::span<const SortColumn> further(Level level) {
  if (level == Level::file) return ofFiles;
  if (level == Level::study) return ofStudies;
  return level == Level::subject ? std::span<const SortColumn>(ofSubjects) : std::span<const SortColumn>();
}

Result<const SortColumn*> columnOf(Level level, std::string_view name) {
  for (const auto columns : {std::span<const SortColumn>(common), further(level)}) {
    for (const SortColumn& column : columns) {
      if (column.name == name) return &column;
    }
  }
  std::string all;
  for (const auto one : Archive::sortColumns(level)) all += (all.empty() ? "" : ", ") + std::string(one);
  return fail(ErrorCode::invalidInput, "there is no such column; there are " + all, "sort");
}

/// What stands in the rows for sorting; nothing comes before everything, on both databases.
std::string valueSql(const SortColumn& column) {
  const std::string name = "item." + std::string(column.column);
  return column.name == "subject" || column.name == "study" ? "COALESCE(" + name + ", 0)" : name;
}

/// The statement up to its limit.
struct Statement {
  std::string text;
  std::vector<SqlValue> values;
};

void add(Statement& statement, const SqlText& part) {
  statement.text += part.text;
  for (const SqlValue& value : valuesOf(part)) statement.values.push_back(value);
}

}  // namespace

SqlText archive_sql::selectionSql(Level level, const Archive::Selection& selection) {
  SqlText out;
  const auto only = [&](const std::optional<std::int64_t>& id, const std::string& column) {
    if (!id) return;
    if (*id == 0) {
      out.text += " AND item." + column + " IS NULL";
      return;
    }
    out.text += " AND item." + column + " = ?";
    out.parameters.emplace_back(*id);
  };
  only(selection.project, level == Level::project ? "id" : "project_id");
  if (level == Level::subject) only(selection.subject, "id");
  if (level > Level::subject) only(selection.subject, "subject_id");
  if (level == Level::study) only(selection.study, "id");
  if (level == Level::file) only(selection.study, "study_id");
  return out;
}

std::vector<std::string_view> Archive::sortColumns(Level level) {
  std::vector<std::string_view> out{"id"};
  for (const SortColumn& column : common) out.push_back(column.name);
  for (const SortColumn& column : further(level)) out.push_back(column.name);
  return out;
}

Result<Archive::SortedPage> Archive::findSorted(Level level, const Query& query, const SearchScope& scope,
                                                const Selection& selection, const std::optional<SortKey>& after,
                                                int most) {
  if (most < 1 || most > mostOfAPage) return fail(ErrorCode::invalidInput, "a page has 1 to 1000 items", "limit");
  const bool byId = selection.sort.empty() || selection.sort == "id";
  const auto column = byId ? Result<const SortColumn*>(nullptr) : columnOf(level, selection.sort);
  if (!column) return tl::make_unexpected(column.error());
  const SearchSql search = toSql(query, level, scope, database_.dialect());
  const std::string sign = selection.descending ? "<" : ">", order = selection.descending ? " DESC" : "";
  const std::string value = byId ? "item.id" : valueSql(**column);
  SortedPage out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out = {};
    const bool rising = byId && !selection.descending;
    const auto where = bestWhere(sql, search, rising ? inOrder(search, after ? after->id : 0) : search.where);
    if (!where) return tl::make_unexpected(where.error());
    Statement all{"SELECT item.id, " + value + " FROM " + std::string(tableOf(level)) + " AS item WHERE (", {}};
    add(all, *where);
    all.text += ")" + presentSql(level, query);
    add(all, selectionSql(level, selection));
    if (after && byId) {
      all.text += " AND item.id " + sign + " ?";
      all.values.emplace_back(after->id);
    } else if (after) {
      all.text += " AND " + value + " " + sign + "= ? AND (" + value + " " + sign + " ? OR item.id " + sign + " ?)";
      all.values.insert(all.values.end(), {after->value, after->value, SqlValue(after->id)});
    }
    all.text += " ORDER BY " + (byId ? "" : value + order + ", ") + "item.id" + order + " LIMIT ?";
    all.values.emplace_back(std::int64_t{most} + 1);
    auto rows = sql.query(all.text, std::span<const SqlValue>(all.values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) {
      if (out.ids.size() == static_cast<std::size_t>(most)) break;
      out.ids.push_back(row.integer(0));
      if (rows->size() > static_cast<std::size_t>(most)) out.next = SortKey{row[1], row.integer(0)};
    }
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::vector<std::int64_t>> Archive::allIds(Level level, const Query& query, const SearchScope& scope,
                                                  const Selection& selection) {
  const bool byId = selection.sort.empty() || selection.sort == "id";
  const auto column = byId ? Result<const SortColumn*>(nullptr) : columnOf(level, selection.sort);
  if (!column) return tl::make_unexpected(column.error());
  const SearchSql search = toSql(query, level, scope, database_.dialect());
  const std::string order = selection.descending ? " DESC" : "";
  std::vector<std::int64_t> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    const auto where = bestWhere(sql, search, search.where);
    if (!where) return tl::make_unexpected(where.error());
    Statement all{"SELECT item.id FROM " + std::string(tableOf(level)) + " AS item WHERE (", {}};
    add(all, *where);
    all.text += ")" + presentSql(level, query);
    add(all, selectionSql(level, selection));
    all.text += " ORDER BY " + (byId ? "" : valueSql(**column) + order + ", ") + "item.id" + order;
    auto rows = sql.query(all.text, std::span<const SqlValue>(all.values));
    if (!rows) return tl::make_unexpected(rows.error());
    out.reserve(rows->size());
    for (const SqlRow& row : *rows) out.push_back(row.integer(0));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

namespace {

Result<void> countInto(Sql& sql, const std::string& text, std::span<const std::int64_t> ids,
                       std::map<std::int64_t, Archive::Counts>& out, std::int64_t Archive::Counts::*where) {
  return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
    const auto values = valuesOf(some);
    std::string asked = text;
    asked.replace(asked.find("(?)"), 3, marks(some.size()));
    auto rows = sql.query(asked, std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out[row.integer(0)].*where = row.integer(1);
    return {};
  });
}

}  // namespace

Result<void> Archive::count(Sql& sql, Level level, std::span<const std::int64_t> ids,
                            std::map<std::int64_t, Counts>& out) {
  const std::string own = std::string(tableOf(level)) + "_id";
  for (const std::int64_t id : ids) out[id] = {};
  const auto of = [&](const std::string& table, const std::string& further, std::int64_t Counts::*where) {
    return countInto(
        sql, "SELECT " + own + ", COUNT(*) FROM " + table + " WHERE " + own + " IN (?)" + further + " GROUP BY " + own,
        ids, out, where);
  };
  if (auto counted = of("file", " AND state <> 1 AND kind <> 'sidecar'", &Counts::files);
      !counted || level == Level::study)
    return counted;
  if (auto counted = of("study", "", &Counts::studies); !counted || level == Level::subject) return counted;
  return of("subject", "", &Counts::subjects);
}

Result<std::map<std::int64_t, Archive::Counts>> Archive::countsOf(Level level, std::span<const std::int64_t> ids) {
  std::map<std::int64_t, Counts> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    if (level != Level::project) return count(sql, level, ids, out);
    const auto rows = sql.query("SELECT n FROM revision WHERE id = 1");
    if (!rows) return tl::make_unexpected(rows.error());
    const std::int64_t revision = rows->front().integer(0);
    std::vector<std::int64_t> unknown;
    {
      const std::lock_guard lock(projectCountsMutex_);
      if (projectCountsRevision_ != revision) projectCounts_.clear();
      projectCountsRevision_ = revision;
      for (const std::int64_t id : ids) {
        const auto known = projectCounts_.find(id);
        if (known == projectCounts_.end())
          unknown.push_back(id);
        else
          out.insert(*known);
      }
    }
    std::map<std::int64_t, Counts> counted;
    if (auto right = count(sql, level, unknown, counted); !right) return right;
    const std::lock_guard lock(projectCountsMutex_);
    if (projectCountsRevision_ == revision) projectCounts_.insert(counted.begin(), counted.end());
    out.merge(counted);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::map<std::int64_t, std::int64_t>> Archive::bytesOf(std::span<const std::int64_t> ids) {
  std::map<std::int64_t, std::int64_t> out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    for (const std::int64_t id : ids) {
      auto rows = sql.query("SELECT COALESCE(SUM(size), 0) FROM file WHERE project_id = ? AND state <> 1", {id});
      if (!rows) return tl::make_unexpected(rows.error());
      out[id] = rows->front().integer(0);
    }
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::map<std::int64_t, std::int64_t>> Archive::projectIdsOf(Level level, std::span<const std::int64_t> ids) {
  std::map<std::int64_t, std::int64_t> out;
  const std::string column = level == Level::project ? "id" : "project_id";
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out.clear();
    return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
      const auto values = valuesOf(some);
      auto rows = sql.query(
          "SELECT id, " + column + " FROM " + std::string(tableOf(level)) + " WHERE id IN " + marks(some.size()),
          std::span<const SqlValue>(values));
      if (!rows) return tl::make_unexpected(rows.error());
      for (const SqlRow& row : *rows) out[row.integer(0)] = row.integer(1);
      return {};
    });
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::int64_t> Archive::projectIdOf(Level level, std::int64_t id) {
  if (level == Level::project) return id;
  return readOne<std::int64_t>(
      database_, "SELECT project_id FROM " + std::string(tableOf(level)) + " WHERE id = ?", {id},
      [](const SqlRow& row) { return row.integer(0); }, "item");
}

}  // namespace nora
