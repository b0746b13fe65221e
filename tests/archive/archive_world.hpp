// A project with files, subjects and studies in a fresh index, for the tests that run on every database.
#pragma once

#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora::test {

inline const SearchScope everyProject{true, {}, {}};

class ArchiveWorld : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    address = freshAddress();
    open();
    project = add("Study A");
  }
  void TearDown() override {
    archive.reset();
    database.reset();
  }

  /// The index, or one that takes its place, with its store.
  void open() {
    archive.reset();
    database.reset();
    auto opened = openDatabase(address);
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    archive = std::make_unique<Archive>(*database, [this] { return ++clock; });
    const auto remembered = archive->rememberIn(store.path().string());
    ASSERT_TRUE(remembered) << describe(remembered.error());
  }
  ProjectRecord add(const std::string& name) {
    ProjectRecord wanted;
    wanted.name = name;
    wanted.root = "/data/" + name;
    wanted.inPlace = true;
    auto made = archive->addProject(wanted);
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(ProjectRecord{});
  }

  static FoundFileRecord found(const std::string& path, const std::string& subject, const std::string& study,
                               std::int64_t size = 1000) {
    FoundFileRecord out;
    out.facts.path = path;
    out.facts.kind = "image";
    out.facts.format = "NIfTI-1";
    out.facts.size = size;
    out.facts.mtimeUs = 5;
    out.subject = subject;
    out.study = study;
    return out;
  }
  Archive::Registered take(const std::vector<FoundFileRecord>& files) {
    auto done = archive->registerFiles(project.id, files);
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(Archive::Registered{});
  }
  std::int64_t fileId(const std::string& path) {
    auto out = archive->file(project.id, path);
    EXPECT_TRUE(out) << path << ": " << describe(out.error());
    return out ? out->id : 0;
  }
  std::vector<std::int64_t> findAll(Level level, const std::string& query, const Archive::Selection& selection = {}) {
    const auto parsed = parseQuery(query);
    if (!parsed) {
      ADD_FAILURE() << query << ": " << describe(parsed.error());
      return {};
    }
    const auto ids = archive->allIds(level, *parsed, everyProject, selection);
    EXPECT_TRUE(ids) << describe(ids.error());
    return ids.value_or(std::vector<std::int64_t>{});
  }
  std::int64_t idOf(Level level, const std::string& name) {
    const auto ids = findAll(level, "\"" + name + "\"");
    EXPECT_EQ(ids.size(), 1U) << name;
    return ids.empty() ? 0 : ids.front();
  }
  void tag(Level level, std::int64_t id, const std::string& name) {
    const std::vector<std::string> names{name};
    const auto done = archive->tag(level, std::span(&id, 1), names, {});
    EXPECT_TRUE(done) << describe(done.error());
  }

  DatabaseAddress address;
  TemporaryFolder store;
  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
  ProjectRecord project;
  std::int64_t clock = 1'700'000'000'000'000;
};

}  // namespace nora::test
