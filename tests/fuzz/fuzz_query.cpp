// libFuzzer target for the search: what parses must come back from its own text as the same value, and its SQL must
// have as many question marks as parameters, so that no typed text is part of a statement.
#include "archive/search/meta_keys.hpp"
#include "archive/search/query.hpp"
#include "archive/search/query_sql.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace nora;

void check(bool holds) {
  if (!holds) std::abort();
}

void checkMarks(const SqlText& sql) {
  check(static_cast<std::size_t>(std::count(sql.text.begin(), sql.text.end(), '?')) == sql.parameters.size());
  // Statements are made of our own ASCII alone.
  check(std::all_of(sql.text.begin(), sql.text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(metaKeys(text));
  const auto query = parseQuery(text);
  if (!query) return 0;
  const auto again = parseQuery(toText(*query));
  // Numbers written out may make a search of nearly the longest length too long.
  check(again ? *again == *query : toText(*query).size() > SearchLimits::text / 2);
  for (int level = 1; level <= 4; ++level) {
    const auto sql = toSql(*query, static_cast<Level>(level), {true, {}, {7}},
                           level % 2 == 0 ? SqlDialect::sqlite : SqlDialect::mysql);
    checkMarks(inOrder(sql));
    for (const SqlText& candidate : sql.candidates) checkMarks(narrowed(sql, candidate));
  }
  return 0;
}
