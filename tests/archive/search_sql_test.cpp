// The search on a real SQLite in memory, against the plain C++ of search_reference.cpp.
#include "search_world.hpp"

#include <sqlite3.h>

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SqliteDatabase final : public TestDatabase {
 public:
  SqliteDatabase() { EXPECT_EQ(sqlite3_open(":memory:", &handle_), SQLITE_OK); }
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

TEST(SearchSql, FindsOnSqliteWhatPlainCodeFinds) {
  // NORA_SEARCH_SEEDS=500 is a long run.
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 4;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    SqliteDatabase database;
    createTables(database);
    insertWorld(database, world);
    compareSearches(database, world, random, 250);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(SearchSql, NeverPutsTypedTextIntoTheStatement) {
  for (const std::string text : {R"("'; DROP TABLE file;--")", R"(meta."x'y"="z'w")", R"(tag:'or'1'='1)", "name:evil*",
                                 "meta.evil>\"evil\"", "subject:evil sequence:evil", "path:evil/*"}) {
    const auto query = parseQuery(text);
    ASSERT_TRUE(query) << text;
    const auto sql = toSql(*query, Level::file, {true, {}, {5}}, SqlDialect::sqlite);
    EXPECT_THAT(sql.where.text, Not(testing::AnyOf(HasSubstr("DROP"), HasSubstr("evil"), HasSubstr("1'='1"),
                                                   HasSubstr("x'y"), HasSubstr("z'w"))));
  }
}

TEST(SearchSql, FindsNothingWithoutAProject) {
  const auto sql = toSql({}, Level::file, {}, SqlDialect::sqlite);
  EXPECT_EQ(sql.where.text, "1 = 0");
}

TEST(SearchSql, TrigramsFollowChangedAndRemovedFiles) {
  SqliteDatabase database;
  createTables(database);
  database.execute(
      {"INSERT INTO file (id, project_id, path_fold, name_fold) VALUES (1, 1, 'a/mprage.nii', 'mprage.nii')", {}});
  const auto sql = toSql(*parseQuery("mprage"), Level::file, {true, {}, {}}, SqlDialect::sqlite);
  ASSERT_FALSE(sql.candidates.empty());
  EXPECT_THAT(database.numbers(sql.candidates.front()), ElementsAre(1));
  database.execute({"UPDATE file SET path_fold = 'a/flair.nii' WHERE id = 1", {}});
  EXPECT_THAT(database.numbers(sql.candidates.front()), IsEmpty());
  const auto flair = toSql(*parseQuery("flair"), Level::file, {true, {}, {}}, SqlDialect::sqlite);
  EXPECT_THAT(database.numbers(flair.candidates.front()), ElementsAre(1));
  database.execute({"DELETE FROM file WHERE id = 1", {}});
  EXPECT_THAT(database.numbers(flair.candidates.front()), IsEmpty());
}

}  // namespace
}  // namespace nora::test
