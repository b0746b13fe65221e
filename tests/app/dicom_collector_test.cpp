#include "app/scanner.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace nora {
namespace {

DicomHeader slice(const std::string& patient, const std::string& series, int number) {
  DicomHeader header;
  header.patientId = patient;
  header.studyUid = "1.2";
  header.seriesUid = series;
  header.sopInstanceUid = series + "." + std::to_string(number);
  header.modality = "MR";
  header.sopClassUid = "1.2.840.10008.5.1.4.1.1.4";  // MR image
  header.transferSyntaxUid = "1.2.840.10008.1.2.1";  // explicit, little endian
  header.studyDate = "20240131";
  header.studyDescription = "Head";
  header.seriesDescription = "T1";
  header.instanceNumber = number;
  header.rows = 4;
  header.columns = 5;
  header.bitsAllocated = 16;
  header.photometric = "MONOCHROME2";
  header.hasPixels = true;
  header.positionLps = Vec3{0, 0, 2.0 * number};
  header.orientationLps = std::array<double, 6>{1, 0, 0, 0, 1, 0};
  header.pixelSpacing = std::array<double, 2>{1, 1};
  return header;
}

FoundFile file(const std::string& path) {
  FoundFile found;
  found.path = path;
  const PathPlace place = placeFromPath(path);
  found.subject = place.subject;
  found.study = place.study;
  return found;
}

std::vector<Entry> ready(const std::vector<Entry>& entries) {
  std::vector<Entry> out;
  for (const auto& entry : entries) {
    if (entry.state == EntryState::ready) out.push_back(entry);
  }
  return out;
}

TEST(DicomCollector, SeriesIsOneEntryWithItsFilesInSpace) {
  DicomCollector collector;
  for (const int n : {3, 1, 2}) collector.add(file("case/mr/x" + std::to_string(9 - n)), slice("p1", "1.3", n));
  const auto entries = ready(collector.takeChanges());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].path, "case/mr");
  EXPECT_EQ(entries[0].dims, (std::vector<std::int64_t>{5, 4, 3}));
  EXPECT_EQ(entries[0].files, (std::vector<std::string>{"case/mr/x8", "case/mr/x7", "case/mr/x6"}));
  EXPECT_TRUE(collector.takeChanges().empty());
}

TEST(DicomCollector, ImagesWithTheSameUidsAreNotTakenForOneAnother) {
  DicomCollector collector;
  for (const int n : {1, 2}) collector.add(file("flat/a" + std::to_string(n)), slice("p1", "", n));
  for (const int n : {1, 2}) collector.add(file("flat/b" + std::to_string(n)), slice("p2", "", n));
  DicomHeader other = slice("p1", "", 7);
  other.studyUid = "1.99";
  collector.add(file("flat/c7"), other);
  const auto entries = ready(collector.takeChanges());
  ASSERT_EQ(entries.size(), 3U);
  std::set<std::string> ids, sources, files;
  for (const Entry& entry : entries) {
    ids.insert(entry.id);
    sources.insert(sourcePath(entry) + " " + entry.series);
    files.insert(entry.files.begin(), entry.files.end());
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(sources.size(), 3U);
  EXPECT_EQ(files.size(), 5U);
}

TEST(DicomCollector, NamesOfImagesWithTheSameUidsDoNotDependOnTheOrderOfTheScan) {
  struct Seen {
    std::string path;
    DicomHeader header;
  };
  std::vector<Seen> files;
  for (const int n : {1, 2}) files.push_back({"flat/a" + std::to_string(n), slice("p1", "1.7", n)});
  for (const int n : {1, 2}) files.push_back({"flat/b" + std::to_string(n), slice("p2", "1.7", n)});
  files.push_back({"flat/c1", slice("p1", "1.7", 3)});
  files.back().header.seriesNumber = 9;  // parts it from the first as well
  files.push_back({"flat/d1", slice("p1", "1.7", 4)});
  files.back().header.studyUid = "1.99";
  files.push_back({"flat/e1", slice("p1", "1.8", 5)});  // alone
  const auto named = [](const std::vector<Seen>& order, bool oneByOne) {
    DicomCollector collector;
    std::map<std::string, Entry> listed;
    const auto take = [&] {
      for (auto& entry : collector.takeChanges()) listed.insert_or_assign(entry.id, entry);
    };
    for (const auto& seen : order) {
      collector.add(file(seen.path), seen.header);
      if (oneByOne) take();
    }
    take();
    std::map<std::vector<std::string>, std::string> names;
    for (const auto& [id, entry] : listed) {
      if (entry.state == EntryState::ready) names[entry.files] = id + " " + sourcePath(entry) + " " + entry.series;
    }
    return names;
  };
  const auto forward = named(files, false);
  EXPECT_EQ(forward.size(), 5U);
  std::set<std::string> distinct;
  for (const auto& [names, name] : forward) distinct.insert(name);
  EXPECT_EQ(distinct.size(), 5U);
  EXPECT_EQ(forward.at({"flat/e1"}), entryId("flat", "1.8#0") + " flat 1.8#0");
  EXPECT_EQ(named(files, true), forward);
  std::reverse(files.begin(), files.end());
  EXPECT_EQ(named(files, false), forward);
  EXPECT_EQ(named(files, true), forward);
}

TEST(DicomCollector, SegmentationsAndStructureSetsAreEntriesThatNameTheirSource) {
  DicomCollector collector;
  for (const int n : {1, 2}) collector.add(file("case/mr/x" + std::to_string(n)), slice("p1", "1.3", n));
  DicomHeader seg = slice("p1", "1.4", 1);
  seg.sopClassUid = "1.2.840.10008.5.1.4.1.1.66.4";
  seg.modality = "SEG";
  seg.sourceSeriesUid = "1.3";
  DicomHeader structures = slice("p1", "1.5", 1);
  structures.sopClassUid = "1.2.840.10008.5.1.4.1.1.481.3";
  structures.modality = "RTSTRUCT";
  structures.hasPixels = false;
  structures.rows = structures.columns = 0;
  structures.sourceSeriesUid = "1.3";
  collector.add(file("case/seg.dcm"), seg);
  collector.add(file("case/rt.dcm"), structures);
  std::map<std::string, Entry> byFormat;
  for (const auto& entry : ready(collector.takeChanges())) byFormat[entry.format] = entry;
  ASSERT_EQ(byFormat.size(), 3U);
  EXPECT_EQ(byFormat["DICOM"].sourceSeries, "");
  EXPECT_EQ(byFormat["DICOM SEG"].sourceSeries, "1.3");
  EXPECT_EQ(byFormat["DICOM SEG"].files, std::vector<std::string>{"case/seg.dcm"});
  EXPECT_EQ(byFormat["RTSTRUCT"].sourceSeries, "1.3");
  EXPECT_EQ(byFormat["RTSTRUCT"].kind, "image");
  EXPECT_TRUE(byFormat["RTSTRUCT"].dims.empty());
}

TEST(DicomCollector, LaterFilesReplaceTheEntryOrRemoveTheOldOne) {
  DicomCollector collector;
  collector.add(file("case/a/1"), slice("p1", "1.3", 1));
  const auto before = ready(collector.takeChanges());
  collector.add(file("case/b/2"), slice("p1", "1.3", 2));  // the common folder is now "case"
  const auto changes = collector.takeChanges();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].state, EntryState::removed);
  EXPECT_EQ(changes[0].id, before[0].id);
  EXPECT_EQ(changes[1].path, "case");
  EXPECT_EQ(changes[1].instances, 2);
}

TEST(DicomCollector, FolderWithSeveralPatientsIsSplitByPatient) {
  DicomCollector collector;
  collector.add(file("export/0001/1"), slice("anna", "1.3", 1));
  EXPECT_EQ(ready(collector.takeChanges()).at(0).subject, "export");
  collector.add(file("export/0002/1"), slice("bert", "1.4", 1));
  std::set<std::string> subjects;
  for (const auto& entry : ready(collector.takeChanges())) subjects.insert(entry.subject);
  EXPECT_EQ(subjects, (std::set<std::string>{"anna", "bert"}));
}

TEST(DicomCollector, FilesThatDoNotSayWhoseTheyAreMakeNoSecondPatient) {
  DicomCollector collector;
  collector.add(file("case/a/1"), slice("anna", "1.3", 1));
  collector.add(file("case/b/1"), slice("", "1.4", 1));
  std::set<std::string> subjects;
  for (const auto& entry : ready(collector.takeChanges())) subjects.insert(entry.subject);
  EXPECT_EQ(subjects, (std::set<std::string>{"case"}));
}

TEST(DicomCollector, ASeriesThatReachesIntoAMixedFolderIsNamedAgain) {
  DicomCollector collector;
  collector.add(file("first/1"), slice("anna", "1.3", 1));
  collector.add(file("second/2"), slice("anna", "1.3", 2));
  EXPECT_EQ(ready(collector.takeChanges()).size(), 1U);
  collector.add(file("first/3"), slice("bert", "1.4", 1));
  std::set<std::string> subjects;
  for (const auto& entry : ready(collector.takeChanges())) subjects.insert(entry.subject);
  EXPECT_EQ(subjects, (std::set<std::string>{"anna", "bert"}));
}

TEST(DicomCollector, AFileThatIsCutOffIsNotReady) {
  DicomCollector collector;
  DicomHeader header = slice("p", "1.9", 1);
  header.damage = "the pixel data is cut off";
  collector.add(file("case/1"), header);
  const auto entries = collector.takeChanges();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].state, EntryState::failed);
  EXPECT_EQ(entries[0].reason, "the pixel data is cut off");
}

TEST(DicomCollector, StudyOfAFlatFolderComesFromTheHeader) {
  DicomCollector collector;
  collector.add(file("1.dcm"), slice("anna", "1.3", 1));
  const auto entries = ready(collector.takeChanges());
  EXPECT_EQ(entries.at(0).subject, "anna");
  EXPECT_EQ(entries.at(0).study, "2024-01-31 Head");
}

TEST(DicomCollector, RefusedInstancesAreOneEntryWithTheReason) {
  DicomCollector collector;
  for (int n = 0; n < 5; ++n) {
    DicomHeader header = slice("p", "1.9", n);
    header.hasPixels = false;
    header.rows = header.columns = 0;
    collector.add(file("case/sr/" + std::to_string(n)), header);
  }
  const auto entries = collector.takeChanges();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].state, EntryState::unsupported);
  EXPECT_FALSE(entries[0].reason.empty());
  EXPECT_EQ(entries[0].instances, 5);
}

}  // namespace
}  // namespace nora
