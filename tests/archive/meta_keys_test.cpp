#include "archive/search/meta_keys.hpp"

#include "archive/search/fold.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(FoldText, MakesCaseAndCompositionTheSame) {
  EXPECT_EQ(foldText("T1w_ABC"), "t1w_abc");
  EXPECT_EQ(foldText("MÜLLER"), foldText("Mu\xCC\x88ller"));
  EXPECT_EQ(foldText("STRASSE"), foldText("straße"));
  EXPECT_EQ(foldText("ΣΑΣ"), foldText("σας"));
  EXPECT_NE(foldText("a"), foldText("ä"));
  EXPECT_EQ(foldText("日本"), "日本");
  EXPECT_EQ(foldText(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(foldText("ü\xFF"), "ü\xEF\xBF\xBD");
}

TEST(FoldText, ChangesNothingTheSecondTime) {
  for (const char* text : {"Straße", "ﬁ", "Å", "ﷺ", "K", "x²", "İ", "ǅ"}) {
    EXPECT_EQ(foldText(foldText(text)), foldText(text)) << text;
  }
}

TEST(MetaKeys, FlattenObjectsAndLists) {
  const auto rows = metaKeys(R"({"Age": 61, "scan": {"TR": 2.5, "Type": ["ORIGINAL", "primary"]}, "ok": true,
                                 "none": null, "empty": [], "text": "60"})");
  EXPECT_THAT(rows, ElementsAre(MetaKey{"age", 0, 61.0, "61"}, MetaKey{"ok", 0, std::nullopt, "true"},
                                MetaKey{"scan.tr", 0, 2.5, "2.5"}, MetaKey{"scan.type", 0, std::nullopt, "original"},
                                MetaKey{"scan.type", 1, std::nullopt, "primary"}, MetaKey{"text", 0, 60.0, "60"}));
}

TEST(MetaKeys, CountOrdinalsOverKeysThatFoldToOne) {
  EXPECT_THAT(metaKeys(R"({"Age": 1, "age": 2})"),
              ElementsAre(MetaKey{"age", 0, 1.0, "1"}, MetaKey{"age", 1, 2.0, "2"}));
}

TEST(MetaKeys, GiveNothingForWhatIsNoObject) {
  for (const char* text : {"", "{}", "[]", "3", "null", "{", "\"x\"", "{\"a\":"})
    EXPECT_THAT(metaKeys(text), IsEmpty());
}

TEST(MetaKeys, KeepToTheirLimits) {
  std::string many = "{";
  for (int i = 0; i < 3000; ++i) many += (i > 0 ? "," : "") + ("\"k" + std::to_string(i)) + "\":1";
  EXPECT_THAT(metaKeys(many + "}"), SizeIs(MetaKeyLimits::rows));
  std::string deep = "1";
  constexpr std::size_t depth = 100000;
  deep = std::string(depth, '[') + deep + std::string(depth, ']');
  EXPECT_THAT(metaKeys("{\"a\":" + deep + "}"), IsEmpty());
  const auto cut = metaKeys("{\"a\":\"" + std::string(189, 'x') + "üü" + "\"}");
  ASSERT_THAT(cut, SizeIs(1));
  EXPECT_EQ(cut.front().text, std::string(189, 'x') + "ü");
}

TEST(MetaKeys, AreQuickWithAMegabyte) {
  const std::string text = "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(metaKeys(text), SizeIs(1));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

}  // namespace
}  // namespace nora
