// Files that move, are renamed or touched, where their content is known.
#include "app/content_hashes.hpp"
#include "app/project_scan.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <chrono>
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

namespace fs = std::filesystem;

class ContentHashesTest : public testing::Test {
 protected:
  void SetUp() override {
    DatabaseAddress address;
    address.file = (index / "index.sqlite").string();
    auto opened = openDatabase(address);
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    archive = std::make_unique<Archive>(*database);
    ProjectRecord wanted;
    wanted.name = "p";
    wanted.root = data.path();
    project = *archive->addProject(wanted);
    data.file("a/one.txt", "first content");
    data.file("a/two.txt", "other content");
    data.file("a/big.bin", std::string(600'000, 'x'));
    EXPECT_EQ(scan().files.added, 3);
  }
  ScanReport scan() {
    auto done = ProjectScan(*archive, project, pool).run({}, {});
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(ScanReport{});
  }
  std::int64_t learn(bool isWanted = true) {
    const auto done = hashContents(*archive, project, 1000, [&] { return isWanted; }, {});
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(-1);
  }
  void tag(const std::string& path) {
    const auto id = file(path).id;
    const std::vector<std::string> name{path.substr(2)};
    ASSERT_EQ(archive->tag(Level::file, std::span(&id, 1), name, {}), 1);
  }
  FileRecord file(const std::string& path) {
    auto out = archive->file(project.id, path);
    EXPECT_TRUE(out) << path;
    return out.value_or(FileRecord{});
  }
  void setTime(const std::string& name, int seconds) const {
    fs::last_write_time(data / name, fs::last_write_time(data / name) + std::chrono::seconds(seconds));
  }

  TemporaryFolder data, index;
  ReaderPool pool{NORA_PROGRAM, ReaderPool::Limits{}};
  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
  ProjectRecord project;
};

TEST_F(ContentHashesTest, AFirstScanReadsNoContentsAndLearningGivesWay) {
  for (const char* path : {"a/one.txt", "a/two.txt", "a/big.bin"}) EXPECT_EQ(file(path).hash, "") << path;
  EXPECT_EQ(learn(false), 0);
  EXPECT_EQ(learn(), 3);
  EXPECT_TRUE(file("a/one.txt").hash.starts_with("whole:"));
  EXPECT_TRUE(file("a/big.bin").hash.starts_with("parts:"));
  EXPECT_EQ(learn(), 0) << "once";
}

TEST_F(ContentHashesTest, AFileThatWasRenamedAndTouchedIsTheSame) {
  learn();
  tag("a/one.txt");
  tag("a/big.bin");
  const auto id = file("a/one.txt").id;
  fs::create_directories(data / "b");
  fs::rename(data / "a/one.txt", data / "b/renamed.txt");
  fs::rename(data / "a/big.bin", data / "b/other.bin");
  setTime("b/renamed.txt", 100);
  setTime("b/other.bin", 100);
  EXPECT_EQ(scan().files.moved, 2);
  EXPECT_EQ(file("b/renamed.txt").id, id);
  EXPECT_EQ(archive->tags(Level::file, file("b/other.bin").id), std::set<std::string>{"big.bin"});
}

TEST_F(ContentHashesTest, WithoutAHashNameSizeAndTimeDecide) {
  const auto id = file("a/one.txt").id;
  fs::create_directories(data / "b");
  fs::rename(data / "a/one.txt", data / "b/one.txt");
  fs::rename(data / "a/two.txt", data / "b/renamed.txt");
  const auto report = scan();
  EXPECT_EQ(report.files.moved, 1);
  EXPECT_EQ(report.files.added, 1);
  EXPECT_EQ(file("b/one.txt").id, id);
}

TEST_F(ContentHashesTest, AnotherContentDoesNotInheritTags) {
  learn();
  tag("a/one.txt");
  const auto time = fs::last_write_time(data / "a/one.txt");
  fs::remove(data / "a/one.txt");
  data.file("b/one.txt", "FIRST CONTENT");
  fs::last_write_time(data / "b/one.txt", time);
  const auto report = scan();
  EXPECT_EQ(report.files.moved, 0);
  EXPECT_EQ(report.files.added, 1);
  EXPECT_TRUE(archive->tags(Level::file, file("b/one.txt").id)->empty()) << "same name, size and time";
}

TEST_F(ContentHashesTest, AFileThatWasOnlyTouchedIsNotChanged) {
  learn();
  const auto before = file("a/one.txt");
  setTime("a/one.txt", -50);
  const auto report = scan();
  EXPECT_EQ(report.files.changed, 0);
  EXPECT_EQ(report.touched, 1);
  EXPECT_EQ(report.files.unchanged, 3);
  EXPECT_EQ(file("a/one.txt").mtimeUs, before.mtimeUs - 50'000'000);
  EXPECT_EQ(file("a/one.txt").changedUs, before.changedUs);
  EXPECT_EQ(file("a/one.txt").hash, before.hash);
  EXPECT_EQ(scan().touched, 0);
}

TEST_F(ContentHashesTest, OtherBytesOfTheSameSizeAreAChange) {
  learn();
  data.file("a/one.txt", "FIRST CONTENT");
  setTime("a/one.txt", 50);
  const auto report = scan();
  EXPECT_EQ(report.files.changed, 1);
  EXPECT_EQ(report.touched, 0);
  EXPECT_EQ(file("a/one.txt").hash, "") << "to be learnt again";
  setTime("a/big.bin", 50);
  EXPECT_EQ(scan().files.changed, 1) << "of a large file not every byte was looked at: it is read again";
}

TEST_F(ContentHashesTest, TheScanSaysHowItEnded) {
  const auto note = archive->scanNotes()->at(project.id);
  EXPECT_GT(note.endedUs, 0);
  const auto said = nlohmann::json::parse(note.report);
  EXPECT_EQ(said.at("added"), 3);
  EXPECT_TRUE(said.at("failed").is_null());
  fs::remove_all(data.path());
  EXPECT_FALSE(ProjectScan(*archive, project, pool).run({}, {}));
  EXPECT_TRUE(nlohmann::json::parse(archive->scanNotes()->at(project.id).report).at("failed").is_string());
}

}  // namespace
}  // namespace nora
