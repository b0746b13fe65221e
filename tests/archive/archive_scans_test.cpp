// What scans leave in the index for the next one, and two scans of one project at the same time, on every database.
#include "tests/archive/archive_world.hpp"

namespace nora {
namespace {

class ArchiveScansTest : public test::ArchiveWorld {
 protected:
  static FoundFileRecord series(const std::string& uid) {
    auto out = found("dicom", "sub-01", "ses-1");
    out.facts.series = uid + "#1";
    out.facts.label = uid;
    out.parts = {"dicom/" + uid + ".dcm"};
    return out;
  }
  static std::vector<DicomFileRecord> header(const std::string& uid) { return {{"dicom/" + uid + ".dcm", 5, 6, "{}"}}; }
  Archive::Unhashed unhashedOf(const std::string& path) {
    const auto file = archive->file(project.id, path);
    return {file->id, file->size, file->mtimeUs, path};
  }
  void setHash(const std::string& path, const std::string& hash) {
    const std::vector<std::pair<Archive::Unhashed, std::string>> one{{unhashedOf(path), hash}};
    ASSERT_TRUE(archive->setHashes(project.id, one));
  }
  void vanish(const std::string& path) {
    const auto id = fileId(path);
    ASSERT_EQ(archive->markVanished(std::span(&id, 1)), 1);
  }
};

TEST_F(ArchiveScansTest, SeriesThatAnotherScanFoundDoNotVanish) {
  std::int64_t mine = *archive->dicomChanges(project.id), theirs = mine, vanished = 0;
  ASSERT_TRUE(archive->storeDicom(project.id, header("1.1"), mine));
  ASSERT_EQ(mine, *archive->dicomChanges(project.id)) << "nobody else changed anything";
  theirs = mine;
  ASSERT_TRUE(archive->storeDicom(project.id, header("1.2"), theirs));  // another server, meanwhile
  const std::vector<FoundFileRecord> both{series("1.1"), series("1.2")}, one{series("1.1")};
  const auto closed = archive->closeDicom(project.id, both, {}, theirs, vanished);
  ASSERT_TRUE(closed && *closed);
  EXPECT_EQ((*closed)->added, 2);
  const auto late = archive->closeDicom(project.id, one, {}, mine, vanished);
  ASSERT_TRUE(late) << describe(late.error());
  EXPECT_FALSE(*late) << "what it put together is old";
  EXPECT_EQ(vanished, 0);
  EXPECT_EQ(archive->seriesCount(project.id), 2);
  EXPECT_EQ(archive->isDicomOpen(project.id), false);
  mine = *archive->dicomChanges(project.id);
  const auto again = archive->closeDicom(project.id, both, {}, mine, vanished);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->unchanged, 2);
}

TEST_F(ArchiveScansTest, AScanThatStoresAfterAnotherOneKnowsThatItIsOld) {
  std::int64_t mine = *archive->dicomChanges(project.id), theirs = mine, vanished = 0;
  ASSERT_TRUE(archive->storeDicom(project.id, header("1.2"), theirs));
  ASSERT_TRUE(archive->storeDicom(project.id, header("1.1"), mine));
  const std::vector<FoundFileRecord> one{series("1.1")};
  const auto closed = archive->closeDicom(project.id, one, {}, mine, vanished);
  ASSERT_TRUE(closed);
  EXPECT_FALSE(*closed);
}

TEST_F(ArchiveScansTest, ARebuiltProjectTellsTheScansThatRun) {
  std::int64_t mine = *archive->dicomChanges(project.id), vanished = 0;
  ASSERT_TRUE(archive->storeDicom(project.id, header("1.1"), mine));
  ASSERT_TRUE(archive->rebuild(project.id));
  const std::vector<FoundFileRecord> one{series("1.1")};
  const auto closed = archive->closeDicom(project.id, one, {}, mine, vanished);
  ASSERT_TRUE(closed);
  EXPECT_FALSE(*closed);
}

TEST_F(ArchiveScansTest, AFileOfTheSameContentMovedUnderAnotherNameAndTime) {
  take({found("a/one.nii", "a", ""), found("a/two.nii", "a", "")});
  setHash("a/one.nii", "whole:11");
  setHash("a/two.nii", "whole:22");
  tag(Level::file, fileId("a/two.nii"), "two");
  vanish("a/one.nii");
  vanish("a/two.nii");
  EXPECT_EQ(archive->hashedVanishedSizes(project.id), std::set<std::int64_t>{1000});
  auto other = found("b/renamed.nii", "b", "");
  other.facts.mtimeUs = 77;
  other.facts.hash = "whole:22";
  EXPECT_EQ(take({other}).moved, 1);
  EXPECT_EQ(archive->tags(Level::file, fileId("b/renamed.nii")), std::set<std::string>{"two"});
}

TEST_F(ArchiveScansTest, AnotherContentOfTheSameNameSizeAndTimeIsAnotherFile) {
  take({found("a/T1.nii", "a", "")});
  setHash("a/T1.nii", "whole:11");
  tag(Level::file, fileId("a/T1.nii"), "of a");
  vanish("a/T1.nii");
  auto other = found("b/T1.nii", "b", "");
  other.facts.hash = "whole:22";
  const auto done = take({other});
  EXPECT_EQ(done.moved, 0);
  EXPECT_EQ(done.added, 1);
  EXPECT_TRUE(archive->tags(Level::file, fileId("b/T1.nii"))->empty());
}

TEST_F(ArchiveScansTest, OfSeveralOfTheSameContentTheNameDecidesOrNobody) {
  take({found("a/T1.nii", "a", ""), found("a/copy.nii", "a", "")});
  setHash("a/T1.nii", "whole:11");
  setHash("a/copy.nii", "whole:11");
  const auto id = fileId("a/T1.nii");
  vanish("a/T1.nii");
  vanish("a/copy.nii");
  auto unknown = found("b/x.nii", "b", ""), named = found("b/T1.nii", "b", "");
  unknown.facts.hash = named.facts.hash = "whole:11";
  EXPECT_EQ(take({unknown}).moved, 0);
  EXPECT_EQ(take({named}).moved, 1);
  EXPECT_EQ(fileId("b/T1.nii"), id);
}

TEST_F(ArchiveScansTest, AHashIsOfOneStateOfAFile) {
  take({found("a.nii", "", ""), found("b.nii", "", "")});
  const auto unhashed = archive->unhashed(project.id, 0, 10);
  ASSERT_EQ(unhashed->size(), 2U);
  EXPECT_EQ(archive->unhashed(project.id, unhashed->front().id, 10)->size(), 1U);
  const auto old = unhashedOf("a.nii");
  auto changed = found("a.nii", "", "");
  changed.facts.mtimeUs = 6;
  take({changed});
  const std::vector<std::pair<Archive::Unhashed, std::string>> late{{old, "whole:11"}};
  ASSERT_TRUE(archive->setHashes(project.id, late));
  EXPECT_EQ(archive->file(project.id, "a.nii")->hash, "") << "it is another content by now";
  setHash("a.nii", "whole:22");
  changed.facts.modality = "MR";
  EXPECT_EQ(take({changed}).changed, 1);
  EXPECT_EQ(archive->file(project.id, "a.nii")->hash, "whole:22") << "its size and time are as they were";
  changed.facts.size = 7;
  take({changed});
  EXPECT_EQ(archive->file(project.id, "a.nii")->hash, "");
  auto same = unhashedOf("b.nii");
  same.mtimeUs = 99;
  ASSERT_TRUE(archive->setTimes(project.id, std::span(&same, 1)));
  EXPECT_EQ(archive->file(project.id, "b.nii")->mtimeUs, 99);
}

TEST_F(ArchiveScansTest, HowAScanEndedIsKept) {
  EXPECT_EQ(archive->scanNotes()->at(project.id).endedUs, 0);
  ASSERT_TRUE(archive->noteScan(project.id, R"({"added":3})"));
  const auto note = archive->scanNotes()->at(project.id);
  EXPECT_EQ(note.report, R"({"added":3})");
  EXPECT_GE(note.endedUs, 1'700'000'000'000'000);
  EXPECT_FALSE(archive->noteScan(project.id, "no JSON"));
  ASSERT_TRUE(archive->removeProject(project.id));
  EXPECT_TRUE(archive->scanNotes()->empty());
}

}  // namespace
}  // namespace nora
