// What the parts of Archive share: names of tables, rows to values, lists of ids.
#pragma once

#include "archive/index/archive.hpp"
#include "archive/index/archive_values.hpp"
#include "archive/index/database.hpp"
#include "archive/search/query_sql.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora::archive_sql {

[[nodiscard]] std::string_view tableOf(Level level);

/// "(?, ?, ?)"
[[nodiscard]] std::string marks(std::size_t count);
[[nodiscard]] std::vector<SqlValue> valuesOf(std::span<const std::int64_t> ids);
[[nodiscard]] std::vector<SqlValue> valuesOf(const SqlText& text);

/// Columns in the order in which the functions below read them.
extern const std::string projectColumns, subjectColumns, studyColumns, fileColumns;
[[nodiscard]] ProjectRecord projectOf(const SqlRow& row);
[[nodiscard]] SubjectRecord subjectOf(const SqlRow& row);
[[nodiscard]] StudyRecord studyOf(const SqlRow& row);
[[nodiscard]] FileRecord fileOf(const SqlRow& row);
/// `at`: the column at which they begin.
[[nodiscard]] FileRecord fileOf(const SqlRow& row, std::size_t at);

/// Ids of the names of metadata keys, as far as they were asked for. For one transaction.
using MetaNames = std::map<std::string, std::int64_t>;

/// The rows that the search looks at for an item's metadata, in the place of those that are there.
[[nodiscard]] Result<void> writeMetaKeys(Sql& sql, Level level, std::int64_t id, const std::string& json,
                                         MetaNames& names);
/// The same for an item that is new, so that there are none.
[[nodiscard]] Result<void> addMetaKeys(Sql& sql, Level level, std::int64_t id, const std::string& json,
                                       MetaNames& names);

/// " AND ..." for searches that do not ask for a state: what has vanished is not found by them. `item`: the row.
[[nodiscard]] std::string presentSql(Level level, const Query& query);
/// The way to the items that takes least, of those that query_sql.hpp knows.
[[nodiscard]] Result<SqlText> bestWhere(Sql& sql, const SearchSql& search, const SqlText& otherwise);
/// " AND ..." for a part of what there is.
[[nodiscard]] SqlText selectionSql(Level level, const Archive::Selection& selection);

/// To be called first by a change that looks before it writes: others who change something wait until it has ended, so
/// that what it sees stays true. MySQL lets changes run side by side, and each would see what was before.
[[nodiscard]] Result<void> oneAtATime(Sql& sql);

/// "nothing of that name" for an empty answer.
template <class T>
Result<T> oneOf(const Result<SqlRows>& rows, T (*read)(const SqlRow&), std::string_view what) {
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
  return read(rows->front());
}

/// The one row of an answer; notFound if there is none.
template <class T>
Result<T> readOne(Database& database, const std::string& text, const std::vector<SqlValue>& parameters,
                  T (*read)(const SqlRow&), std::string_view what) {
  Result<T> out;
  auto done = database.read([&](Sql& sql) -> Result<void> {
    out = oneOf(sql.query(text, std::span<const SqlValue>(parameters)), read, what);
    if (!out) return tl::make_unexpected(out.error());
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

template <class T>
Result<std::vector<T>> readAll(Database& database, const std::string& text, const std::vector<SqlValue>& parameters,
                               T (*read)(const SqlRow&)) {
  std::vector<T> out;
  auto done = database.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query(text, std::span<const SqlValue>(parameters));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.push_back(read(row));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

/// One statement as a transaction.
[[nodiscard]] Result<Sql::Changed> changeRows(Database& database, std::string_view text,
                                              std::initializer_list<SqlValue> parameters);
/// The same for one row; notFound if there is none.
[[nodiscard]] Result<void> changeOne(Database& database, std::string_view text,
                                     std::initializer_list<SqlValue> parameters, std::string_view what);

constexpr std::size_t longestKey = 190;  // characters of a @KEY@

/// Text from outside that must not make a change fail: UTF-8 without zero bytes, cut after `most` characters.
[[nodiscard]] std::string storable(std::string_view text, std::size_t most = SIZE_MAX);

/// The given clock, or the system's.
[[nodiscard]] std::function<std::int64_t()> clockOr(std::function<std::int64_t()> clock);

/// Runs `work` in chunks that databases take as parameters.
template <class T, class Work>
Result<void> inChunks(std::span<const T> all, const Work& work) {
  constexpr std::size_t chunk = 500;
  for (std::size_t i = 0; i < all.size(); i += chunk) {
    if (auto done = work(all.subspan(i, std::min(chunk, all.size() - i))); !done)
      return tl::make_unexpected(done.error());
  }
  return {};
}

}  // namespace nora::archive_sql
