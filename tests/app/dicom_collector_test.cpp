#include "app/dicom_collector.hpp"

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

std::vector<FoundFileRecord> ready(const std::vector<FoundFileRecord>& records) {
  std::vector<FoundFileRecord> out;
  for (const auto& record : records) {
    if (record.facts.state == FileState::present && record.facts.reason.empty()) out.push_back(record);
  }
  return out;
}

std::set<std::string> subjects(DicomCollector& collector) {
  std::set<std::string> out;
  for (const auto& record : ready(collector.series())) out.insert(record.subject);
  return out;
}

TEST(DicomCollector, SeriesIsOneRecordWithItsFilesInSpace) {
  DicomCollector collector;
  for (const int n : {3, 1, 2}) collector.add(file("case/mr/x" + std::to_string(9 - n)), slice("p1", "1.3", n));
  const auto records = ready(collector.series());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].facts.path, "case/mr");
  EXPECT_EQ(records[0].facts.series, "1.3#0");
  EXPECT_EQ(records[0].facts.dims, (std::array<std::int64_t, 4>{5, 4, 3, 1}));
  EXPECT_EQ(records[0].facts.spacingMm, (std::array<double, 3>{1, 1, 2}));
  EXPECT_EQ(records[0].parts, (std::vector<std::string>{"case/mr/x8", "case/mr/x7", "case/mr/x6"}));
  EXPECT_EQ(records[0].studyDate, "2024-01-31");
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
    for (const auto& seen : order) {
      collector.add(file(seen.path), seen.header);
      if (oneByOne) (void)collector.series();
    }
    std::map<std::vector<std::string>, std::string> names;
    for (const auto& record : ready(collector.series()))
      names[record.parts] = record.facts.path + " " + record.facts.series;
    return names;
  };
  const auto forward = named(files, false);
  EXPECT_EQ(forward.size(), 5U);
  std::set<std::string> distinct;
  for (const auto& [names, name] : forward) distinct.insert(name);
  EXPECT_EQ(distinct.size(), 5U);
  EXPECT_EQ(forward.at({"flat/e1"}), "flat 1.8#0");
  EXPECT_EQ(named(files, true), forward);
  std::reverse(files.begin(), files.end());
  EXPECT_EQ(named(files, false), forward);
  EXPECT_EQ(named(files, true), forward);
}

TEST(DicomCollector, SegmentationsAndStructureSetsNameTheirSource) {
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
  std::map<std::string, FoundFileRecord> byFormat;
  for (const auto& record : ready(collector.series())) byFormat[record.facts.format] = record;
  ASSERT_EQ(byFormat.size(), 3U);
  EXPECT_EQ(byFormat["DICOM"].facts.sourceSeries, "");
  EXPECT_EQ(byFormat["DICOM SEG"].facts.sourceSeries, "1.3");
  EXPECT_EQ(byFormat["DICOM SEG"].parts, std::vector<std::string>{"case/seg.dcm"});
  EXPECT_EQ(byFormat["RTSTRUCT"].facts.sourceSeries, "1.3");
  EXPECT_EQ(byFormat["RTSTRUCT"].facts.kind, "image");
  EXPECT_EQ(byFormat["RTSTRUCT"].facts.dims[0], 0);
}

TEST(DicomCollector, LaterFilesChangeTheRecord) {
  DicomCollector collector;
  collector.add(file("case/a/1"), slice("p1", "1.3", 1));
  EXPECT_EQ(ready(collector.series()).at(0).facts.path, "case/a");
  collector.add(file("case/b/2"), slice("p1", "1.3", 2));  // the common folder is now "case"
  const auto records = ready(collector.series());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].facts.path, "case");
  EXPECT_EQ(records[0].facts.instances, 2);
}

TEST(DicomCollector, AFileThatIsFoundTwiceCountsOnce) {
  DicomCollector collector;
  for (const int n : {1, 2, 3}) collector.add(file("case/a/" + std::to_string(n)), slice("p1", "1.3", n));
  collector.add(file("case/a/2"), slice("p1", "1.3", 2));
  const auto records = ready(collector.series());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].facts.instances, 3);
  EXPECT_EQ(records[0].facts.warnings, "[]");
  collector.add(file("case/a/3"), slice("p1", "1.4", 3));  // it was replaced by one of another series
  const auto after = ready(collector.series());
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].facts.instances, 2);
  EXPECT_EQ(after[1].parts, std::vector<std::string>{"case/a/3"});
}

TEST(DicomCollector, FolderWithSeveralPatientsIsSplitByPatient) {
  DicomCollector collector;
  collector.add(file("export/0001/1"), slice("anna", "1.3", 1));
  EXPECT_EQ(subjects(collector), std::set<std::string>{"export"});
  collector.add(file("export/0002/1"), slice("bert", "1.4", 1));
  EXPECT_EQ(subjects(collector), (std::set<std::string>{"anna", "bert"}));
}

TEST(DicomCollector, FilesThatDoNotSayWhoseTheyAreMakeNoSecondPatient) {
  DicomCollector collector;
  collector.add(file("case/a/1"), slice("anna", "1.3", 1));
  collector.add(file("case/b/1"), slice("", "1.4", 1));
  EXPECT_EQ(subjects(collector), std::set<std::string>{"case"});
}

TEST(DicomCollector, ASeriesThatReachesIntoAMixedFolderIsNamedAgain) {
  DicomCollector collector;
  collector.add(file("first/1"), slice("anna", "1.3", 1));
  collector.add(file("second/2"), slice("anna", "1.3", 2));
  EXPECT_EQ(ready(collector.series()).size(), 1U);
  collector.add(file("first/3"), slice("bert", "1.4", 1));
  EXPECT_EQ(subjects(collector), (std::set<std::string>{"anna", "bert"}));
}

TEST(DicomCollector, AFileThatIsCutOffIsBroken) {
  DicomCollector collector;
  DicomHeader header = slice("p", "1.9", 1);
  header.damage = "the pixel data is cut off";
  collector.add(file("case/1"), header);
  const auto records = collector.series();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].facts.state, FileState::broken);
  EXPECT_EQ(records[0].facts.reason, "the pixel data is cut off");
}

TEST(DicomCollector, SubjectAndStudyOfAFlatFolderComeFromTheHeader) {
  DicomCollector collector;
  DicomHeader header = slice("An/na", "1.3", 1);
  header.studyDescription = "Head/Neck";
  collector.add(file("1.dcm"), header);
  const auto records = ready(collector.series());
  EXPECT_EQ(records.at(0).facts.path, ".");
  EXPECT_EQ(records.at(0).subject, "An_na");
  EXPECT_EQ(records.at(0).study, "2024-01-31 Head_Neck");
}

TEST(DicomCollector, RefusedInstancesAreOneRecordWithTheReason) {
  DicomCollector collector;
  for (int n = 0; n < 5; ++n) {
    DicomHeader header = slice("p", "1.9", n);
    header.hasPixels = false;
    header.rows = header.columns = 0;
    collector.add(file("case/sr/" + std::to_string(n)), header);
  }
  const auto records = collector.series();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].facts.state, FileState::present) << "there is nothing wrong with it";
  EXPECT_FALSE(records[0].facts.reason.empty());
  EXPECT_EQ(records[0].facts.instances, 5);
}

TEST(ItemNames, AreMadeOfAnyText) {
  EXPECT_EQ(itemName("M\xC3\xBCller^Anna"), "M\xC3\xBCller^Anna");
  EXPECT_EQ(itemName(" ..a/b\n\xFF "), "a_b _");
  EXPECT_EQ(itemName(std::string(300, 'x')).size(), 120U);
  EXPECT_EQ(itemName("/"), "_");
  EXPECT_EQ(itemName(" . "), "");
}

}  // namespace
}  // namespace nora
