// SQLite for the tests of the search, without the archive's own adapter between.
#pragma once

#include "tests/archive/search_world.hpp"

#include <string>
#include <vector>

#include <sqlite3.h>

#include <gtest/gtest.h>

namespace nora::test {

class SqliteDatabase final : public TestDatabase {
 public:
  explicit SqliteDatabase(const std::string& path = ":memory:") {
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle_), SQLITE_OK);
  }
  ~SqliteDatabase() override { sqlite3_close(handle_); }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  SqlDialect dialect() const override { return SqlDialect::sqlite; }
  void execute(const SqlText& statement) override { static_cast<void>(numbers(statement)); }

  std::vector<std::int64_t> numbers(const SqlText& statement) override {
    sqlite3_stmt* prepared = nullptr;
    const int rc = sqlite3_prepare_v2(handle_, statement.text.c_str(), -1, &prepared, nullptr);
    EXPECT_EQ(rc, SQLITE_OK) << sqlite3_errmsg(handle_) << "\n" << statement.text;
    EXPECT_EQ(static_cast<std::size_t>(sqlite3_bind_parameter_count(prepared)), statement.parameters.size());
    int index = 0;
    for (const SqlParameter& parameter : statement.parameters) bind(prepared, ++index, parameter);
    std::vector<std::int64_t> found;
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(prepared)) == SQLITE_ROW) found.push_back(sqlite3_column_int64(prepared, 0));
    EXPECT_EQ(step, SQLITE_DONE) << sqlite3_errmsg(handle_) << "\n" << statement.text;
    sqlite3_finalize(prepared);
    return found;
  }

 private:
  static void bind(sqlite3_stmt* statement, int index, const SqlParameter& parameter) {
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) sqlite3_bind_int64(statement, index, *number);
    if (const auto* number = std::get_if<double>(&parameter)) sqlite3_bind_double(statement, index, *number);
    if (const auto* text = std::get_if<std::string>(&parameter)) {
      sqlite3_bind_text(statement, index, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
    }
  }

  sqlite3* handle_ = nullptr;
};

}  // namespace nora::test
