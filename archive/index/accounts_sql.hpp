// What the parts of Accounts share: one statement read or changed.
#pragma once

#include "archive/index/database.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace nora::accounts_sql {

inline std::int64_t nowUs() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

template <class T>
Result<std::vector<T>> readAll(Database& database, const std::string& text, std::vector<SqlValue> values,
                               T (*read)(const SqlRow&)) {
  std::vector<T> out;
  auto done = database.read([&](Sql& sql) -> Result<void> {
    out.clear();
    auto rows = sql.query(text, std::span<const SqlValue>(values));
    if (!rows) return tl::make_unexpected(rows.error());
    for (const SqlRow& row : *rows) out.push_back(read(row));
    return {};
  });
  if (!done) return tl::make_unexpected(done.error());
  return out;
}

template <class T>
Result<T> readOne(Database& database, const std::string& text, std::vector<SqlValue> values, T (*read)(const SqlRow&),
                  std::string_view what) {
  auto rows = readAll<T>(database, text, std::move(values), read);
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::notFound, "there is no such " + std::string(what), std::string(what));
  return std::move(rows->front());
}

/// notFound if no row was meant.
[[nodiscard]] Result<void> changeOne(Database& database, const std::string& text, std::vector<SqlValue> values,
                                     std::string_view what);

}  // namespace nora::accounts_sql
