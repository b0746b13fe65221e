// The search on a real MariaDB. The same comparison as on SQLite.
#include "tests/archive/fresh_database.hpp"
#include "tests/archive/search_world.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace nora::test {
namespace {

TEST(SearchMariaDb, FindsWhatPlainCodeFinds) {
  if (const auto why = whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 2;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    TestDatabase database(openDatabase(freshAddress()));
    insertWorld(database, world);
    compareSearches(database, world, random, 120);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace nora::test
