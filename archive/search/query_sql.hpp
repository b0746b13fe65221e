// A search as parameterised SQL over the tables of archive/index/schema. Nothing that a user typed is ever part of the
// text; it is always a parameter. SQLite and MySQL give the same items (tests/archive/search_sql_test.cpp).
#pragma once

#include "archive/index/sql_value.hpp"
#include "archive/search/query.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nora {

/// The values of the index, never NULL.
using SqlParameter = SqlValue;

/// SQL with a question mark for each parameter, in order.
struct SqlText {
  std::string text;
  std::vector<SqlParameter> parameters;
};

/// What the asking user may see. Items of other projects are never found.
struct SearchScope {
  bool everyProject = false;               // administrators; `projects` is then of no account
  std::vector<std::int64_t> projects;      // ids of projects that the user may read with names
  std::vector<std::int64_t> pseudonymous;  // ids of projects that the user may read without names; never in both
};

struct SearchSql {
  /// A condition on the row named `item` of the table of the level (project, subject, study, file); 0 or 1, never NULL.
  SqlText where;
  /// SELECTs of one column `id`, each of which holds the id of every item found and perhaps more, and gives them fast
  /// because an index of its own leads to them. May be empty.
  std::vector<SqlText> candidates;
  /// Conditions that hold for every item found and let reading by id begin late; may be empty.
  std::vector<SqlText> floors;
};

/// `level` is the level whose items are wanted, not Level::none. The query comes from parseQuery.
///
/// How to get a page quickly: ask countCandidates() of each candidate; if the smallest count is at most
/// `fewCandidates`, ask with narrowed(sql, that candidate): few rows are looked at. Otherwise many items match, so that
/// reading in the wanted order fills a page soon: ask with inOrder(sql, after) for pages by id, with sql.where for
/// pages in another order. Every way finds the same items.
[[nodiscard]] SearchSql toSql(const Query& query, Level level, const SearchScope& scope, SqlDialect dialect);

/// `sql.where` for reading many items in the order of their ids, those behind the id `after` (0: from the first).
/// Behind a known id there are no floors: a database begins at one place only, and that id is the better one.
[[nodiscard]] SqlText inOrder(const SearchSql& sql, std::int64_t after = 0);

/// Rows that are cheap to look at and sort for one page: 20 ms on SQLite.
inline constexpr std::int64_t fewCandidates = 20000;

/// SELECT of one number: how many the candidate gives, counted no further than to fewCandidates + 1.
[[nodiscard]] SqlText countCandidates(const SqlText& candidate);

/// `sql.where` for the rows that the candidate gives.
[[nodiscard]] SqlText narrowed(const SearchSql& sql, const SqlText& candidate);

}  // namespace nora
