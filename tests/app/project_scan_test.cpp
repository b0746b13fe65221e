#include "app/project_scan.hpp"
#include "archive/access/secret.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

namespace fs = std::filesystem;

class ProjectScanTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = openDatabase({SqlDialect::sqlite, (index / "index.sqlite").string(), "", "", "", "", ""});
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    archive = std::make_unique<Archive>(*database);
    ProjectRecord wanted;
    wanted.name = "p";
    wanted.root = data.path();
    wanted.secret = newSecret().text;
    project = *archive->addProject(wanted);
    image("sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz");
    data.file("sub-01/ses-1/anat/sub-01_ses-1_T1w.json", R"({"EchoTime": 0.003, "Manufacturer": "X"})");
    data.file("README", "text");
  }

  void image(const std::string& name) const {
    fs::create_directories((data / name).parent_path());
    fs::copy_file(std::string(NORA_TEST_DATA) + "/demo/sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz", data / name,
                  fs::copy_options::overwrite_existing);
  }
  ScanReport scan() {
    auto done = ProjectScan(*archive, project, pool).run({}, {});
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(ScanReport{});
  }
  FileRecord file(const std::string& path) {
    auto out = archive->file(project.id, path);
    EXPECT_TRUE(out) << path;
    return out.value_or(FileRecord{});
  }

  TemporaryFolder data, index;
  ReaderPool pool{NORA_PROGRAM, ReaderPool::Limits{}};
  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
  ProjectRecord project;
  const std::string t1 = "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz";
};

TEST_F(ProjectScanTest, TakesWhatReadersSaySubjectsStudiesAndSidecars) {
  const auto first = scan();
  EXPECT_EQ(first.files.added, 3);
  EXPECT_EQ(first.broken, 0);
  const auto found = file(t1);
  EXPECT_EQ(found.kind, "image");
  EXPECT_EQ(found.format, "NIfTI-1");
  EXPECT_GT(found.dims[0], 1);
  EXPECT_GT(found.spacingMm[2], 0);
  EXPECT_EQ(archive->subject(found.subjectId)->name, "sub-01");
  EXPECT_EQ(archive->study(found.studyId)->name, "ses-1");
  EXPECT_EQ(nlohmann::json::parse(found.meta).at("EchoTime"), 0.003);
  EXPECT_EQ(file("README").subjectId, 0);
}

TEST_F(ProjectScanTest, ASecondScanOpensNothing) {
  scan();
  const auto again = scan();
  EXPECT_EQ(again.files.unchanged, 3);
  EXPECT_EQ(again.files.added + again.files.changed + again.files.moved + again.vanished, 0);
}

TEST_F(ProjectScanTest, AChangedSidecarChangesItsImage) {
  scan();
  const auto before = file(t1);
  data.file("sub-01/ses-1/anat/sub-01_ses-1_T1w.json", R"({"EchoTime": 0.004})");
  const auto again = scan();
  EXPECT_EQ(again.files.changed, 2) << "the sidecar and the image";
  EXPECT_EQ(again.files.unchanged, 1);
  EXPECT_EQ(file(t1).id, before.id);
  EXPECT_EQ(nlohmann::json::parse(file(t1).meta).at("EchoTime"), 0.004);
}

TEST_F(ProjectScanTest, MetadataOfFoldersAboveIsInheritedAndTheNearestCounts) {
  image("sub-02/ses-1/func/sub-02_ses-1_task-rest_bold.nii.gz");
  data.file("dataset_description.json", R"({"Name": "x", "BIDSVersion": "1.9.0"})");
  data.file("task-rest_bold.json", R"({"RepetitionTime": 2, "TaskName": "rest"})");
  data.file("sub-02/sub-02_task-rest_bold.json", R"({"RepetitionTime": 3})");
  data.file("T2w.json", R"({"EchoTime": 9})");
  scan();
  const std::string bold = "sub-02/ses-1/func/sub-02_ses-1_task-rest_bold.nii.gz";
  EXPECT_EQ(nlohmann::json::parse(file(bold).meta), (nlohmann::json{{"RepetitionTime", 3}, {"TaskName", "rest"}}));
  const auto id = file(bold).id;
  data.file("task-rest_bold.json", R"({"RepetitionTime": 2, "TaskName": "sleep"})");
  const auto again = scan();
  EXPECT_EQ(again.files.changed, 2) << "the sidecar and the image that inherits it";
  EXPECT_EQ(file(bold).id, id);
  EXPECT_EQ(nlohmann::json::parse(file(bold).meta).at("TaskName"), "sleep");
  EXPECT_EQ(nlohmann::json::parse(file(t1).meta).size(), 2U) << "another suffix";
  fs::remove(data / "sub-02/sub-02_task-rest_bold.json");
  scan();
  EXPECT_EQ(nlohmann::json::parse(file(bold).meta).at("RepetitionTime"), 2);
  fs::remove(data / "dataset_description.json");
  data.file("task-rest_bold.json", R"({"TaskName": "none"})");
  scan();
  EXPECT_EQ(file(bold).meta, "{}") << "only data sets of BIDS inherit";
}

TEST_F(ProjectScanTest, APatternSaysWhoseFilesAre) {
  image("wave1/AB_12/T1.nii.gz");
  scan();
  EXPECT_EQ(archive->subject(file("wave1/AB_12/T1.nii.gz").subjectId)->name, "wave1");
  const auto id = file("wave1/AB_12/T1.nii.gz").id;
  ASSERT_TRUE(archive->setSettings(project.id, R"({"pattern": "{study}/AB_{subject}"})"));
  project = *archive->project(project.id);
  scan();
  const auto placed = file("wave1/AB_12/T1.nii.gz");
  EXPECT_EQ(placed.id, id);
  EXPECT_EQ(archive->subject(placed.subjectId)->name, "12");
  EXPECT_EQ(archive->study(placed.studyId)->name, "wave1");
  EXPECT_EQ(file(t1).subjectId, 0) << "what does not fit is the project's";
  project = *archive->project(project.id);
  EXPECT_EQ(scan().files.changed, 0);
}

TEST_F(ProjectScanTest, FindsWhatMovedAndWhatIsGone) {
  scan();
  const auto id = file(t1).id;
  const std::vector<std::string> tags{"checked"};
  ASSERT_EQ(archive->tag(Level::file, std::span(&id, 1), tags, {}), 1);
  fs::rename(data / "sub-01", data / "sub-09");
  fs::remove(data / "README");
  const auto again = scan();
  EXPECT_EQ(again.files.moved, 2);
  EXPECT_EQ(again.vanished, 3) << "until two of them were found again";
  const auto moved = file("sub-09/ses-1/anat/sub-01_ses-1_T1w.nii.gz");
  EXPECT_EQ(moved.id, id);
  EXPECT_EQ(archive->subject(moved.subjectId)->name, "sub-09");
  EXPECT_EQ(archive->tags(Level::file, id), std::set<std::string>{"checked"});
  EXPECT_EQ(file("README").state, FileState::vanished);
}

TEST_F(ProjectScanTest, WhatCannotBeReadIsThereWithTheReason) {
  data.file("sub-02/broken.nii", std::string(352, '\1'));
  const auto first = scan();
  EXPECT_EQ(first.broken, 1);
  EXPECT_EQ(file("sub-02/broken.nii").state, FileState::broken);
  EXPECT_FALSE(file("sub-02/broken.nii").reason.empty());
}

TEST_F(ProjectScanTest, NothingVanishesFromAFolderThatCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  scan();
  fs::permissions(data / "sub-01", fs::perms::none);
  const auto again = scan();
  fs::permissions(data / "sub-01", fs::perms::all);
  EXPECT_EQ(again.vanished, 0);
  EXPECT_EQ(again.problems.size(), 1U);
}

TEST_F(ProjectScanTest, AFolderThatIsNotThereIsAnErrorAndNothingVanishes) {
  scan();
  fs::rename(data / "sub-01", index / "away");
  fs::remove_all(data.path());
  const auto failed = ProjectScan(*archive, project, pool).run({}, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::notFound);
  EXPECT_EQ(file(t1).state, FileState::present);
}

TEST_F(ProjectScanTest, NamesOfAnyBytesAreTakenAndThoseThatAreTooLongTold) {
  image("sub-\xFF/a.nii.gz");
  data.file(std::string(200, 'x') + "/a.txt");
  const auto first = scan();
  EXPECT_EQ(first.problems.size(), 1U);
  EXPECT_EQ(first.files.added, 5);
  EXPECT_EQ(archive->subject(file("sub-\xEE\xBF\xBF/a.nii.gz").subjectId)->name, "sub-\xEE\xBF\xBF");
  EXPECT_EQ(file("sub-\xEE\xBF\xBF/a.nii.gz").state, FileState::present);
  EXPECT_EQ(file(std::string(200, 'x') + "/a.txt").subjectId, 0);
}

}  // namespace
}  // namespace nora
