// What administrators are told of an index, on every database.
#include "archive/index/index_health.hpp"
#include "tests/archive/archive_world.hpp"

#include <algorithm>
#include <filesystem>

namespace nora {
namespace {

class IndexHealthTest : public test::ArchiveWorld {
 protected:
  void SetUp() override {
    test::ArchiveWorld::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto series = found("dicom", "sub-01", "ses-1");
    series.facts.series = "1.2#1";
    series.parts = {"dicom/1.dcm"};
    take({found("a/1", "a", "b"), series});
    tag(Level::file, fileId("a/1"), "t");
    ASSERT_TRUE(archive->setMeta(Level::file, fileId("a/1"), R"({"n": 1})", "anna"));
  }
  void change(const std::string& text) {
    const auto done = database->write([&](Sql& sql) -> Result<void> {
      auto changed = sql.change(text);
      if (!changed) return tl::make_unexpected(changed.error());
      return {};
    });
    ASSERT_TRUE(done) << describe(done.error());
  }
  std::vector<std::string> check() {
    const auto problems = checkIndex(*database);
    EXPECT_TRUE(problems) << describe(problems.error());
    return problems.value_or(std::vector<std::string>{"?"});
  }
};

TEST_F(IndexHealthTest, TellsEngineSchemaSizeAndJournals) {
  const auto state = stateOf(*database);
  ASSERT_TRUE(state) << describe(state.error());
  EXPECT_NE(state->engine.find('.'), std::string::npos) << state->engine;
  EXPECT_GE(state->schema, 7);
  EXPECT_GT(state->bytes, 10'000);
  ASSERT_EQ(state->journals.size(), 1U);
  const auto& journal = state->journals.front();
  EXPECT_EQ(journal.projectId, project.id);
  EXPECT_TRUE(journal.isWhole());
  EXPECT_GT(journal.known, 0);
  std::filesystem::resize_file(journal.file, 3);
  EXPECT_EQ(stateOf(*database)->journals.front().onDisk, 3);
  std::filesystem::remove(journal.file);
  EXPECT_FALSE(stateOf(*database)->journals.front().isWhole());
  EXPECT_EQ(stateOf(*database)->journals.front().onDisk, -1);
}

TEST_F(IndexHealthTest, AWholeIndexHasNoProblems) {
  EXPECT_EQ(check(), std::vector<std::string>{});
  const auto id = fileId("a/1");
  ASSERT_TRUE(archive->markVanished(std::span(&id, 1)));
  ASSERT_TRUE(archive->rebuild(project.id));
  EXPECT_EQ(check(), std::vector<std::string>{});
  ASSERT_TRUE(archive->removeProject(project.id));
  EXPECT_EQ(check(), std::vector<std::string>{}) << "nothing of it is left";
}

TEST_F(IndexHealthTest, EveryKindOfBrokenRowIsFound) {
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"INSERT INTO item_tag (level, item_id, tag_id, project_id) VALUES (4, 999, 1, 1)", "1 tags of items"},
      {"INSERT INTO meta_key (level, item_id, name_id, ordinal, text) VALUES (3, 999, 1, 0, 'x')",
       "1 keys of metadata"},
      {"INSERT INTO meta_history (level, item_id, at_us, user_name, before_json, after_json) VALUES (2, 999, 1, 'x', "
       "'', "
       "'')",
       "1 history of items"},
      {"UPDATE file SET subject_id = 999 WHERE path = 'a/1'", "1 files of subjects"},
      {"DELETE FROM file_part", "1 series without"},
      {"UPDATE file SET revision = 999999 WHERE path = 'a/1'", "1 changes that are newer"}};
  std::size_t count = 0;
  for (const auto& [breaks, said] : kinds) {
    change(breaks);
    const auto problems = check();
    EXPECT_EQ(problems.size(), ++count) << breaks;
    const bool isSaid = std::any_of(problems.begin(), problems.end(),
                                    [&, text = said](const std::string& one) { return one.starts_with(text); });
    EXPECT_TRUE(isSaid) << said;
  }
}

}  // namespace
}  // namespace nora
