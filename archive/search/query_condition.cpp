#include "archive/search/query_condition.hpp"

#include "archive/search/query_values.hpp"

#include <algorithm>

namespace nora {
namespace {

struct FieldName {
  Level level = Level::none;
  SearchField field = SearchField::word;
  std::string key;
};

bool takesNumber(SearchField field) {
  return field == SearchField::size || field == SearchField::dim || field == SearchField::spacing;
}

bool takesDate(SearchField field) {
  return field == SearchField::date || field == SearchField::added || field == SearchField::changed;
}

std::string fieldNames() {
  std::string names;
  for (int i = static_cast<int>(SearchField::name); i <= static_cast<int>(SearchField::meta); ++i) {
    names += (names.empty() ? "" : ", ") + std::string(toString(static_cast<SearchField>(i)));
  }
  return names + " and has";
}

std::optional<SearchField> fieldOf(std::string_view name) {
  for (int i = static_cast<int>(SearchField::name); i <= static_cast<int>(SearchField::meta); ++i) {
    if (toString(static_cast<SearchField>(i)) == name) return static_cast<SearchField>(i);
  }
  return std::nullopt;
}

Level levelOf(std::string_view name) {
  for (int i = 1; i <= static_cast<int>(Level::file); ++i) {
    if (toString(static_cast<Level>(i)) == name) return static_cast<Level>(i);
  }
  return Level::none;
}

Result<FieldName> parseFieldName(std::string_view text, std::size_t column) {
  FieldName name;
  const auto dot = text.find('.');
  if (dot != std::string_view::npos) name.level = levelOf(text.substr(0, dot));
  std::string_view rest = name.level == Level::none ? text : text.substr(dot + 1);
  const auto keyDot = rest.find('.');
  const auto field = fieldOf(rest.substr(0, keyDot));
  if (!field) {
    return queryError(column, "no field \"" + std::string(text) + "\"; there are " + fieldNames() +
                                  " (put words that have a : or a comparison in them in quotes)");
  }
  name.field = *field;
  const bool leveled = *field == SearchField::tag || *field == SearchField::meta;
  if (name.level != Level::none && !leveled) {
    return queryError(column, "a level may stand only in front of tag and meta, as in subject.meta.age");
  }
  if (*field != SearchField::meta) {
    if (keyDot == std::string_view::npos) return name;
    return queryError(column, "\"" + std::string(rest.substr(0, keyDot)) + "\" has no parts; only meta has");
  }
  name.key = keyDot == std::string_view::npos ? "" : rest.substr(keyDot + 1);
  if (name.key.empty() || name.key.front() == '.' || name.key.back() == '.' ||
      name.key.find("..") != std::string::npos) {
    return queryError(column, "expected a key after meta, as in meta.age or meta.scan.tr");
  }
  return name;
}

std::optional<Comparison> comparisonOf(std::string_view text) {
  if (text == ":" || text == "=") return Comparison::equal;
  if (text == "!=") return Comparison::notEqual;
  if (text == "<") return Comparison::less;
  if (text == "<=") return Comparison::lessEqual;
  if (text == ">") return Comparison::greater;
  if (text == ">=") return Comparison::greaterEqual;
  return std::nullopt;
}

tl::unexpected<Error> expected(const ConditionPieces& pieces, const std::string& what) {
  return queryError(pieces.valueColumn, "expected " + what + ", not \"" + pieces.value + "\"");
}

std::string expectation(SearchField field) {
  if (takesDate(field)) return "a date like 2024, 2024-03 or 2024-03-01, or a range like 2024-01..2024-06";
  if (field == SearchField::size) return "a size like 500k, 10M, 2G or a range like 1M..10M";
  if (field == SearchField::dim) return "the number of dimensions (4) or sizes like 256x256x*";
  return "millimetres like 1.1, 1x1x2 or 0.5..1";
}

/// Nothing where the text is no value of the field.
std::optional<Operand> typedOperand(SearchField field, std::string_view text) {
  Operand operand;
  if (takesDate(field)) {
    operand.date = parseDate(text);
    return operand.date ? std::optional(operand) : std::nullopt;
  }
  if (field == SearchField::meta) {
    operand.number = parseNumber(text);
    // A year alone is a number here; with a month it is a date.
    if (!operand.number) operand.date = parseDate(text);
    return operand.number || operand.date ? std::optional(operand) : std::nullopt;
  }
  operand.number = field == SearchField::size ? parseSize(text) : parseNumber(text);
  if (operand.number && *operand.number >= 0) return operand;
  operand.number.reset();
  if (field != SearchField::size) operand.axes = parseAxes(text);
  return operand.axes ? std::optional(operand) : std::nullopt;
}

/// A..B, A.. and ..B. Nothing where there are no two dots or a side is no value.
std::optional<std::pair<Operand, Operand>> rangeOf(SearchField field, std::string_view text) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos || text.size() == 2) return std::nullopt;
  std::pair<Operand, Operand> range;
  const std::string_view lower = text.substr(0, dots);
  const std::string_view upper = text.substr(dots + 2);
  for (const auto& [part, side] : {std::pair(lower, &range.first), std::pair(upper, &range.second)}) {
    if (part.empty()) continue;
    const auto operand = typedOperand(field, part);
    if (!operand || operand->axes) return std::nullopt;
    *side = *operand;
  }
  const bool mixed =
      !lower.empty() && !upper.empty() && range.first.number.has_value() != range.second.number.has_value();
  return mixed ? std::nullopt : std::optional(range);
}

std::optional<Error> checkOrder(const Condition& condition, const ConditionPieces& pieces) {
  const Operand& a = condition.operand;
  const Operand& b = condition.upper;
  const bool wrong =
      (a.number && b.number && *a.number > *b.number) || (a.date && b.date && firstDay(*a.date) > lastDay(*b.date));
  if (!wrong) return std::nullopt;
  return queryError(pieces.valueColumn, "expected a range with the smaller value first").value();
}

Result<Condition> typedCondition(Condition condition, const ConditionPieces& pieces) {
  if (pieces.quoted) return expected(pieces, expectation(condition.field) + " without quotes");
  if (const auto range = rangeOf(condition.field, pieces.value)) {
    if (condition.comparison != Comparison::equal) return expected(pieces, "a single value after < and >");
    condition.comparison = Comparison::range;
    std::tie(condition.operand, condition.upper) = *range;
    if (auto error = checkOrder(condition, pieces)) return tl::make_unexpected(std::move(*error));
    return condition;
  }
  const auto operand = typedOperand(condition.field, pieces.value);
  if (!operand) return expected(pieces, expectation(condition.field));
  const bool ordered = condition.comparison != Comparison::equal && condition.comparison != Comparison::notEqual;
  if (operand->axes && ordered) return expected(pieces, "one number after < and >");
  condition.operand = *operand;
  return condition;
}

Result<Condition> textCondition(Condition condition, const ConditionPieces& pieces) {
  const auto wildcards = std::count_if(pieces.value.begin(), pieces.value.end(), [](char c) { return c == '*'; });
  if (!pieces.quoted && wildcards > SearchLimits::wildcards) {
    return queryError(pieces.valueColumn,
                      "expected at most " + std::to_string(SearchLimits::wildcards) + " * in one word");
  }
  condition.operand.text = pieces.value;
  condition.operand.quoted = pieces.quoted;
  return condition;
}

Result<Condition> metaCondition(Condition condition, const ConditionPieces& pieces) {
  if (!pieces.quoted && (rangeOf(SearchField::meta, pieces.value) || typedOperand(SearchField::meta, pieces.value))) {
    return typedCondition(std::move(condition), pieces);
  }
  const bool ordered = condition.comparison != Comparison::equal && condition.comparison != Comparison::notEqual;
  if (ordered && !pieces.quoted) return expected(pieces, "a number, a date like 2024-03 or a text in quotes");
  return textCondition(std::move(condition), pieces);
}

Result<Condition> presentCondition(Condition condition, const ConditionPieces& pieces) {
  if (pieces.comparison != ":") return queryError(pieces.fieldColumn, "expected a colon after has");
  auto name = parseFieldName(pieces.value, pieces.valueColumn);
  if (!name) return tl::make_unexpected(std::move(name.error()));
  constexpr std::array always{SearchField::name,  SearchField::path,    SearchField::project, SearchField::state,
                              SearchField::added, SearchField::changed, SearchField::size};
  if (std::find(always.begin(), always.end(), name->field) != always.end()) {
    return expected(pieces, "something that may be missing, as in has:meta.age, has:tag or has:date");
  }
  condition.field = name->field;
  condition.level = name->level;
  condition.key = name->key;
  condition.comparison = Comparison::present;
  return condition;
}

Result<Condition> checkState(Condition condition, const ConditionPieces& pieces) {
  constexpr std::array<std::string_view, 3> states{"present", "vanished", "broken"};
  if (std::find(states.begin(), states.end(), pieces.value) != states.end()) return condition;
  return expected(pieces, "present, vanished or broken");
}

}  // namespace

tl::unexpected<Error> queryError(std::size_t column, const std::string& what) {
  return fail(ErrorCode::invalidInput, "column " + std::to_string(column) + ": " + what, "query");
}

Result<Condition> makeCondition(const ConditionPieces& pieces) {
  Condition condition;
  condition.column = pieces.fieldColumn;
  if (pieces.value.size() > SearchLimits::value) {
    return queryError(pieces.valueColumn,
                      "expected a value of at most " + std::to_string(SearchLimits::value) + " bytes");
  }
  if (pieces.field.empty()) return textCondition(std::move(condition), pieces);
  if (pieces.field == "has") return presentCondition(std::move(condition), pieces);
  auto name = parseFieldName(pieces.field, pieces.fieldColumn);
  if (!name) return tl::make_unexpected(std::move(name.error()));
  condition.field = name->field;
  condition.level = name->level;
  condition.key = name->key;
  condition.comparison = *comparisonOf(pieces.comparison);
  if (takesNumber(condition.field) || takesDate(condition.field)) return typedCondition(std::move(condition), pieces);
  if (condition.field == SearchField::meta) return metaCondition(std::move(condition), pieces);
  if (condition.comparison != Comparison::equal && condition.comparison != Comparison::notEqual) {
    return queryError(pieces.valueColumn - pieces.comparison.size(),
                      "expected : or = or != after " + std::string(toString(condition.field)) + ", which has no order");
  }
  if (condition.field == SearchField::state) return checkState(*textCondition(std::move(condition), pieces), pieces);
  return textCondition(std::move(condition), pieces);
}

}  // namespace nora
