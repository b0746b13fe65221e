#include "archive/search/sql_pieces.hpp"

#include "archive/search/fold.hpp"
#include "archive/search/query_values.hpp"

namespace nora {
namespace {

/// What stands for itself in a LIKE pattern.
std::string escaped(std::string_view folded) {
  std::string text;
  for (const char c : folded) {
    if (c == '%' || c == '_' || c == '!') text += '!';
    text += c;
  }
  return text;
}

void addRun(LikePattern& pattern, std::string_view run) {
  if (run.empty()) return;
  std::string folded = foldText(run);
  pattern.pattern += escaped(folded);
  pattern.folded += folded;
  pattern.runs.push_back(std::move(folded));
}

/// The interval of a comparison with one value that reaches from `first` to `last`, or of a range between two.
Interval intervalOf(Comparison comparison, std::optional<Bound> first, std::optional<Bound> last) {
  const auto beyond = [](Bound bound) { return Bound{std::move(bound.value), !bound.included}; };
  switch (comparison) {
    case Comparison::less: return {std::nullopt, beyond(*first)};
    case Comparison::lessEqual: return {std::nullopt, std::move(last)};
    case Comparison::greater: return {beyond(*last), std::nullopt};
    case Comparison::greaterEqual: return {std::move(first), std::nullopt};
    default: return {std::move(first), std::move(last)};
  }
}

const Operand& upperOperand(const Condition& condition) {
  return condition.comparison == Comparison::range ? condition.upper : condition.operand;
}

}  // namespace

SqlText sql(std::string text, std::vector<SqlValue> parameters) {
  return {std::move(text), std::move(parameters)};
}

SqlText operator+(SqlText left, const SqlText& right) {
  left.text += right.text;
  left.parameters.insert(left.parameters.end(), right.parameters.begin(), right.parameters.end());
  return left;
}

SqlText operator+(SqlText left, std::string_view right) {
  left.text += right;
  return left;
}

SqlText operator+(std::string_view left, const SqlText& right) {
  return sql(std::string(left)) + right;
}

SqlText joined(const std::vector<SqlText>& parts, std::string_view separator) {
  if (parts.size() == 1) return parts.front();
  SqlText whole = sql("(");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) whole = std::move(whole) + separator;
    whole = std::move(whole) + parts[i];
  }
  return std::move(whole) + ")";
}

std::string tableOf(Level level) {
  return std::string(toString(level));
}

std::string columnOf(Level level, Level from) {
  return level == from ? "id" : tableOf(level) + "_id";
}

LikePattern likePattern(const Operand& operand, bool inside) {
  LikePattern pattern;
  const std::string& text = *operand.text;
  std::size_t from = 0;
  bool wild = false;
  for (std::size_t at = 0; at < text.size() && !operand.quoted; ++at) {
    if (text[at] != '*' && text[at] != '?') continue;
    addRun(pattern, std::string_view(text).substr(from, at - from));
    const bool repeated = at > 0 && text[at] == '*' && text[at - 1] == '*';
    if (!repeated) pattern.pattern += text[at] == '*' ? '%' : '_';
    from = at + 1;
    wild = true;
  }
  addRun(pattern, std::string_view(text).substr(from));
  if (inside) pattern.pattern = "%" + pattern.pattern + "%";
  pattern.exact = !wild && !inside;
  return pattern;
}

SqlText matches(std::string_view column, const LikePattern& pattern, SqlDialect dialect) {
  // SQLite finds = by an index and LIKE not; MySQL's = may take no account of blanks at the end.
  if (pattern.exact && dialect == SqlDialect::sqlite) return sql(std::string(column) + " = ?", {pattern.folded});
  return sql(std::string(column) + " LIKE ? ESCAPE '!'", {pattern.pattern});
}

Interval numberInterval(const Condition& condition, double tolerance) {
  std::optional<Bound> first;
  std::optional<Bound> last;
  if (const auto& low = condition.operand.number) first = Bound{*low - tolerance, true};
  if (const auto& high = upperOperand(condition).number) last = Bound{*high + tolerance, true};
  return intervalOf(condition.comparison, std::move(first), std::move(last));
}

Interval sizeInterval(const Condition& condition) {
  Interval interval = numberInterval(condition);
  for (auto* bound : {&interval.lower, &interval.upper}) {
    if (*bound) (*bound)->value = static_cast<std::int64_t>(std::get<double>((*bound)->value));
  }
  return interval;
}

Interval dayInterval(const Condition& condition) {
  std::optional<Bound> first;
  std::optional<Bound> last;
  if (const auto& low = condition.operand.date) first = Bound{firstDay(*low), true};
  if (const auto& high = upperOperand(condition).date) last = Bound{dayAfter(*high), false};
  return intervalOf(condition.comparison, std::move(first), std::move(last));
}

Interval timeInterval(const Condition& condition) {
  std::optional<Bound> first;
  std::optional<Bound> last;
  if (const auto& low = condition.operand.date) first = Bound{firstMicrosecond(*low), true};
  if (const auto& high = upperOperand(condition).date) last = Bound{microsecondAfter(*high), false};
  return intervalOf(condition.comparison, std::move(first), std::move(last));
}

SqlText within(std::string_view expression, const Interval& interval) {
  std::vector<SqlText> parts;
  const std::string x(expression);
  if (interval.lower) parts.push_back(sql(x + (interval.lower->included ? " >= ?" : " > ?"), {interval.lower->value}));
  if (interval.upper) parts.push_back(sql(x + (interval.upper->included ? " <= ?" : " < ?"), {interval.upper->value}));
  return parts.empty() ? sql("1 = 1") : joined(parts, " AND ");
}

}  // namespace nora
