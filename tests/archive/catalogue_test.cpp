#include "archive/index/catalogue.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Entry entryOf(const std::string& path, const std::string& series = "") {
  Entry entry;
  entry.id = entryId(path, series);
  entry.subject = "sub-01";
  entry.name = path;
  entry.path = path;
  entry.series = series;
  entry.kind = "image";
  return entry;
}

std::vector<std::string> names(const Catalogue::Page& page) {
  std::vector<std::string> result;
  for (const auto& entry : page.entries) result.push_back(entry.name);
  return result;
}

TEST(EntryId, IsTheSameForEverAndDiffersBySource) {
  EXPECT_EQ(entryId("sub-01/anat/sub-01_T1w.nii.gz", ""), entryId("sub-01/anat/sub-01_T1w.nii.gz", ""));
  EXPECT_EQ(entryId("", ""), "af63bd4c8601b7df");    // FNV-1a of one zero byte: stored links must keep their meaning
  EXPECT_EQ(entryId("a", "b"), "e5d29919042666b2");  // of "a", zero, "b"
  EXPECT_NE(entryId("a", "b"), entryId("ab", ""));
  EXPECT_NE(entryId("a", "1.2#1"), entryId("a", "1.2#2"));
  EXPECT_EQ(entryId("a", "1.2#0"), entryId("a", "1.2"));
  EXPECT_EQ(entryId("x", "y").size(), 16U);
}

TEST(Catalogue, AnEmptyOneHasNothing) {
  const Catalogue catalogue;
  const auto page = catalogue.after(0, 10);
  EXPECT_THAT(page.entries, IsEmpty());
  EXPECT_EQ(page.revision, 0U);
  EXPECT_FALSE(page.more);
  EXPECT_FALSE(catalogue.find("0123456789abcdef"));
}

TEST(Catalogue, PagesFollowOneAnotherByRevision) {
  Catalogue catalogue;
  catalogue.put({entryOf("a"), entryOf("b"), entryOf("c"), entryOf("d"), entryOf("e")});
  auto page = catalogue.after(0, 2);
  EXPECT_THAT(names(page), ElementsAre("a", "b"));
  EXPECT_EQ(page.revision, 2U);
  EXPECT_TRUE(page.more);
  page = catalogue.after(page.revision, 2);
  EXPECT_THAT(names(page), ElementsAre("c", "d"));
  EXPECT_TRUE(page.more);
  page = catalogue.after(page.revision, 2);
  EXPECT_THAT(names(page), ElementsAre("e"));
  EXPECT_EQ(page.revision, 5U);
  EXPECT_FALSE(page.more);
  page = catalogue.after(page.revision, 2);
  EXPECT_THAT(names(page), IsEmpty());
  EXPECT_EQ(page.revision, 5U);
  EXPECT_THAT(names(catalogue.after(99, 2)), IsEmpty());
}

TEST(Catalogue, AChangedEntryComesAgainAndOnlyOnce) {
  Catalogue catalogue;
  catalogue.put({entryOf("a"), entryOf("b")});
  Entry changed = entryOf("a");
  changed.format = "NIfTI-1";
  catalogue.put({changed});
  EXPECT_THAT(names(catalogue.after(2, 10)), ElementsAre("a"));
  EXPECT_THAT(names(catalogue.after(0, 10)), ElementsAre("b", "a"));
  EXPECT_EQ(catalogue.find(changed.id)->format, "NIfTI-1");
  EXPECT_EQ(catalogue.find(changed.id)->revision, 3U);
  EXPECT_EQ(catalogue.counts().entries, 2);
}

TEST(Catalogue, CountsFollowTheStates) {
  Catalogue catalogue;
  Entry entry = entryOf("a");
  entry.state = EntryState::failed;
  catalogue.put({entry, entryOf("b")});
  EXPECT_EQ(catalogue.counts().entries, 2);
  EXPECT_EQ(catalogue.counts().problems, 1);
  entry.state = EntryState::ready;
  catalogue.put({entry});
  EXPECT_EQ(catalogue.counts().problems, 0);
  entry.state = EntryState::removed;
  catalogue.put({entry});
  EXPECT_EQ(catalogue.counts().entries, 1);
  EXPECT_EQ(catalogue.counts().revision, 4U);
  EXPECT_EQ(catalogue.find(entry.id)->state, EntryState::removed);
  catalogue.setProgress(77, true);
  EXPECT_EQ(catalogue.counts().files, 77);
  EXPECT_TRUE(catalogue.counts().scanning);
}

TEST(Catalogue, FindsByPathAndSeries) {
  Catalogue catalogue;
  catalogue.put({entryOf("dicom", "1.2#0"), entryOf("dicom", "1.2#1"), entryOf("dicom", "3.4"), entryOf("t1.nii")});
  EXPECT_EQ(catalogue.find("dicom", "1.2")->series, "1.2#0");
  EXPECT_EQ(catalogue.find("dicom", "1.2#0")->series, "1.2#0");
  EXPECT_EQ(catalogue.find("dicom", "1.2#1")->series, "1.2#1");
  EXPECT_EQ(catalogue.find("dicom", "3.4#0")->series, "3.4");
  EXPECT_TRUE(catalogue.find("t1.nii", ""));
  EXPECT_FALSE(catalogue.find("t1.nii", "1.2"));
  EXPECT_FALSE(catalogue.find("dicom", ""));
}

TEST(Catalogue, FindsTheLargestImageOfASeries) {
  Catalogue catalogue;
  Entry small = entryOf("dicom", "1.2#0"), large = entryOf("dicom", "1.2#1"), other = entryOf("dicom", "1.25#0");
  small.instances = 3;
  large.instances = 30;
  other.instances = 300;
  catalogue.put({small, large, other});
  ASSERT_TRUE(catalogue.findSeries("1.2"));
  EXPECT_EQ(catalogue.findSeries("1.2")->series, "1.2#1");
  large.state = EntryState::removed;
  catalogue.put({large});
  EXPECT_EQ(catalogue.findSeries("1.2")->series, "1.2#0");
  EXPECT_FALSE(catalogue.findSeries("1"));
  EXPECT_FALSE(catalogue.findSeries(""));
}

TEST(Catalogue, JsonHasWhatTheProtocolSays) {
  Entry entry = entryOf("sub-01/t1.nii");
  entry.revision = 7;
  entry.dims = {181, 217, 181};
  entry.state = EntryState::unsupported;
  entry.reason = "because";
  entry.warnings = {"first", "second"};
  entry.files = {"sub-01/t1.nii"};
  const auto json = toJson(entry);
  for (const char* key :
       {"id", "revision", "subject", "study", "name", "path", "kind", "format", "dims", "timePoints", "modality",
        "description", "instances", "sizeBytes", "source", "sourceSeries", "state", "reason", "warnings"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json.size(), 19U);
  EXPECT_EQ(json["revision"], 7);
  EXPECT_EQ(json["dims"], nlohmann::json({181, 217, 181}));
  EXPECT_EQ(json["state"], "unsupported");
  EXPECT_EQ(json["source"], nlohmann::json({{"path", "sub-01/t1.nii"}, {"series", ""}}));
  EXPECT_EQ(json["warnings"], nlohmann::json({"first", "second"}));
}

TEST(Catalogue, NamesThatAreNotUtf8BecomeJsonAndAreFoundAgain) {
  Catalogue catalogue;
  Entry entry = entryOf("caf\xe9\n\"x\"/\xff.nii");
  entry.warnings = {"\xc3"};
  catalogue.put({entry});
  const auto json = toJson(*catalogue.find(entry.id));
  std::string text;
  ASSERT_NO_THROW(text = json.dump());
  const std::string shown = nlohmann::json::parse(text)["source"]["path"];
  EXPECT_EQ(shown, "[" + entry.id + "]/caf\xef\xbf\xbd\n\"x\"/\xef\xbf\xbd.nii");
  ASSERT_TRUE(catalogue.find(shown, ""));
  EXPECT_EQ(catalogue.find(shown, "")->path, entry.path);
}

TEST(Catalogue, NamesThatAreShownAlikeAreToldApart) {
  Catalogue catalogue;
  const std::vector<Entry> entries{entryOf("a\xff"), entryOf("a\xfe"), entryOf("a\xef\xbf\xbd")};
  catalogue.put(entries);
  catalogue.put({entries[1]});
  for (const Entry& entry : entries) {
    const std::string shown = toJson(entry)["source"]["path"];
    ASSERT_TRUE(catalogue.find(shown, "")) << shown;
    EXPECT_EQ(catalogue.find(shown, "")->path, entry.path);
    EXPECT_EQ(catalogue.find(entry.path, "")->path, entry.path);
  }
}

TEST(Catalogue, ReadersSeeEveryEntryWhileAWriterAdds) {
  Catalogue catalogue;
  constexpr int entries = 2000;
  std::jthread writer([&] {
    for (int i = 0; i < entries; ++i) catalogue.put({entryOf(std::to_string(i))});
  });
  std::uint64_t revision = 0;
  int seen = 0;
  while (seen < entries) {
    const auto page = catalogue.after(revision, 100);
    ASSERT_GE(page.revision, revision);
    revision = page.revision;
    for (const auto& entry : page.entries) ASSERT_EQ(entry.name, std::to_string(seen++));
  }
  EXPECT_EQ(seen, entries);
}

}  // namespace
}  // namespace nora
