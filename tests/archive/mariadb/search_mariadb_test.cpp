// The search on a real MariaDB. The same comparison as on SQLite.
#include "archive/index/archive_sql.hpp"
#include "tests/archive/fresh_database.hpp"
#include "tests/archive/search_world.hpp"

#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>

namespace nora::test {
namespace {

class MariaDatabase final : public TestDatabase {
 public:
  explicit MariaDatabase(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  SqlDialect dialect() const override { return SqlDialect::mysql; }

  void execute(const SqlText& statement) override {
    const auto values = archive_sql::valuesOf(statement);
    const auto done = database_->write([&](Sql& sql) -> Result<void> {
      auto changed = sql.change(statement.text, std::span<const SqlValue>(values));
      if (!changed) return tl::make_unexpected(changed.error());
      return {};
    });
    EXPECT_TRUE(done) << describe(done.error()) << "\n" << statement.text;
  }

  std::vector<std::int64_t> numbers(const SqlText& statement) override {
    const auto values = archive_sql::valuesOf(statement);
    std::vector<std::int64_t> found;
    const auto done = database_->read([&](Sql& sql) -> Result<void> {
      found.clear();
      auto rows = sql.query(statement.text, std::span<const SqlValue>(values));
      if (!rows) return tl::make_unexpected(rows.error());
      for (const SqlRow& row : *rows) found.push_back(row.integer(0));
      return {};
    });
    EXPECT_TRUE(done) << describe(done.error()) << "\n" << statement.text;
    return found;
  }

 private:
  std::unique_ptr<Database> database_;
};

TEST(SearchMariaDb, FindsWhatPlainCodeFinds) {
  if (const auto why = whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 2;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    auto opened = openMysql(freshAddress());
    ASSERT_TRUE(opened) << describe(opened.error());
    MariaDatabase database(std::move(*opened));
    createTables(database);
    insertWorld(database, world);
    compareSearches(database, world, random, 120);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace nora::test
