#include "archive/search/sql_pieces.hpp"

#include "archive/access/pseudonym.hpp"
#include "archive/access/shown_words.hpp"
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

bool isNumber(std::string_view word) {
  return word.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Adds the words of a piece without wildcards. False: one of them is not shown.
bool addWords(std::string_view run, LikePattern& pattern) {
  const auto words = wordsOf(run);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool isPseudonym = i + 1 < words.size() && looksLikePseudonym(words[i] + "-" + words[i + 1]);
    if (isPseudonym) *pattern.shown += "-" + words[i++] + "-";
    if (!isPseudonym && !isShownWord(words[i])) return false;
    pattern.hasNumber = pattern.hasNumber || isNumber(words[i]);
    *pattern.shown += "-" + words[i] + "-";
  }
  return true;
}

/// What stands between the words of LikePattern::shown and of wordsSql is the same, so that whole words are compared.
void addShown(const Operand& operand, bool inside, LikePattern& pattern) {
  const std::string_view text = *operand.text;
  pattern.shown = inside ? "%" : "";
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = operand.quoted ? text.size() : std::min(text.find_first_of("*?", at), text.size());
    const bool asksForLength = end < text.size() && text[end] == '?';
    if (asksForLength || !addWords(text.substr(at, end - at), pattern)) {
      pattern.shown.reset();
      return;
    }
    if (end < text.size() && !pattern.shown->ends_with('%')) *pattern.shown += '%';
    at = end + 1;
  }
  if (inside) *pattern.shown += '%';
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
  addShown(operand, inside, pattern);
  return pattern;
}

std::string wordsSql(const std::string& text, SqlDialect dialect) {
  std::string words = text;
  for (const char separator : wordSeparators) words = "REPLACE(" + words + ", '" + separator + "', '--')";
  return dialect == SqlDialect::sqlite ? "('-' || " + words + " || '-')" : "CONCAT('-', " + words + ", '-')";
}

SqlText matchesShown(const std::string& text, const LikePattern& pattern, SqlDialect dialect) {
  if (!pattern.shown) return sql("1 = 0");
  return sql(wordsSql(text, dialect) + " LIKE ? ESCAPE '!'", {*pattern.shown});
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
