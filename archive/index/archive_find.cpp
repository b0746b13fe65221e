// Pages of what a search finds, and rows by their ids.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"

#include <algorithm>

namespace nora {

using namespace archive_sql;

namespace {

constexpr int mostOfAPage = 1000;
constexpr int mostChanges = 10'000;

bool asksForState(const Query& query) {
  if (query.kind == Query::Kind::condition) return query.condition.field == SearchField::state;
  return std::any_of(query.children.begin(), query.children.end(), asksForState);
}

template <class T>
Result<std::vector<T>> byIds(Database& database, std::span<const std::int64_t> ids, const std::string& start,
                             T (*read)(const SqlRow&)) {
  std::map<std::int64_t, T> found;
  auto done = database.read([&](Sql& sql) {
    found.clear();
    return inChunks(ids, [&](std::span<const std::int64_t> some) -> Result<void> {
      const auto values = valuesOf(some);
      auto rows = sql.query(start + " WHERE id IN " + marks(some.size()), std::span<const SqlValue>(values));
      if (!rows) return tl::make_unexpected(rows.error());
      for (const SqlRow& row : *rows) {
        T value = read(row);
        found.insert_or_assign(value.id, std::move(value));
      }
      return {};
    });
  });
  if (!done) return tl::make_unexpected(done.error());
  std::vector<T> out;
  for (const std::int64_t id : ids) {
    const auto at = found.find(id);
    if (at != found.end()) out.push_back(at->second);
  }
  return out;
}

}  // namespace

Result<SqlText> archive_sql::bestWhere(Sql& sql, const SearchSql& search, const SqlText& otherwise) {
  const SqlText* best = nullptr;
  std::int64_t fewest = fewCandidates + 1;
  for (const SqlText& candidate : search.candidates) {
    const SqlText asked = countCandidates(candidate);
    const auto values = valuesOf(asked);
    auto rows = sql.query(asked.text, std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    if (rows->front().integer(0) < fewest) {
      fewest = rows->front().integer(0);
      best = &candidate;
    }
  }
  return best == nullptr ? otherwise : narrowed(search, *best);
}

std::string archive_sql::presentSql(Level level, const Query& query) {
  return level == Level::file && !asksForState(query) ? " AND item.state <> 1" : "";
}

Result<Archive::Page> Archive::find(Level level, const Query& query, const SearchScope& scope, std::int64_t after,
                                    int most) {
  if (most < 1 || most > mostOfAPage) return fail(ErrorCode::invalidInput, "a page has 1 to 1000 items", "limit");
  const SearchSql search = toSql(query, level, scope, database_.dialect());
  Page out;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    out = {};
    const auto where = bestWhere(sql, search, inOrder(search, after));
    if (!where) return tl::make_unexpected(where.error());
    auto values = valuesOf(*where);
    values.emplace_back(after);
    values.emplace_back(std::int64_t{most} + 1);
    auto rows = sql.query("SELECT item.id FROM " + std::string(tableOf(level)) + " AS item WHERE (" + where->text +
                              ")" + presentSql(level, query) + " AND item.id > ? ORDER BY item.id LIMIT ?",
                          std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.ids.push_back(row.integer(0));
    if (out.ids.size() <= static_cast<std::size_t>(most)) return {};
    out.ids.pop_back();
    out.next = out.ids.back();
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<std::int64_t> Archive::count(Level level, const Query& query, const SearchScope& scope, std::int64_t most,
                                    const Selection& selection) {
  const SearchSql search = toSql(query, level, scope, database_.dialect());
  std::int64_t out = 0;
  auto done = database_.read([&](Sql& sql) -> Result<void> {
    const auto where = bestWhere(sql, search, search.where);
    if (!where) return tl::make_unexpected(where.error());
    auto values = valuesOf(*where);
    const SqlText part = selectionSql(level, selection);
    for (const SqlValue& value : valuesOf(part)) values.push_back(value);
    values.emplace_back(most);
    auto rows = sql.query("SELECT COUNT(*) FROM (SELECT item.id FROM " + std::string(tableOf(level)) +
                              " AS item WHERE (" + where->text + ")" + presentSql(level, query) + part.text +
                              " LIMIT ?) AS some",
                          std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    out = rows->front().integer(0);
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

Result<Archive::Changes> Archive::changedSince(Level level, const SearchScope& scope, ChangePlace after, int most) {
  if (most < 1 || most > mostChanges) return fail(ErrorCode::invalidInput, "a page has 1 to 10000 items", "limit");
  Changes out;
  out.upTo = after;
  std::vector<std::int64_t> projects = scope.projects;
  projects.insert(projects.end(), scope.pseudonymous.begin(), scope.pseudonymous.end());
  if (!scope.everyProject && projects.empty()) return out;
  std::string where = "revision >= ? AND (revision > ? OR id > ?)";
  std::vector<SqlValue> values{after.revision, after.revision, after.id};
  if (!scope.everyProject) {
    where += std::string(level == Level::project ? " AND id IN " : " AND project_id IN ") + marks(projects.size());
    values.insert(values.end(), projects.begin(), projects.end());
  }
  values.emplace_back(std::int64_t{most} + 1);
  const auto places = readAll<ChangePlace>(
      database_,
      "SELECT revision, id FROM " + std::string(tableOf(level)) + " WHERE " + where + " ORDER BY revision, id LIMIT ?",
      values, [](const SqlRow& row) {
        return ChangePlace{row.integer(0), row.integer(1)};
      });
  if (!places) return tl::make_unexpected(places.error());
  out.more = places->size() > static_cast<std::size_t>(most);
  for (const ChangePlace& place : *places) {
    if (out.ids.size() == static_cast<std::size_t>(most)) break;
    out.ids.push_back(place.id);
    out.upTo = place;
  }
  return out;
}

Result<std::vector<FileRecord>> Archive::files(std::span<const std::int64_t> ids) {
  return byIds(database_, ids, "SELECT " + fileColumns + " FROM file", fileOf);
}

Result<std::vector<StudyRecord>> Archive::studies(std::span<const std::int64_t> ids) {
  return byIds(database_, ids, "SELECT " + studyColumns + " FROM study", studyOf);
}

Result<std::vector<SubjectRecord>> Archive::subjects(std::span<const std::int64_t> ids) {
  return byIds(database_, ids, "SELECT " + subjectColumns + " FROM subject", subjectOf);
}

}  // namespace nora
