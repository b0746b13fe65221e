#include "image/label_table.hpp"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

TEST(LabelTable, SortsAndKeepsTheLaterOfTwoLabelsWithOneValue) {
  const LabelTable table({{7, "old", {1, 2, 3, 255}}, {-2, "first", {9, 9, 9, 255}}, {7, "new", {4, 5, 6, 255}}}, "t");
  ASSERT_EQ(table.labels().size(), 2U);
  EXPECT_EQ(table.labels()[0].value, -2);
  EXPECT_EQ(table.labels()[1].name, "new");
  EXPECT_EQ(table.source(), "t");
}

TEST(LabelTable, FindsALabelByItsValueOnly) {
  const LabelTable table({{1, "one"}, {3, "three"}, {1'000'000'000'000, "far"}});
  ASSERT_NE(table.find(3), nullptr);
  EXPECT_EQ(table.find(3)->name, "three");
  EXPECT_EQ(table.find(1'000'000'000'000)->name, "far");
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_EQ(table.find(4), nullptr);
  EXPECT_EQ(LabelTable().find(0), nullptr);
}

TEST(LabelTable, CutsLongNamesAtACharacterAndEscapesWhatCannotBePrinted) {
  std::string longName(LabelTable::maxNameBytes - 1, 'a');
  const LabelTable table({{1, longName + "\xc3\xbc" + "b"}, {2, "a\nb\xff"}, {3, longName + "b"}});
  EXPECT_EQ(table.find(1)->name, longName);
  EXPECT_EQ(table.find(2)->name, "a\\x0ab\\xff");
  EXPECT_EQ(table.find(3)->name, longName + "b");
}

TEST(LabelTable, GivesLabelsWithoutAColourOneThatDependsOnTheirValueAlone) {
  Label named{5, "five"};
  named.hasColour = false;
  Label other{6, "six"};
  other.hasColour = false;
  const LabelTable alone({named}), both({other, named});
  EXPECT_EQ(alone.find(5)->rgba, both.find(5)->rgba);
  EXPECT_NE(both.find(5)->rgba, both.find(6)->rgba);
  EXPECT_EQ(both.find(5)->rgba[3], 255);
  EXPECT_EQ(colourOfLabel(0)[3], 0);
}

TEST(LabelTable, NeighboursDifferInColour) {
  for (std::int64_t value = -3; value < 5000; ++value)
    EXPECT_NE(colourOfLabel(value), colourOfLabel(value + 1)) << value;
}

TEST(LabelTable, KeepsNoMoreThanItsLimit) {
  std::vector<Label> many(LabelTable::maxLabels + 10);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].value = static_cast<std::int64_t>(many.size() - i);
  const LabelTable table(std::move(many));
  EXPECT_EQ(table.labels().size(), LabelTable::maxLabels);
  EXPECT_EQ(table.labels().front().value, 1);
}

TEST(LabelTable, ComesBackFromJsonAsItWas) {
  Label made{-4, "made"};
  made.hasColour = false;
  const LabelTable table({{1, "b\xc3\xbc\"", {1, 2, 254, 128}}, made, {std::numeric_limits<std::int64_t>::max(), ""}},
                         "file.txt");
  const json written = toJson(table);
  EXPECT_EQ(written["labels"][1], json({1, "b\xc3\xbc\"", "#0102fe80"}));
  const auto read = labelTableFromJson(written);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, table);
}

TEST(LabelTable, RefusesJsonThatIsNoTable) {
  const json good = toJson(LabelTable({{1, "one", {1, 2, 3, 4}}}, "s"));
  ASSERT_TRUE(labelTableFromJson(good));
  for (const json& wrong : std::vector<json>{json::array({1, "one"}), json::array({1.5, "one", "#01020304"}),
                                             json::array({1, 2, "#01020304"}), json::array({1, "one", "#0102030"}),
                                             json::array({1, "one", "#0102030g"}), json::array({1, "one", "#+1020304"}),
                                             json::array({std::uint64_t{1} << 63, "one", "#01020304"}),
                                             json::array({1, "one", "#01020304", true}), "text", nullptr}) {
    json bad = good;
    bad["labels"][0] = wrong;
    EXPECT_FALSE(labelTableFromJson(bad)) << wrong;
  }
  for (const json& wrong : {json(nullptr), json(1), json::array(), json::object(), json{{"source", 1}}}) {
    EXPECT_FALSE(labelTableFromJson(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace nora
