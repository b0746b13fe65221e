// Which index leads to the few items of a rare condition. Each SELECT may give too much, never too little.
#include "archive/search/sql_names.hpp"

#include <algorithm>
#include <set>

namespace nora {
namespace {

/// The next character of valid UTF-8 after text[at].
std::size_t next(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

/// FTS5's expression for "has all these trigrams"; empty where no run is three characters long. Side by side they cover
/// a run: those that overlap make it hardly rarer, and each costs a walk through all files that have it.
std::string trigramQuery(const LikePattern& pattern) {
  constexpr std::size_t enough = 24;  // more make it no rarer
  std::set<std::string> grams;
  for (const std::string& run : pattern.runs) {
    std::vector<std::size_t> starts;  // of characters
    for (std::size_t at = 0; at < run.size(); at = next(run, at)) starts.push_back(at);
    const std::size_t count = starts.size();
    starts.push_back(run.size());
    for (std::size_t i = 0; i + 3 <= count && grams.size() < enough;) {
      grams.insert(run.substr(starts[i], starts[i + 3] - starts[i]));
      i = i + 3 < count ? std::min(i + 3, count - 3) : count;
    }
  }
  std::string query;
  for (const std::string& gram : grams) {
    query += query.empty() ? "\"" : " \"";
    for (const char c : gram) query += c == '"' ? std::string("\"\"") : std::string(1, c);
    query += '"';
  }
  return query;
}

/// SELECTs that are one candidate together.
SqlText unite(const std::vector<SqlText>& selects) {
  SqlText whole = selects.front();
  for (std::size_t i = 1; i < selects.size(); ++i) whole = std::move(whole) + " UNION ALL " + selects[i];
  return whole;
}

/// Items of the wanted level that are, lie in or hold a row of `target` with the predicate.
SqlText selectItems(Level target, const SqlContext& context, const std::function<SqlText(const std::string&)>& which) {
  if (target >= context.level) {
    return "SELECT b." + columnOf(context.level, target) + " AS id FROM " + tableOf(target) + " AS b WHERE " +
           which("b");
  }
  return "SELECT b.id AS id FROM " + tableOf(context.level) + " AS b WHERE b." + columnOf(target, context.level) +
         " IN (SELECT a.id FROM " + tableOf(target) + " AS a WHERE " + which("a") + ")";
}

/// The same for rows of item_tag or meta_key of one level.
SqlText selectAttached(const AttachedRows& rows, Level target, const SqlContext& context) {
  const SqlText ids = "SELECT k.item_id AS id FROM " + rows.from +
                      " WHERE k.level = " + std::to_string(static_cast<int>(target)) + " AND " + rows.which;
  if (target == context.level) return ids;
  return selectItems(target, context, [&](const std::string& row) { return row + ".id IN (" + ids + ")"; });
}

SqlText selectAttached(const AttachedRows& rows, const Condition& condition, const SqlContext& context) {
  if (condition.level != Level::none) return selectAttached(rows, condition.level, context);
  std::vector<SqlText> levels;
  for (int i = static_cast<int>(context.level); i >= 1; --i) {
    levels.push_back(selectAttached(rows, static_cast<Level>(i), context));
  }
  return unite(levels);
}

/// Files by the trigrams of their paths (SQLite), and those in subjects and studies of a matching name.
std::optional<SqlText> wordCandidate(const Condition& condition, const SqlContext& context) {
  if (context.level != Level::file || context.dialect != SqlDialect::sqlite) return std::nullopt;
  const bool word = condition.field == SearchField::word;
  const LikePattern pattern = word ? wordPattern(condition.operand) : likePattern(condition.operand, false);
  const std::string grams = trigramQuery(pattern);
  if (grams.empty()) return std::nullopt;
  std::vector<SqlText> selects{sql("SELECT g.rowid AS id FROM file_gram AS g WHERE file_gram MATCH ?", {grams})};
  const auto named = [&](Level level) {
    return selectItems(level, context, [&](const std::string& row) { return nameSql(level, row, pattern, context); });
  };
  if (word) {
    selects.push_back(named(Level::study));
    selects.push_back(named(Level::subject));
  }
  return unite(selects);
}

/// With wildcards: the distinct values of the column, found by jumps through its index, that match.
SqlText valueSql(const std::string& row, const std::string& column, const LikePattern& pattern,
                 const SqlContext& context) {
  if (pattern.exact) return matches(row + "." + column, pattern, context.dialect);
  return row + "." + column + " IN (WITH RECURSIVE v(x) AS (SELECT MIN(f." + column +
         ") FROM file AS f UNION ALL SELECT (SELECT MIN(f." + column + ") FROM file AS f WHERE f." + column +
         " > v.x) FROM v WHERE v.x IS NOT NULL) SELECT v.x FROM v WHERE v.x IS NOT NULL AND " +
         matches("v.x", pattern, context.dialect) + ")";
}

/// Comparisons that an index on one column of the file answers.
std::optional<SqlText> fileCandidate(const Condition& condition, const SqlContext& context) {
  const auto files = [&](const std::function<SqlText(const std::string&)>& which) {
    return selectItems(Level::file, context, which);
  };
  switch (condition.field) {
    case SearchField::kind:
    case SearchField::format:
    case SearchField::modality:
    case SearchField::sequence: {
      const LikePattern pattern = likePattern(condition.operand, false);
      return files(
          [&](const std::string& row) { return valueSql(row, fileColumn(condition.field), pattern, context); });
    }
    case SearchField::state:
      return files([&](const std::string& row) { return sql(row + ".state = ?", {stateNumber(condition)}); });
    case SearchField::size:
      return files([&](const std::string& row) { return within(row + ".size", sizeInterval(condition)); });
    case SearchField::dim: {
      if (condition.operand.axes) {
        const auto& first = condition.operand.axes->axes.front();
        if (!first || *first < 2) return std::nullopt;
        return files([&](const std::string& row) { return sql(row + ".nx = ?", {*first}); });
      }
      // Of four dimensions there are few files; of two and three there are many.
      const auto lower = numberInterval(condition).lower;
      const double least = lower ? std::get<double>(lower->value) + (lower->included ? 0 : 1) : 0;
      if (least < 4) return std::nullopt;
      return files([](const std::string& row) { return sql(row + ".nt > 1"); });
    }
    default: return std::nullopt;
  }
}

std::optional<SqlText> spacingCandidate(const Condition& condition, const SqlContext& context) {
  const auto byEdge = [&](const Interval& interval) {
    return selectItems(Level::file, context, [&](const std::string& row) { return within(row + ".dx", interval); });
  };
  if (condition.operand.axes) {
    const auto& first = condition.operand.axes->axes.front();
    if (!first) return std::nullopt;
    return byEdge({Bound{*first - spacingTolerance, true}, Bound{*first + spacingTolerance, true}});
  }
  const Interval interval = numberInterval(condition, spacingTolerance);
  if (!interval.upper) return std::nullopt;
  return byEdge({Bound{0.0, false}, interval.upper});
}

SqlText dateCandidate(const Condition& condition, const SqlContext& context) {
  const Interval days = dayInterval(condition);
  const auto dated = [&](const std::string& row) { return row + ".date <> '' AND " + within(row + ".date", days); };
  SqlText whole = selectItems(Level::study, context, dated);
  if (context.level != Level::file) return whole;
  return unite({selectItems(Level::file, context, dated), whole});
}

SqlText timeCandidate(const Condition& condition, const SqlContext& context) {
  const std::string column = condition.field == SearchField::added ? ".created_us" : ".changed_us";
  return selectItems(context.level, context,
                     [&](const std::string& row) { return within(row + column, timeInterval(condition)); });
}

}  // namespace

std::optional<SqlText> candidateSql(const Condition& condition, const SqlContext& context) {
  if (condition.field == SearchField::meta) {
    const bool any = condition.comparison == Comparison::present || condition.comparison == Comparison::notEqual;
    const bool byName = any || context.pseudonymous;  // what is found of values differs from project to project
    return selectAttached(byName ? metaNamed(condition) : metaRows(condition, context), condition, context);
  }
  if (condition.field == SearchField::tag) {
    Condition any = condition;
    if (condition.comparison == Comparison::notEqual) any.comparison = Comparison::present;
    return selectAttached(tagRows(any, context.dialect), any, context);
  }
  if (condition.comparison == Comparison::present || condition.comparison == Comparison::notEqual) return std::nullopt;
  // What is seen of names differs from project to project then; only conditions without names are led by an index.
  const bool named = (condition.field <= SearchField::study && condition.field != SearchField::project) ||
                     condition.field == SearchField::sequence;
  if (context.pseudonymous && named) return std::nullopt;
  switch (condition.field) {
    case SearchField::word:
    case SearchField::path: return wordCandidate(condition, context);
    case SearchField::name:
      if (context.level != Level::file) return std::nullopt;
      return wordCandidate(condition, context);
    case SearchField::project:
    case SearchField::subject:
    case SearchField::study: {
      const Level level = namedLevel(condition.field);
      const LikePattern pattern = likePattern(condition.operand, false);
      return selectItems(level, context, [&](const std::string& row) { return nameSql(level, row, pattern, context); });
    }
    case SearchField::date: return dateCandidate(condition, context);
    case SearchField::added:
    case SearchField::changed: return timeCandidate(condition, context);
    case SearchField::spacing: return spacingCandidate(condition, context);
    default: return fileCandidate(condition, context);
  }
}

std::optional<SqlText> firstIdSql(const Condition& condition, const SqlContext& context) {
  if (context.level != Level::file || condition.comparison != Comparison::equal) return std::nullopt;
  if (condition.field == SearchField::project) {
    return "SELECT MIN((SELECT MIN(b.id) FROM file AS b WHERE b.project_id = a.id)) AS id FROM project AS a WHERE " +
           nameSql(Level::project, "a", likePattern(condition.operand, false), context);
  }
  if (condition.field != SearchField::tag || condition.level > Level::none) return std::nullopt;
  std::vector<SqlText> firsts{
      "SELECT MIN((SELECT MIN(k.item_id) FROM item_tag AS k WHERE k.tag_id = t.id AND k.level = 4)) AS id FROM tag AS "
      "t "
      "WHERE " +
      matches("t.name_fold", likePattern(condition.operand, false), context.dialect)};
  const AttachedRows rows = tagRows(condition, context.dialect);
  for (int i = 1; i < static_cast<int>(Level::file); ++i) {
    const std::string parent = columnOf(static_cast<Level>(i), Level::file);
    firsts.push_back("SELECT MIN((SELECT MIN(b.id) FROM file AS b WHERE b." + parent + " = k.item_id)) AS id FROM " +
                     rows.from + " WHERE k.level = " + std::to_string(i) + " AND " + rows.which);
  }
  return unite(firsts);
}

}  // namespace nora
