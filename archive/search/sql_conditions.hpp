// One condition of a search as SQL. Used by query_sql.cpp alone.
#pragma once

#include "archive/search/query_sql.hpp"

#include <optional>

namespace nora {

/// What the SQL of a condition depends on beside the condition.
struct SqlContext {
  SqlDialect dialect = SqlDialect::sqlite;
  Level level = Level::file;  // of the wanted items
  bool pseudonymous = false;  // names of subjects may not be seen, so they must not be found either
};

/// 0 or 1 for the row `item`; never NULL.
[[nodiscard]] SqlText conditionSql(const Condition& condition, const SqlContext& context);

/// A SELECT of `id` with every item of the condition, by an index; nothing where there is no index for it.
[[nodiscard]] std::optional<SqlText> candidateSql(const Condition& condition, const SqlContext& context);

/// A SELECT of ids whose least is that of the first file of the condition; quick however many there are.
[[nodiscard]] std::optional<SqlText> firstIdSql(const Condition& condition, const SqlContext& context);

}  // namespace nora
