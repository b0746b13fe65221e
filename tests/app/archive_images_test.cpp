#include "app/archive_images.hpp"
#include "app/open_index.hpp"
#include "app/project_scan.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace nora {
namespace {

namespace fs = std::filesystem;

class ArchiveImagesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = openIndex((index_ / "index.sqlite").string());
    ASSERT_TRUE(opened) << describe(opened.error());
    open_ = std::move(*opened);
    images_ = std::make_unique<ArchiveImages>(open_->places(), pool_, cache_);
  }
  ProjectRecord scan(const std::string& name, const std::string& root) {
    ProjectRecord wanted;
    wanted.name = name;
    wanted.root = root;
    wanted.inPlace = true;
    auto project = open_->archive.project(name);
    if (!project) project = open_->archive.addProject(wanted);
    EXPECT_TRUE(project) << describe(project.error());
    auto done = ProjectScan(open_->archive, *project, pool_).run({}, {});
    EXPECT_TRUE(done) << describe(done.error());
    report_ = done.value_or(ScanReport{});
    return *project;
  }
  std::vector<FileRecord> files(const std::string& query = "state:present | state:broken") {
    const auto found = open_->archive.find(Level::file, *parseQuery(query), {true, {}, {}}, 0, 1000);
    EXPECT_TRUE(found) << describe(found.error());
    return open_->archive.files(found->ids).value();
  }
  FileRecord file(const std::string& name) {
    for (const auto& record : files()) {
      if (record.name.find(name) != std::string::npos) return record;
    }
    ADD_FAILURE() << "no file " << name;
    return {};
  }
  Result<LayerContent> load(const FileRecord& record) {
    const auto found = images_->find(administrator_, record.id);
    if (!found) return tl::make_unexpected(found.error());
    return images_->load(*found, {}, {});
  }

  static Visitor administrator() {
    Visitor out;
    out.caller.entrance = Entrance::session;
    out.caller.administrator = true;
    return out;
  }

  const Visitor administrator_ = administrator();
  TemporaryFolder index_, data_;
  ReaderPool pool_{NORA_PROGRAM, ReaderPool::Limits{}};
  ContentCache cache_{std::size_t{1} << 30};
  std::unique_ptr<OpenIndex> open_;
  std::unique_ptr<ArchiveImages> images_;
  ScanReport report_;
  const std::string demo_ = std::string(NORA_TEST_DATA) + "/demo";
};

TEST_F(ArchiveImagesTest, TheSampleDataIsListed) {
  scan("demo", demo_);
  EXPECT_EQ(report_.broken, 0);
  EXPECT_EQ(file("T1w").kind, "image");
  EXPECT_EQ(file("pial").kind, "surface");
  const auto all = files();
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& one) { return !one.series.empty(); }), 1);
}

TEST_F(ArchiveImagesTest, ImagesLoadOnceAndAreShared) {
  const auto project = scan("demo", demo_);
  const auto first = load(file("statmap"));
  ASSERT_TRUE(first) << describe(first.error());
  EXPECT_EQ(load(file("statmap"))->volume().get(), first->volume().get());
  VisitorImages mine(*images_, [this] { return administrator_; });
  const auto again = mine.load(sourceOf(file("statmap"), project), {}, {});
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->volume().get(), first->volume().get());
}

TEST_F(ArchiveImagesTest, SeriesSurfacesAndStreamlinesLoad) {
  scan("demo", demo_);
  for (const char* name : {"pial", "SLF1R", "IFOFR"}) {
    const auto loaded = load(file(name));
    ASSERT_TRUE(loaded) << describe(loaded.error());
    EXPECT_EQ(loaded->volume(), nullptr);
    ASSERT_NE(loaded->shape(), nullptr);
  }
  const auto all = files("format:DICOM");
  ASSERT_EQ(all.size(), 1U);
  const auto series = load(all[0]);
  ASSERT_TRUE(series) << describe(series.error());
  EXPECT_EQ(series->volume()->info().dims[2], all[0].dims[2]);
}

TEST_F(ArchiveImagesTest, WhoMayNotReadIsToldThatThereIsNothing) {
  const auto project = scan("demo", demo_);
  const auto record = file("statmap");
  const auto hidden = images_->find(Visitor(), record.id);
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, ErrorCode::notFound);
  VisitorImages theirs(*images_, [] { return Visitor(); });
  const auto right = theirs.load(sourceOf(record, project), {}, {});
  const auto wrong = theirs.load({"demo/no/such.nii", ""}, {}, {});
  ASSERT_FALSE(right);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(right.error().code, wrong.error().code);
  EXPECT_EQ(right.error().what, wrong.error().what);
}

TEST_F(ArchiveImagesTest, NamesThatAreHiddenAreNoWayIn) {
  auto project = scan("demo", demo_);
  ASSERT_TRUE(open_->accounts.setGrant(project.id, {std::nullopt, std::nullopt, Right::read}));
  ASSERT_TRUE(open_->database->write([&](Sql& sql) -> Result<void> {
    auto done = sql.change("UPDATE project SET hide_identity = 1 WHERE id = ?", {project.id});
    return done ? Result<void>() : tl::make_unexpected(done.error());
  }));
  VisitorImages theirs(*images_, [] { return Visitor(); });
  const auto record = file("statmap");
  EXPECT_TRUE(theirs.load(hiddenSourceOf(record, "P-1234"), {}, {}));
  const auto byName = theirs.load(sourceOf(record, project), {}, {});
  ASSERT_FALSE(byName);
  EXPECT_EQ(byName.error().code, ErrorCode::notFound);
}

TEST_F(ArchiveImagesTest, WhatCannotBeOpenedSaysWhy) {
  scan("demo", demo_);
  EXPECT_EQ(load(file("participants")).error().code, ErrorCode::unsupported);
  VisitorImages mine(*images_, [this] { return administrator_; });
  for (const char* path : {"demo/../LICENCES.md", "demo/nothing.nii", "nothing", "[999999] x", "[x] y", ""}) {
    EXPECT_EQ(mine.load({path, ""}, {}, {}).error().code, ErrorCode::notFound) << path;
  }
  EXPECT_EQ(mine.load({"demo/sub-03/dicom", "1.2.3"}, {}, {}).error().code, ErrorCode::notFound);
}

TEST_F(ArchiveImagesTest, AHeaderWithoutItsDataIsBroken) {
  const fs::path nifti(NORA_TEST_DATA "/nifti");
  fs::create_directories(data_ / "b");
  fs::copy_file(nifti / "pair_float32.hdr", data_ / "alone.hdr");
  fs::copy_file(nifti / "pair_float32.hdr", data_ / "b/both.hdr");
  fs::copy_file(nifti / "pair_float32.img", data_ / "b/both.img");
  scan("pairs", data_.path());
  EXPECT_EQ(file("alone.hdr").state, FileState::broken);
  EXPECT_EQ(file("alone.hdr").reason, "its data file is missing: alone.img");
  EXPECT_EQ(file("both.hdr").state, FileState::present);
  EXPECT_EQ(file("both.img").kind, "sidecar");
}

TEST_F(ArchiveImagesTest, WhatBelongsToAnotherFileIsASidecar) {
  fs::create_directories(data_ / "bundle");
  const fs::path nifti(NORA_TEST_DATA "/nifti");
  fs::copy_file(nifti / "pair_float32.hdr", data_ / "both.Hdr");
  fs::copy_file(nifti / "pair_float32.img", data_ / "both.Img");
  fs::copy_file(nifti / "pair_float32.hdr", data_ / "plain.hdr");
  fs::copy_file(nifti / "pair_float32.img", data_ / "plain.img");
  for (const char* table : {"plain.lut", "plain_LUT.txt", "plain.label.txt", "plain.json", "plain.bvals", "other.lut"})
    data_.file(table, "1 a 1 2 3 255\n");
  data_.file("bundle/header.json", R"({"VOXEL_TO_RASMM":[],"NB_STREAMLINES":1,"NB_VERTICES":2,"DIMENSIONS":[1,1,1]})");
  const std::array<float, 6> points{0, 0, 0, 1, 2, 3};
  const std::array<std::uint32_t, 2> offsets{0, 2};
  data_.file("bundle/positions.3.float32", std::string(reinterpret_cast<const char*>(points.data()), 24));
  data_.file("bundle/offsets.uint32", std::string(reinterpret_cast<const char*>(offsets.data()), 8));
  scan("parts", data_.path());
  std::set<std::string> listed;
  for (const auto& found : files("!kind:sidecar !kind:other")) listed.insert(found.kind + " " + found.name);
  EXPECT_EQ(listed,
            (std::set<std::string>{"image both.Hdr", "image plain.hdr", "table other.lut", "streamlines bundle"}));
  const auto found = images_->find(administrator_, file("bundle").id);
  ASSERT_TRUE(found) << describe(found.error());
  const auto info = images_->info(*found, {});
  ASSERT_TRUE(info) << describe(info.error());
  EXPECT_EQ(info->at("points"), 2);
}

class DicomScanTest : public ArchiveImagesTest {
 protected:
  void SetUp() override {
    ArchiveImagesTest::SetUp();
    for (const auto& entry : fs::recursive_directory_iterator(demo_)) {
      if (entry.path().extension() == ".dcm") sources_.push_back(entry.path());
    }
    std::sort(sources_.begin(), sources_.end());
    ASSERT_GT(sources_.size(), 3U);
    fs::create_directories(data_ / "p1/s1");
    for (std::size_t i = 0; i < sources_.size(); ++i)
      fs::copy_file(sources_[i], data_ / ("p1/s1/" + std::to_string(i) + ".dcm"));
  }
  std::vector<fs::path> sources_;
};

TEST_F(DicomScanTest, ASecondScanOpensNothingAndChangesNothing) {
  scan("dicom", data_.path());
  ASSERT_EQ(files().size(), 1U);
  const auto before = files()[0];
  const auto revision = *open_->archive.revision();
  scan("dicom", data_.path());
  EXPECT_EQ(files()[0], before);
  EXPECT_EQ(*open_->archive.revision(), revision);
}

TEST_F(DicomScanTest, AFileThatComesOrGoesChangesTheSeriesAndKeepsItsTags) {
  fs::rename(data_ / "p1/s1/0.dcm", index_ / "0.dcm");
  scan("dicom", data_.path());
  const auto before = files()[0];
  const std::vector<std::string> tags{"good"};
  ASSERT_TRUE(open_->archive.tag(Level::file, std::span(&before.id, 1), tags, {}));
  fs::rename(index_ / "0.dcm", data_ / "p1/s1/0.dcm");
  scan("dicom", data_.path());
  ASSERT_EQ(files().size(), 1U);
  const auto after = files()[0];
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.instances, before.instances + 1);
  EXPECT_EQ(open_->archive.partsOf(after)->size(), sources_.size());
  EXPECT_EQ(open_->archive.tags(Level::file, after.id)->count("good"), 1U);
  ASSERT_TRUE(load(after));
  fs::remove(data_ / "p1/s1/1.dcm");
  scan("dicom", data_.path());
  EXPECT_EQ(files()[0].id, before.id);
  EXPECT_EQ(files()[0].instances, before.instances);
}

TEST_F(DicomScanTest, AScanThatWasStoppedIsTakenUpByTheNext) {
  const auto project = scan("dicom", data_.path());
  ASSERT_TRUE(open_->database->write([&](Sql& sql) -> Result<void> {  // as if it had ended before the series were made
    for (const char* text : {"DELETE FROM file_part", "DELETE FROM file", "UPDATE dicom_header SET grouped = 0"}) {
      if (auto done = sql.change(text); !done) return tl::make_unexpected(done.error());
    }
    return {};
  }));
  scan("dicom", data_.path());
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(files()[0].instances, static_cast<std::int64_t>(sources_.size()));
}

TEST_F(DicomScanTest, ASeriesThatIsGoneVanishes) {
  scan("dicom", data_.path());
  fs::remove_all(data_ / "p1");
  data_.file("README", "text");
  scan("dicom", data_.path());
  EXPECT_EQ(report_.vanished, 1);
  EXPECT_EQ(files("format:DICOM").size(), 0U);
}

TEST_F(DicomScanTest, AFileThatIsNoLongerDicomIsAnother) {
  scan("dicom", data_.path());
  const auto before = files()[0].instances;
  data_.file("p1/s1/0.dcm", "this is text now");
  scan("dicom", data_.path());
  EXPECT_EQ(files("format:DICOM")[0].instances, before - 1);
  EXPECT_EQ(file("0.dcm").series, "");
}

}  // namespace
}  // namespace nora
