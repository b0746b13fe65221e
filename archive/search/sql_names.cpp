#include "archive/search/sql_names.hpp"

#include "archive/access/shown_words.hpp"
#include "archive/search/fold.hpp"
#include "archive/search/meta_keys.hpp"

#include <algorithm>

namespace nora {
namespace {

/// The words of `column` of `row`, with the subject's name replaced by the pseudonym, as the user sees them.
SqlText maskedSql(const std::string& row, const std::string& column, const LikePattern& pattern,
                  const SqlContext& context) {
  // "sub-01" is the subject 01, which names have in other ways, too: as NameMask of app/api/rows.cpp.
  const std::string value = "COALESCE(" + row + "." + column + ", '')";
  const std::string bytes =
      context.dialect == SqlDialect::sqlite ? "LENGTH(CAST(h.name_fold AS BLOB))" : "LENGTH(h.name_fold)";
  const std::string stem =
      "CASE WHEN h.name_fold LIKE 'sub-%' AND " + bytes + " >= 7 THEN SUBSTR(h.name_fold, 5) ELSE h.name_fold END";
  const std::string shown =
      "REPLACE(REPLACE(" + value + ", h.name_fold, h.pseudonym_fold), " + stem + ", h.pseudonym_fold)";
  return "(EXISTS (SELECT 1 FROM subject AS h WHERE h.id = " + sql(row) + ".subject_id AND " +
         matchesShown(shown, pattern, context.dialect) + ") OR (" + row + ".subject_id IS NULL AND " +
         matchesShown(value, pattern, context.dialect) + "))";
}

bool hasWildcard(const Operand& operand) {
  return !operand.quoted && operand.text->find_first_of("*?") != std::string::npos;
}

/// The item lies in a subject or study whose name matches.
SqlText ancestorSql(Level level, const LikePattern& pattern, const SqlContext& context) {
  return "COALESCE(item." + columnOf(level, context.level) + ", 0) IN (SELECT a.id FROM " + tableOf(level) +
         " AS a WHERE " + nameSql(level, "a", pattern, context) + ")";
}

/// The value of a row of meta_key; `row` is in front of its columns.
SqlText metaValueSql(const Condition& condition, const std::string& row, const SqlContext& context) {
  const SqlDialect dialect = context.dialect;
  const Operand& typed = condition.operand;
  if (!typed.text) {
    if (!typed.date && !condition.upper.date) return within(row + "number", numberInterval(condition));
    return row + "text LIKE '____-__-__%' AND " + within(row + "text", dayInterval(condition));
  }
  LikePattern pattern = likePattern(typed, false);
  if (context.pseudonymous) {  // not by the order of texts either, which tells them letter by letter
    const bool isShown = condition.comparison == Comparison::equal && !pattern.hasNumber;
    return isShown ? matchesShown(row + "text", pattern, dialect) : sql("1 = 0");
  }
  if (pattern.exact) {
    Operand stored;  // cut as the stored text is
    stored.text = metaText(*typed.text);
    stored.quoted = true;
    pattern = likePattern(stored, false);
  }
  if (condition.comparison == Comparison::equal) return matches(row + "text", pattern, dialect);
  constexpr std::array signs{"<", "<=", ">", ">="};
  const auto sign = static_cast<std::size_t>(condition.comparison) - static_cast<std::size_t>(Comparison::less);
  return sql(row + "text " + signs.at(sign) + " ?", {pattern.folded});
}

}  // namespace

Level namedLevel(SearchField field) {
  if (field == SearchField::project) return Level::project;
  return field == SearchField::subject ? Level::subject : Level::study;
}

std::string fileColumn(SearchField field) {
  const std::string name(toString(field));
  return field == SearchField::kind ? name : name + "_fold";
}

SqlText sequenceSql(const Condition& condition, const std::string& row, const SqlContext& context) {
  return maskedSql(row, "sequence_fold", likePattern(condition.operand, false), context);
}

std::int64_t stateNumber(const Condition& condition) {
  if (*condition.operand.text == "vanished") return 1;
  return *condition.operand.text == "broken" ? 2 : 0;
}

SqlText nameSql(Level level, const std::string& row, const LikePattern& pattern, const SqlContext& context) {
  if (!context.pseudonymous || level == Level::project) {
    return matches(row + ".name_fold", pattern, context.dialect);
  }
  if (level == Level::subject) return matches(row + ".pseudonym_fold", pattern, context.dialect);
  return maskedSql(row, "name_fold", pattern, context);
}

SqlText pathSql(const Condition& condition, const SqlContext& context) {
  // Folders above the file may tell names in a way that nobody can mask.
  if (context.pseudonymous) return sql("1 = 0");
  const LikePattern pattern = likePattern(condition.operand, false);
  if (context.level == Level::file) return matches("item.path_fold", pattern, context.dialect);
  return "EXISTS (SELECT 1 FROM file AS b WHERE b." + columnOf(context.level, Level::file) + " = item.id AND " +
         matches("b.path_fold", pattern, context.dialect) + ")";
}

LikePattern wordPattern(const Operand& operand) {
  return likePattern(operand, !hasWildcard(operand));
}

bool looksAtPaths(const Operand& operand) {
  return !hasWildcard(operand) || operand.text->find('/') != std::string::npos;
}

SqlText wordSql(const Condition& condition, const SqlContext& context) {
  const LikePattern pattern = wordPattern(condition.operand);
  std::vector<SqlText> places;
  const bool path = context.level == Level::file && !context.pseudonymous && looksAtPaths(condition.operand);
  if (path) {
    places.push_back(matches("item.path_fold", pattern, context.dialect));
  } else {
    places.push_back(nameSql(context.level, "item", pattern, context));
  }
  if (context.level == Level::project) places.push_back(matches("item.title_fold", pattern, context.dialect));
  if (context.level > Level::subject) places.push_back(ancestorSql(Level::subject, pattern, context));
  if (context.level > Level::study) places.push_back(ancestorSql(Level::study, pattern, context));
  return joined(places, " OR ");
}

AttachedRows tagRows(const Condition& condition, SqlDialect dialect) {
  if (condition.comparison == Comparison::present) return {"item_tag AS k", sql("1 = 1"), sql("1 = 1")};
  const SqlText which = "k.tag_id = t.id AND " + matches("t.name_fold", likePattern(condition.operand, false), dialect);
  // CROSS JOIN keeps SQLite from reading all of item_tag: it would take a tag of average size for granted.
  return {"tag AS t CROSS JOIN item_tag AS k", which, which};
}

AttachedRows metaNamed(const Condition& condition) {
  const SqlText named =
      sql("k.name_id = (SELECT m.id FROM meta_name AS m WHERE m.name = ?)", {metaKeyName(condition.key)});
  return {"meta_key AS k", named, named};
}

AttachedRows metaRows(const Condition& condition, const SqlContext& context) {
  AttachedRows rows = metaNamed(condition);
  rows.which = std::move(rows.which) + " AND " + metaValueSql(condition, "k.", context);
  rows.ofItem = std::move(rows.ofItem) + " AND " + metaValueSql(condition, "+k.", context);
  return rows;
}

bool identifies(const Condition& condition) {
  return condition.field == SearchField::meta && !isShownKey(condition.key);
}

}  // namespace nora
