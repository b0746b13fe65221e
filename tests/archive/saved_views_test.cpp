#include "archive/index/saved_views.hpp"

#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

class SavedViewsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    auto opened = openDatabase(test::freshAddress());
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    const auto now = [this] { return ++clock; };
    views = std::make_unique<SavedViews>(*database, now);
    ProjectRecord wanted;
    wanted.name = "p";
    project = Archive(*database, now).addProject(wanted)->id;
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<SavedViews> views;
  std::int64_t project = 0;
  std::atomic<std::int64_t> clock{1'000'000};
};

TEST_F(SavedViewsTest, APresetIsReplacedByItsNameAndSeenByItsOwner) {
  const auto mine = views->savePreset({0, project, 5, "bone", R"({"v":1})", 0, 0});
  ASSERT_TRUE(mine) << describe(mine.error());
  const auto again = views->savePreset({0, project, 5, "bone", R"({"v":2})", 0, 0});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, mine->id);
  EXPECT_EQ(again->scene, R"({"v":2})");
  EXPECT_EQ(again->createdUs, mine->createdUs);
  EXPECT_GT(again->changedUs, mine->changedUs);
  ASSERT_TRUE(views->savePreset({0, 0, 0, "all", "{}", 0, 0}));
  ASSERT_TRUE(views->savePreset({0, project, 6, "ben's", "{}", 0, 0}));
  ASSERT_TRUE(views->savePreset({0, project + 1, 5, "elsewhere", "{}", 0, 0}));
  const auto seen = views->presets(5, project);
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_EQ(seen->at(0).name + seen->at(1).name, "allbone");
  EXPECT_EQ(views->presets(5, 0)->size(), 1U);
  ASSERT_TRUE(views->removePreset(mine->id));
  EXPECT_EQ(views->preset(mine->id).error().code, ErrorCode::notFound);
  EXPECT_EQ(views->removePreset(mine->id).error().code, ErrorCode::notFound);
}

TEST_F(SavedViewsTest, WhatIsNotASceneIsRefused) {
  for (const std::string scene : {"", "[]", "{\"a\":", "1", "{\"a\":\"\xFF\"}"})
    EXPECT_EQ(views->savePreset({0, project, 5, "x", scene, 0, 0}).error().code, ErrorCode::invalidInput) << scene;
  const std::string large = "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}";
  EXPECT_EQ(views->savePreset({0, project, 5, "x", large, 0, 0}).error().code, ErrorCode::limitExceeded);
  const std::string fits = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}";
  EXPECT_EQ(views->savePreset({0, project, 5, "x", fits, 0, 0})->scene, fits);
}

TEST_F(SavedViewsTest, ManyMaySaveUnderTheSameNameAtOnce) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 16; ++i) {
    writers.emplace_back([&] {
      const auto done = views->savePreset({0, project, 5, "bone", "{}", 0, 0});
      EXPECT_TRUE(done) << describe(done.error());
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(views->presets(5, project)->size(), 1U);
}

TEST_F(SavedViewsTest, AFilterIsASearchThatCanBeRead) {
  const auto made = views->saveFilter({0, project, 5, "patients", "meta.group=patient & kind:image"});
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(views->saveFilter({0, project, 5, "patients", "meta.group=control"})->id, made->id);
  EXPECT_EQ(views->filter(made->id)->query, "meta.group=control");
  EXPECT_EQ(views->saveFilter({0, project, 5, "wrong", "(a"}).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(views->filters(5, project)->size(), 1U);
  EXPECT_TRUE(views->filters(6, project)->empty());
  ASSERT_TRUE(views->removeFilter(made->id));
}

}  // namespace
}  // namespace nora
