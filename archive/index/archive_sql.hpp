// What the parts of Archive share: names of tables, rows to values, lists of ids.
#pragma once

#include "archive/index/archive_values.hpp"
#include "archive/index/database.hpp"
#include "archive/search/query_sql.hpp"

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

/// The rows that the search looks at for an item's metadata, in the place of those that are there.
[[nodiscard]] Result<void> writeMetaKeys(Sql& sql, Level level, std::int64_t id, const std::string& json);

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
