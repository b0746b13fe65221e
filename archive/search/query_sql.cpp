// and, or, not and the scope around the conditions.
#include "archive/search/query_sql.hpp"

#include "archive/search/sql_conditions.hpp"
#include "archive/search/sql_pieces.hpp"

namespace nora {
namespace {

SqlText whereOf(const Query& query, const SqlContext& context) {
  if (query.kind == Query::Kind::everything) return sql("1 = 1");
  if (query.kind == Query::Kind::condition) return conditionSql(query.condition, context);
  if (query.kind == Query::Kind::not_) return "NOT (" + whereOf(query.children.front(), context) + ")";
  std::vector<SqlText> parts;
  for (const Query& child : query.children) parts.push_back(whereOf(child, context));
  return joined(parts, query.kind == Query::Kind::both ? " AND " : " OR ");
}

/// Each of them holds every item of the query.
std::vector<SqlText> candidatesOf(const Query& query, const SqlContext& context) {
  if (query.kind == Query::Kind::condition) {
    auto candidate = candidateSql(query.condition, context);
    return candidate ? std::vector{std::move(*candidate)} : std::vector<SqlText>{};
  }
  std::vector<SqlText> all;
  if (query.kind == Query::Kind::both) {
    for (const Query& child : query.children) {
      for (SqlText& candidate : candidatesOf(child, context)) all.push_back(std::move(candidate));
    }
  } else if (query.kind == Query::Kind::either) {
    SqlText united;
    for (const Query& child : query.children) {
      const auto candidates = candidatesOf(child, context);
      if (candidates.empty()) return {};
      united = united.text.empty() ? candidates.front() : std::move(united) + " UNION ALL " + candidates.front();
    }
    all.push_back(std::move(united));
  }
  return all;
}

/// Of conditions that all must hold.
void addFloors(const Query& query, const SqlContext& context, std::vector<SqlText>& floors) {
  if (query.kind == Query::Kind::both) {
    for (const Query& child : query.children) addFloors(child, context, floors);
  } else if (query.kind == Query::Kind::condition) {
    const auto first = firstIdSql(query.condition, context);
    if (first) floors.push_back("item.id >= (SELECT MIN(few.id) FROM (" + *first + ") AS few)");
  }
}

SqlText inProjects(Level level, const std::vector<std::int64_t>& projects) {
  const std::string column = "item." + columnOf(Level::project, level);
  if (projects.size() == 1) return sql(column + " = ?", {projects.front()});  // read by the index of the project
  SqlText list = sql("COALESCE(" + column + ", 0) IN (");
  for (std::size_t i = 0; i < projects.size(); ++i) {
    list = std::move(list) + sql(i == 0 ? "?" : ", ?", {projects[i]});
  }
  return std::move(list) + ")";
}

}  // namespace

SearchSql toSql(const Query& query, Level level, const SearchScope& scope, SqlDialect dialect) {
  SqlContext context{dialect, level, false};
  std::vector<SqlText> parts;
  if (scope.everyProject && scope.pseudonymous.empty()) {
    parts.push_back(whereOf(query, context));
  } else if (scope.everyProject) {
    parts.push_back("(NOT (" + inProjects(level, scope.pseudonymous) + ") AND " + whereOf(query, context) + ")");
  } else if (!scope.projects.empty()) {
    parts.push_back("(" + inProjects(level, scope.projects) + " AND " + whereOf(query, context) + ")");
  }
  if (!scope.pseudonymous.empty()) {
    context.pseudonymous = true;
    parts.push_back("(" + inProjects(level, scope.pseudonymous) + " AND " + whereOf(query, context) + ")");
  }
  if (parts.empty()) return {sql("1 = 0"), {}, {}};
  // With the stricter context: a candidate that names could lead to would miss items whose pseudonym matches.
  SearchSql whole{joined(parts, " OR "), candidatesOf(query, context), {}};
  addFloors(query, context, whole.floors);
  return whole;
}

SqlText countCandidates(const SqlText& candidate) {
  return "SELECT COUNT(*) FROM (" + candidate + " LIMIT " + std::to_string(fewCandidates + 1) + ") AS few";
}

SqlText inOrder(const SearchSql& sql, std::int64_t after) {
  SqlText whole = sql.where;
  if (after > 0) return whole;
  for (const SqlText& floor : sql.floors) whole = std::move(whole) + " AND " + floor;
  return whole;
}

SqlText narrowed(const SearchSql& sql, const SqlText& candidate) {
  return "item.id IN (SELECT few.id FROM (" + candidate + ") AS few) AND " + sql.where;
}

}  // namespace nora
