// Small pieces of SQL that conditions and candidates are made of. Used in this folder alone.
#pragma once

#include "archive/search/query_sql.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

[[nodiscard]] SqlText sql(std::string text, std::vector<SqlValue> parameters = {});
[[nodiscard]] SqlText operator+(SqlText left, const SqlText& right);
[[nodiscard]] SqlText operator+(SqlText left, std::string_view right);
[[nodiscard]] SqlText operator+(std::string_view left, const SqlText& right);

/// "(a AND b)"; at least one part.
[[nodiscard]] SqlText joined(const std::vector<SqlText>& parts, std::string_view separator);

/// "file", and "file_id" for the column that leads to it; "id" where `from` is the level itself.
[[nodiscard]] std::string tableOf(Level level);
[[nodiscard]] std::string columnOf(Level level, Level from);

/// LIKE pattern with ! as its escape; `exact` where it has no wildcards. `inside`: whatever may stand around it.
struct LikePattern {
  std::string pattern;
  std::string folded;             // the text without wildcards and escapes
  std::vector<std::string> runs;  // folded pieces between wildcards
  bool exact = false;
  /// The same for text as words (wordsSql), if it asks for nothing but words that are shown where identities are hidden
  /// (archive/access/shown_words.hpp).
  std::optional<std::string> shown;
  bool hasNumber = false;  // one of these words is a number
};
[[nodiscard]] LikePattern likePattern(const Operand& operand, bool inside);

/// column matches pattern; the column holds folded text.
[[nodiscard]] SqlText matches(std::string_view column, const LikePattern& pattern, SqlDialect dialect);

/// `text` as words: "-t1--w-" of "t1_w".
[[nodiscard]] std::string wordsSql(const std::string& text, SqlDialect dialect);
/// `text` matches as far as it is shown where identities are hidden; never, if more is asked for.
[[nodiscard]] SqlText matchesShown(const std::string& text, const LikePattern& pattern, SqlDialect dialect);

/// Comparison and operands as an interval; an open side has no bound.
struct Bound {
  SqlValue value;
  bool included = true;
};
struct Interval {
  std::optional<Bound> lower;
  std::optional<Bound> upper;
};
/// Of numbers; values nearer than `tolerance` are taken as equal.
[[nodiscard]] Interval numberInterval(const Condition& condition, double tolerance = 0);
/// Of whole bytes.
[[nodiscard]] Interval sizeInterval(const Condition& condition);
/// Of days as yyyy-mm-dd and longer texts that begin so.
[[nodiscard]] Interval dayInterval(const Condition& condition);
/// Of microseconds since 1970 UTC.
[[nodiscard]] Interval timeInterval(const Condition& condition);

/// "x >= ? AND x < ?"; "1 = 1" for an interval without bounds.
[[nodiscard]] SqlText within(std::string_view expression, const Interval& interval);

}  // namespace nora
