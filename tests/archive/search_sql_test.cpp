// The search on a real SQLite in memory, against the plain C++ of search_reference.cpp.
#include "tests/archive/search_world.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TestDatabase sqliteIn(const TemporaryFolder& folder, const std::string& name = "index") {
  DatabaseAddress address;
  address.file = folder / name;
  return TestDatabase(openDatabase(address));
}

TEST(SearchSql, FindsOnSqliteWhatPlainCodeFinds) {
  const TemporaryFolder folder;
  // NORA_SEARCH_SEEDS=500 is a long run.
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 4;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    TestDatabase database = sqliteIn(folder, std::to_string(seed));
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
  const TemporaryFolder folder;
  TestDatabase database = sqliteIn(folder);
  database.execute(
      "INSERT INTO project (id, name, title, root, in_place, settings, meta, created_us, changed_us, revision) "
      "VALUES (1, 'p', '', '', 0, '', '', 0, 0, 1)");
  database.execute(
      "INSERT INTO file (id, project_id, path, path_hash, name, reason, meta, created_us, changed_us, revision, "
      "path_fold, name_fold) VALUES (1, 1, '', '', '', '', '', 0, 0, 1, 'a/mprage.nii', 'mprage.nii')");
  const auto sql = toSql(*parseQuery("mprage"), Level::file, {true, {}, {}}, SqlDialect::sqlite);
  ASSERT_FALSE(sql.candidates.empty());
  EXPECT_THAT(database.numbers(sql.candidates.front()), ElementsAre(1));
  database.execute("UPDATE file SET path_fold = 'a/flair.nii' WHERE id = 1");
  EXPECT_THAT(database.numbers(sql.candidates.front()), IsEmpty());
  const auto flair = toSql(*parseQuery("flair"), Level::file, {true, {}, {}}, SqlDialect::sqlite);
  EXPECT_THAT(database.numbers(flair.candidates.front()), ElementsAre(1));
  database.execute("DELETE FROM file WHERE id = 1");
  EXPECT_THAT(database.numbers(flair.candidates.front()), IsEmpty());
}

}  // namespace
}  // namespace nora::test
