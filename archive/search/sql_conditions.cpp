// COALESCE stands around columns that may be NULL, so that NOT of a condition is never NULL; around ids of other tables
// it also keeps the databases from reading by that index, which would need a sort of all that is found.
#include "archive/search/sql_conditions.hpp"

#include "archive/search/fold.hpp"
#include "archive/search/meta_keys.hpp"
#include "archive/search/sql_names.hpp"
#include "archive/search/sql_pieces.hpp"

namespace nora {
namespace {

using Predicate = std::function<SqlText(const std::string& alias)>;

/// The predicate for a row of `target`: the item itself, what it lies in, or something that lies in it.
SqlText atLevel(Level target, Level level, const Predicate& predicate) {
  if (target == level) return predicate("item");
  if (target < level) {
    return "COALESCE(item." + columnOf(target, level) + ", 0) IN (SELECT a.id FROM " + tableOf(target) +
           " AS a WHERE " + predicate("a") + ")";
  }
  return "EXISTS (SELECT 1 FROM " + tableOf(target) + " AS b WHERE b." + columnOf(level, target) + " = item.id AND " +
         predicate("b") + ")";
}

/// There are such rows for the item, or for what it lies in or holds at the level `target`.
SqlText attached(const AttachedRows& rows, Level target, Level level) {
  const std::string from = " FROM " + rows.from + " WHERE k.level = " + std::to_string(static_cast<int>(target));
  if (target < level) {
    return "COALESCE(item." + columnOf(target, level) + ", 0) IN (SELECT k.item_id" + from + " AND " + rows.which + ")";
  }
  return atLevel(target, level, [&](const std::string& alias) {
    return "EXISTS (SELECT 1" + from + " AND k.item_id = " + alias + ".id AND " + rows.ofItem + ")";
  });
}

/// At the level that the condition names, or at any that the item lies in.
SqlText attachedAnywhere(const AttachedRows& rows, const Condition& condition, Level level) {
  if (condition.level != Level::none) return attached(rows, condition.level, level);
  std::vector<SqlText> levels;
  for (int i = static_cast<int>(level); i >= 1; --i) levels.push_back(attached(rows, static_cast<Level>(i), level));
  return joined(levels, " OR ");
}

/// The value nearest to the item counts: a file's own age hides that of its subject.
SqlText metaSql(const Condition& condition, const SqlContext& context) {
  const AttachedRows rows = metaRows(condition, context);
  if (condition.level != Level::none) return attached(rows, condition.level, context.level);
  const AttachedRows named = metaNamed(condition);
  SqlText whole = attached(rows, Level::project, context.level);
  for (int i = 2; i <= static_cast<int>(context.level); ++i) {
    const auto level = static_cast<Level>(i);
    whole = "(" + attached(rows, level, context.level) + " OR (NOT (" + attached(named, level, context.level) +
            ") AND " + whole + "))";
  }
  return whole;
}

/// A file's own date, or that of its study.
SqlText dateSql(const SqlContext& context, const std::function<SqlText(const std::string&)>& predicate) {
  if (context.level == Level::file) {
    return predicate(
        "(CASE WHEN COALESCE(item.date, '') <> '' THEN item.date ELSE "
        "COALESCE((SELECT s.date FROM study AS s WHERE s.id = item.study_id), '') END)");
  }
  return atLevel(Level::study, context.level,
                 [&](const std::string& row) { return predicate("COALESCE(" + row + ".date, '')"); });
}

SqlText ofFile(const SqlContext& context, const Predicate& predicate) {
  return atLevel(Level::file, context.level, predicate);
}

std::string dimensions(const std::string& row) {
  return "(CASE WHEN COALESCE(" + row + ".nt, 0) > 1 THEN 4 WHEN COALESCE(" + row +
         ".nz, 0) > 1 THEN 3 WHEN COALESCE(" + row + ".ny, 0) > 1 THEN 2 ELSE 1 END)";
}

SqlText known(const std::string& row, const std::string& column) {
  return sql("COALESCE(" + row + "." + column + ", 0) > 0");
}

SqlText dimSql(const Condition& condition, const std::string& row) {
  std::vector<SqlText> parts{known(row, "nx")};
  if (condition.operand.axes) {
    constexpr std::array columns{"nx", "ny", "nz", "nt"};
    for (std::size_t i = 0; i < condition.operand.axes->axes.size(); ++i) {
      const auto& wanted = condition.operand.axes->axes[i];
      const std::string column = row + "." + columns.at(i);
      // An axis that a format does not have counts as one of size 1.
      if (wanted)
        parts.push_back(
            sql("(CASE WHEN COALESCE(" + column + ", 0) < 1 THEN 1 ELSE " + column + " END) = ?", {*wanted}));
    }
  } else {
    parts.push_back(within(dimensions(row), numberInterval(condition)));
  }
  return joined(parts, " AND ");
}

SqlText spacingSql(const Condition& condition, const std::string& row) {
  constexpr std::array columns{"dx", "dy", "dz"};
  std::vector<SqlText> parts{known(row, "dx")};
  if (condition.operand.axes) {
    for (std::size_t i = 0; i < std::min(condition.operand.axes->axes.size(), columns.size()); ++i) {
      const auto& wanted = condition.operand.axes->axes[i];
      if (!wanted) continue;
      parts.push_back(sql("COALESCE(" + row + "." + columns.at(i) + ", 0) BETWEEN ? AND ?",
                          {*wanted - spacingTolerance, *wanted + spacingTolerance}));
    }
    return joined(parts, " AND ");
  }
  // The longest edge: all are below the upper bound, one is above the lower.
  const Interval interval = numberInterval(condition, spacingTolerance);
  std::vector<SqlText> above;
  for (const auto* column : columns) {
    const std::string edge = "COALESCE(" + row + "." + column + ", 0)";
    if (interval.upper) parts.push_back(within(edge, {std::nullopt, interval.upper}));
    if (interval.lower) above.push_back(within(edge, {interval.lower, std::nullopt}));
  }
  if (!above.empty()) parts.push_back(joined(above, " OR "));
  return joined(parts, " AND ");
}

SqlText filled(const std::string& row, const std::string& column) {
  return sql("COALESCE(" + row + "." + column + ", '') <> ''");
}

SqlText presentSql(const Condition& condition, const SqlContext& context) {
  switch (condition.field) {
    case SearchField::tag: {
      Condition any = condition;
      any.comparison = Comparison::present;
      return attachedAnywhere(tagRows(any, context.dialect), any, context.level);
    }
    case SearchField::meta: return attachedAnywhere(metaNamed(condition), condition, context.level);
    case SearchField::date: return dateSql(context, [](const std::string& date) { return sql(date + " <> ''"); });
    case SearchField::kind:
    case SearchField::format:
    case SearchField::modality:
    case SearchField::sequence:
      return ofFile(context, [&](const std::string& row) { return filled(row, fileColumn(condition.field)); });
    case SearchField::dim: return ofFile(context, [](const std::string& row) { return known(row, "nx"); });
    case SearchField::spacing: return ofFile(context, [](const std::string& row) { return known(row, "dx"); });
    case SearchField::size:
    case SearchField::state: return ofFile(context, [](const std::string&) { return sql("1 = 1"); });
    case SearchField::subject:
    case SearchField::study: {
      const Level level = condition.field == SearchField::subject ? Level::subject : Level::study;
      return atLevel(level, context.level, [](const std::string&) { return sql("1 = 1"); });
    }
    default: return sql("1 = 1");
  }
}

SqlText fileSql(const Condition& condition, const std::string& row, const SqlContext& context) {
  if (context.pseudonymous && condition.field == SearchField::sequence) return sequenceSql(condition, row, context);
  switch (condition.field) {
    case SearchField::state: return sql("COALESCE(" + row + ".state, 0) = ?", {stateNumber(condition)});
    case SearchField::size: return within("COALESCE(" + row + ".size, 0)", sizeInterval(condition));
    case SearchField::dim: return dimSql(condition, row);
    case SearchField::spacing: return spacingSql(condition, row);
    default:
      return matches("COALESCE(" + row + "." + fileColumn(condition.field) + ", '')",
                     likePattern(condition.operand, false), context.dialect);
  }
}

SqlText dayOfRecordingSql(const Condition& condition, const SqlContext& context) {
  return dateSql(context, [&](const std::string& date) {
    return "(" + sql(date + " <> '' AND ") + within(date, dayInterval(condition)) + ")";
  });
}

SqlText namedSql(const Condition& condition, const SqlContext& context) {
  const Level level = namedLevel(condition.field);
  return atLevel(level, context.level, [&](const std::string& row) {
    return nameSql(level, row, likePattern(condition.operand, false), context);
  });
}

SqlText equalSql(const Condition& condition, const SqlContext& context) {
  switch (condition.field) {
    case SearchField::word: return wordSql(condition, context);
    case SearchField::name: return nameSql(context.level, "item", likePattern(condition.operand, false), context);
    case SearchField::path: return pathSql(condition, context);
    case SearchField::project:
    case SearchField::subject:
    case SearchField::study: return namedSql(condition, context);
    case SearchField::tag: return attachedAnywhere(tagRows(condition, context.dialect), condition, context.level);
    case SearchField::date: return dayOfRecordingSql(condition, context);
    case SearchField::added: return within("item.created_us", timeInterval(condition));
    case SearchField::changed: return within("item.changed_us", timeInterval(condition));
    case SearchField::meta: return metaSql(condition, context);
    default: return ofFile(context, [&](const std::string& row) { return fileSql(condition, row, context); });
  }
}

}  // namespace

SqlText conditionSql(const Condition& condition, const SqlContext& context) {
  if (context.pseudonymous && identifies(condition)) return sql("1 = 0");
  if (condition.comparison == Comparison::present) return presentSql(condition, context);
  if (condition.comparison != Comparison::notEqual) return equalSql(condition, context);
  Condition equal = condition;
  equal.comparison = Comparison::equal;
  return "(" + presentSql(condition, context) + " AND NOT (" + equalSql(equal, context) + "))";
}

}  // namespace nora
