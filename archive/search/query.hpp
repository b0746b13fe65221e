// A search as a value: what the language of docs/SEARCH.md says, after parsing and before SQL. One language for page,
// API and command line; query_sql.hpp turns it into parameterised SQL.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// The levels of the archive, as the tables item_tag and meta_key number them. `none`: not said.
enum class Level : std::uint8_t { none = 0, project = 1, subject = 2, study = 3, file = 4 };

enum class SearchField : std::uint8_t {
  word,  // no field: part of a name or path
  name,
  path,
  project,
  subject,
  study,
  tag,
  kind,
  format,
  modality,
  sequence,
  state,
  date,
  added,
  changed,
  size,
  dim,
  spacing,
  meta,
};

enum class Comparison : std::uint8_t { equal, notEqual, less, lessEqual, greater, greaterEqual, range, present };

/// A calendar date of the precision that was typed: month and day are 0 where they were left out.
struct SearchDate {
  int year = 0;
  int month = 0;
  int day = 0;
  bool operator==(const SearchDate&) const = default;
};

/// Sizes along up to four axes, x first; an axis without a number may have any size.
struct AxisPattern {
  std::vector<std::optional<double>> axes;
  bool operator==(const AxisPattern&) const = default;
};

/// One side of a comparison. Exactly the member that the field asks for is set; none: the open end of a range.
struct Operand {
  std::optional<double> number;  // bytes for size, millimetres for spacing
  std::optional<SearchDate> date;
  std::optional<AxisPattern> axes;
  std::optional<std::string> text;  // as typed, UTF-8; * and ? are wildcards unless `quoted`
  bool quoted = false;
  bool operator==(const Operand&) const = default;
};

/// FIELD COMPARISON OPERAND. `upper` is used by ranges alone; `present` (has:) has no operand.
struct Condition {
  SearchField field = SearchField::word;
  Level level = Level::none;  // in front of tag and meta: file.tag:x
  std::string key;            // of meta: the parts joined by dots
  Comparison comparison = Comparison::equal;
  Operand operand;
  Operand upper;
  std::size_t column = 1;  // where it stands in the text; of no account for equality
  bool operator==(const Condition& other) const;
};

struct Query {
  enum class Kind : std::uint8_t { everything, condition, both, either, not_ };

  Kind kind = Kind::everything;
  Condition condition;          // of Kind::condition
  std::vector<Query> children;  // two or more of both and either, one of not_
  bool operator==(const Query&) const = default;
};

/// Limits, so that no search can eat the server. Text in bytes, depth in brackets and exclamation marks.
struct SearchLimits {
  static constexpr std::size_t text = 4096;
  static constexpr int depth = 32;
  static constexpr int conditions = 100;
  static constexpr std::size_t value = 500;
  static constexpr int wildcards = 16;  // in one value
};

/// Parses a search; empty text and blanks find everything.
///
/// Errors: invalidInput ("column 7: expected a date like 2024-03 or 2024-03-01, not "soon""; columns are counted in
///         characters from 1; `where` is "query"); limitExceeded.
[[nodiscard]] Result<Query> parseQuery(std::string_view text);

/// The search as text that parses back to an equal value.
[[nodiscard]] std::string toText(const Query& query);

/// "modality", "meta", ...: the word in front of the colon; empty for SearchField::word.
[[nodiscard]] std::string_view toString(SearchField field);
[[nodiscard]] std::string_view toString(Level level);

/// One word of the language and what may follow it, for completion in page and shell.
struct SearchWord {
  std::string_view name;
  std::string_view example;
  std::string_view meaning;
};
[[nodiscard]] const std::vector<SearchWord>& searchWords();

}  // namespace nora
