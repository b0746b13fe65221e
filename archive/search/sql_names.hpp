// Names, paths, tags and metadata rows as SQL: what conditions and candidates share. Used in this folder alone.
#pragma once

#include "archive/search/sql_conditions.hpp"
#include "archive/search/sql_pieces.hpp"

#include <functional>

namespace nora {

/// Edges of voxels nearer than this are the same; headers hold them as floats.
inline constexpr double spacingTolerance = 0.005;  // mm

/// The level whose name project:, subject: and study: look at.
[[nodiscard]] Level namedLevel(SearchField field);
/// Column of the file for kind, format, modality, sequence.
[[nodiscard]] std::string fileColumn(SearchField field);
/// The sequence of the file `row`, where names are hidden.
[[nodiscard]] SqlText sequenceSql(const Condition& condition, const std::string& row, const SqlContext& context);
[[nodiscard]] std::int64_t stateNumber(const Condition& condition);

/// The own name of the row `row` of `level`, as the asking user sees it.
[[nodiscard]] SqlText nameSql(Level level, const std::string& row, const LikePattern& pattern,
                              const SqlContext& context);
[[nodiscard]] SqlText pathSql(const Condition& condition, const SqlContext& context);
[[nodiscard]] SqlText wordSql(const Condition& condition, const SqlContext& context);

/// FROM and WHERE for rows k of item_tag or meta_key, of any level and item. `ofItem` says the same as `which` in a way
/// that leaves SQLite no index but that of the item: a range of values looks rarer to it than it may be.
struct AttachedRows {
  std::string from;
  SqlText which;
  SqlText ofItem;
};
[[nodiscard]] AttachedRows tagRows(const Condition& condition, SqlDialect dialect);
[[nodiscard]] AttachedRows metaNamed(const Condition& condition);
[[nodiscard]] AttachedRows metaRows(const Condition& condition, const SqlContext& context);

/// What a word without a field looks at: contained in paths and names, or with wildcards the whole of one.
[[nodiscard]] LikePattern wordPattern(const Operand& operand);
/// A word with a wildcard and a slash looks at paths, without a slash at names.
[[nodiscard]] bool looksAtPaths(const Operand& operand);

/// The condition asks for metadata that may tell who the subject is (meta.PatientName); see docs/SEARCH.md.
[[nodiscard]] bool identifies(const Condition& condition);

}  // namespace nora
