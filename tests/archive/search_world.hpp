// A small made-up archive with awkward names and values, searches by chance over it, and what they should find by plain
// C++ that knows no SQL. The suites for SQLite and MariaDB both compare with it.
#pragma once

#include "archive/index/database.hpp"
#include "archive/search/query.hpp"
#include "archive/search/query_sql.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora::test {

using Random = std::mt19937_64;

/// One row of any level; what its level does not have stays empty. Ids count from 1 within the level.
struct Item {
  std::int64_t id = 0;
  std::array<std::int64_t, 5> parents{};  // ids by level; 0: lies in none
  std::string name;
  std::string path;
  std::string title;
  std::string pseudonym;
  std::string kind, format, modality, sequence, date;
  std::int64_t size = 0;
  std::int64_t state = 0;
  std::array<std::int64_t, 4> dims{};
  std::array<double, 3> spacing{};
  std::int64_t createdUs = 0, changedUs = 0;
  std::set<std::string> tags;
  nlohmann::json meta = nlohmann::json::object();
};

struct World {
  std::array<std::vector<Item>, 5> levels;  // by Level; [0] is empty
  const std::vector<Item>& of(Level level) const { return levels.at(static_cast<std::size_t>(level)); }
};

[[nodiscard]] World randomWorld(Random& random);

/// Text of a search that parses.
[[nodiscard]] std::string randomSearch(Random& random);
[[nodiscard]] SearchScope randomScope(const World& world, Random& random);

/// Ids of the items that the search should find, ascending.
[[nodiscard]] std::vector<std::int64_t> expectedIds(const World& world, const Query& query, Level level,
                                                    const SearchScope& scope);

/// The index with its whole schema, asked by bare SQL. Errors fail the test.
class TestDatabase {
 public:
  explicit TestDatabase(Result<std::unique_ptr<Database>> opened);

  [[nodiscard]] SqlDialect dialect() const { return database_->dialect(); }
  /// All in one transaction.
  void execute(const std::vector<SqlText>& statements);
  void execute(const std::string& statement) { execute(std::vector<SqlText>{{statement, {}}}); }
  /// The first column of an answer.
  [[nodiscard]] std::vector<std::int64_t> numbers(const SqlText& statement);

 private:
  std::unique_ptr<Database> database_;
};

void insertWorld(TestDatabase& database, const World& world);

/// Compares `count` searches at every level with what they should find, with and without each candidate.
void compareSearches(TestDatabase& database, const World& world, Random& random, int count);

}  // namespace nora::test
