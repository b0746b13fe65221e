#include "archive/search/query.hpp"
#include "archive/search/query_values.hpp"
#include "search_world.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::HasSubstr;

/// Brackets around everything, to see what binds what.
std::string shape(const Query& query) {
  if (query.kind == Query::Kind::condition || query.kind == Query::Kind::everything) return toText(query);
  if (query.kind == Query::Kind::not_) return "!(" + shape(query.children.front()) + ")";
  std::string text;
  for (const Query& child : query.children) {
    text += (text.empty() ? "" : query.kind == Query::Kind::both ? " & " : " | ") + shape(child);
  }
  return "[" + text + "]";
}

std::string shapeOf(const std::string& text) {
  const auto query = parseQuery(text);
  return query ? shape(*query) : query.error().what;
}

std::string errorOf(const std::string& text) {
  const auto query = parseQuery(text);
  if (query) return "no error: " + toText(*query);
  EXPECT_EQ(query.error().where, "query");
  return query.error().what;
}

Condition conditionOf(const std::string& text) {
  const auto query = parseQuery(text);
  EXPECT_TRUE(query) << text << ": " << query.error().what;
  return query ? query->condition : Condition{};
}

TEST(QueryParser, BindsNotBeforeAndBeforeOr) {
  EXPECT_EQ(shapeOf("a b | c & d"), "[[a & b] | [c & d]]");
  EXPECT_EQ(shapeOf("!a b"), "[!(a) & b]");
  EXPECT_EQ(shapeOf("!(a | b) c"), "[!([a | b]) & c]");
  EXPECT_EQ(shapeOf("a (b | c)(d|e)"), "[a & [b | c] & [d | e]]");
  EXPECT_EQ(shapeOf("!!a"), "!(!(a))");
  EXPECT_EQ(shapeOf("a&b&c"), "[a & b & c]");
  EXPECT_EQ(shapeOf("((a))"), "a");
}

TEST(QueryParser, TakesBlanksForEverything) {
  EXPECT_EQ(parseQuery("")->kind, Query::Kind::everything);
  EXPECT_EQ(parseQuery(" \t\n")->kind, Query::Kind::everything);
  EXPECT_EQ(toText(Query{}), "");
}

TEST(QueryParser, ReadsEveryFormOfTheManual) {
  for (const char* text : {"t1",
                           "*.nii.gz",
                           "sub-0?",
                           "\"two words\"",
                           "tag:checked",
                           "project:demo",
                           "subject:\"Doe, J\"",
                           "study!=ses-2",
                           "modality:MR",
                           "format:nifti",
                           "kind:image",
                           "state:vanished",
                           "sequence:*mprage*",
                           "date:2024",
                           "date:2024-01..2024-06",
                           "date:>=2024-03-01",
                           "dim:4",
                           "dim:256x256x*",
                           "dim:>=3",
                           "spacing:<1.1",
                           "spacing:1x1x2",
                           "spacing:0.5..1",
                           "size:>10M",
                           "size:1k..2Gi",
                           "added:2024-03",
                           "changed:..2024-03-01",
                           "meta.age>60",
                           "meta.group=patient",
                           "meta.scan.tr<=2.5",
                           "subject.meta.age:60..70",
                           "has:meta.age",
                           "has:subject.meta.\"odd key\"",
                           "file.tag:x",
                           "meta.name>=\"M\"",
                           "meta.visit<2024-03",
                           "has:tag",
                           "name=:x",
                           "müller",
                           "meta.größe=1",
                           "!tag:a (b | c)"}) {
    const auto query = parseQuery(text);
    ASSERT_TRUE(query) << text << ": " << query.error().what;
    const auto again = parseQuery(toText(*query));
    ASSERT_TRUE(again) << text << " became " << toText(*query) << ": " << again.error().what;
    EXPECT_EQ(*again, *query) << text << " became " << toText(*query);
  }
}

/// What stands in backquotes in a line.
std::vector<std::string> codeIn(const std::string& line) {
  std::vector<std::string> spans;
  for (auto at = line.find('`'); at != std::string::npos; at = line.find('`', at + 1)) {
    const auto end = line.find('`', at + 1);
    if (end == std::string::npos) break;
    spans.push_back(line.substr(at + 1, end - at - 1));
    at = end;
  }
  return spans;
}

TEST(QueryParser, ReadsTheExamplesOfTheFieldsInTheManual) {
  std::ifstream manual(NORA_SOURCE_DIR "/docs/SEARCH.md");
  bool inFields = false;
  int seen = 0;
  for (std::string line; std::getline(manual, line);) {
    if (line.starts_with("## ")) inFields = line == "## Fields";
    if (!inFields || !line.starts_with("| ")) continue;
    const auto cell = line.find('|', 1);
    for (const std::string& example : codeIn(line.substr(cell, line.find('|', cell + 1) - cell))) {
      EXPECT_TRUE(parseQuery(example)) << example;
      ++seen;
    }
  }
  EXPECT_GE(seen, 20);
  for (const SearchWord& word : searchWords()) EXPECT_TRUE(parseQuery(word.example)) << word.example;
}

TEST(QueryParser, ReadsValuesInTheirUnits) {
  EXPECT_EQ(*conditionOf("size:>10M").operand.number, 10e6);
  EXPECT_EQ(conditionOf("size:>10M").comparison, Comparison::greater);
  EXPECT_EQ(*conditionOf("size=1.5Ki").operand.number, 1536);
  EXPECT_EQ(*conditionOf("size:2GB").operand.number, 2e9);
  EXPECT_EQ(*conditionOf("date:2024-02").operand.date, (SearchDate{2024, 2, 0}));
  EXPECT_EQ(conditionOf("date:2024-01..2024-06").comparison, Comparison::range);
  EXPECT_EQ(conditionOf("date:..2024-06").operand, Operand{});
  EXPECT_EQ(*conditionOf("dim:4").operand.number, 4);
  EXPECT_EQ(conditionOf("dim:256x*").operand.axes->axes.size(), 2U);
  EXPECT_EQ(conditionOf("file.meta.a.b=x").key, "a.b");
  EXPECT_EQ(conditionOf("file.meta.a.b=x").level, Level::file);
  EXPECT_TRUE(conditionOf("meta.a=\"60\"").operand.quoted);
  EXPECT_EQ(*conditionOf("meta.a=-6e1").operand.number, -60);
  EXPECT_EQ(*conditionOf(R"(name:"a\"b\\c\d")").operand.text, R"(a"b\c\d)");
}

TEST(QueryParser, PointsAtTheColumn) {
  EXPECT_EQ(errorOf("ab (cd"), "column 7: expected ) for the ( in column 4");
  EXPECT_THAT(errorOf("müller größe:>x"), HasSubstr("column 8: no field \"größe\"; there are name, path, project"));
  EXPECT_EQ(errorOf("日本 size:>x"),
            "column 10: expected a size like 500k, 10M, 2G or a range like 1M..10M, not \"x\"");
  EXPECT_EQ(errorOf("(tag:a | tag:b"), "column 15: expected ) for the ( in column 1");
  EXPECT_THAT(errorOf("size:>10X"), HasSubstr("column 7: expected a size like 500k, 10M, 2G"));
  EXPECT_THAT(errorOf("date:2024-13"), HasSubstr("column 6: expected a date like 2024, 2024-03 or 2024-03-01"));
  EXPECT_THAT(errorOf("date:2023-02-29"), HasSubstr("column 6: expected a date"));
  EXPECT_EQ(errorOf("a | "), "column 5: expected a word or a condition at the end");
  EXPECT_EQ(errorOf("a )"), "column 3: expected the end or a word, not \")\"");
  EXPECT_EQ(errorOf("tag:"), "column 5: expected a value after tag:");
  EXPECT_EQ(errorOf(":x"), "column 1: expected a field in front of :");
  EXPECT_EQ(errorOf("& a"), "column 1: expected a word or a condition, not \"&\"");
  EXPECT_EQ(errorOf("x \"abc"), "column 7: expected a closing quote for the one in column 3");
  EXPECT_EQ(errorOf("\"\""), "column 1: expected a text between the quotes");
  EXPECT_EQ(errorOf("modality>MR"), "column 9: expected : or = or != after modality, which has no order");
  EXPECT_EQ(errorOf("state:gone"), "column 7: expected present, vanished or broken, not \"gone\"");
  EXPECT_THAT(errorOf("meta>3"), HasSubstr("column 1: expected a key after meta"));
  EXPECT_THAT(errorOf("meta.a>b"), HasSubstr("column 8: expected a number, a date like 2024-03 or a text in quotes"));
  EXPECT_THAT(errorOf("file.size>3"), HasSubstr("column 1: a level may stand only in front of tag and meta"));
  EXPECT_THAT(errorOf("size:2M..1M"), HasSubstr("column 6: expected a range with the smaller value first"));
  EXPECT_THAT(errorOf("has:name"), HasSubstr("column 5: expected something that may be missing"));
  EXPECT_THAT(errorOf("size:1..2..3"), HasSubstr("column 6: expected a size"));
  EXPECT_THAT(errorOf("size:>1..2"), HasSubstr("expected a single value after < and >"));
  EXPECT_THAT(errorOf("size:1e999"), HasSubstr("expected a size"));
  EXPECT_THAT(errorOf("size:-1"), HasSubstr("expected a size"));
  EXPECT_THAT(errorOf("ab\x80"), HasSubstr("column 3: expected text in UTF-8"));
  EXPECT_THAT(errorOf(std::string("a\0b", 3)), HasSubstr("column 2: expected a character"));
  EXPECT_THAT(errorOf("ab\"c\""), HasSubstr("column 3: expected a blank before the quote"));
  EXPECT_EQ(errorOf("meta.\"a b\" c"), "column 11: expected a comparison after the key in quotes");
}

TEST(QueryParser, RefusesWhatIsTooLongOrTooDeep) {
  const auto deep = [](std::size_t depth) { return std::string(depth, '(') + "a" + std::string(depth, ')'); };
  EXPECT_TRUE(parseQuery(deep(SearchLimits::depth)));
  EXPECT_THAT(errorOf(deep(SearchLimits::depth + 1)), HasSubstr("column 33: expected at most 32"));
  EXPECT_THAT(errorOf(std::string(2000, '!') + "a"), HasSubstr("expected at most 32"));
  std::string many = "a";
  for (int i = 1; i < SearchLimits::conditions; ++i) many += " a";
  EXPECT_TRUE(parseQuery(many));
  EXPECT_THAT(errorOf(many + " a"), HasSubstr("expected at most 100 conditions"));
  EXPECT_THAT(errorOf(std::string(SearchLimits::value + 1, 'a')), HasSubstr("at most 500 bytes"));
  EXPECT_THAT(errorOf("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*"), HasSubstr("at most 16 *"));
  const auto long_ = parseQuery(std::string(SearchLimits::text + 1, ' '));
  ASSERT_FALSE(long_);
  EXPECT_EQ(long_.error().code, ErrorCode::limitExceeded);
}

TEST(QueryParser, ComesBackFromTextAsTheSameValue) {
  test::Random random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = test::randomSearch(random);
    const auto query = parseQuery(text);
    if (!query && query.error().what.find("at most") != std::string::npos) continue;
    ASSERT_TRUE(query) << text << ": " << query.error().what;
    const auto again = parseQuery(toText(*query));
    ASSERT_TRUE(again) << text << " became " << toText(*query) << ": " << again.error().what;
    ASSERT_EQ(*again, *query) << text << " became " << toText(*query);
  }
}

TEST(QueryParser, SurvivesDamagedText) {
  test::Random random(11);
  const std::string bits = "()&|!\"\\:=<>.*?x-0129 amü\xC3\x80";
  for (int i = 0; i < 20000; ++i) {
    std::string text = test::randomSearch(random);
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0 && at < text.size()) text.erase(at, 1);
      text.insert(std::min(at, text.size()), 1, bits[random() % bits.size()]);
    }
    const auto query = parseQuery(text);
    if (!query) {
      ASSERT_TRUE(query.error().what.starts_with("column ")) << query.error().what;
      continue;
    }
    const auto again = parseQuery(toText(*query));
    ASSERT_TRUE(again) << text << " became " << toText(*query) << ": " << again.error().what;
    ASSERT_EQ(*again, *query) << text << " became " << toText(*query);
    static_cast<void>(toSql(*query, Level::file, {}, SqlDialect::sqlite));
  }
}

TEST(QueryValues, KnowTheCalendar) {
  EXPECT_EQ(lastDay({2024, 2, 0}), "2024-02-29");
  EXPECT_EQ(lastDay({2023, 2, 0}), "2023-02-28");
  EXPECT_EQ(dayAfter({2024, 12, 31}), "2025-01-01");
  EXPECT_EQ(dayAfter({2024, 0, 0}), "2025-01-01");
  EXPECT_GT(dayAfter({9999, 0, 0}), "9999-12-31");
  EXPECT_EQ(firstMicrosecond({1970, 1, 2}), 86400000000);
  EXPECT_EQ(microsecondAfter({1970, 1, 0}), 31LL * 86400000000);
  EXPECT_FALSE(parseDate("0000"));
  EXPECT_FALSE(parseDate("2024-1"));
  EXPECT_FALSE(parseDate("2024-03-01T10"));
}

TEST(QueryValues, TakeOnlyPlainNumbers) {
  for (const char* text : {"", "-", ".", "1e", "0x10", "inf", "nan", "1 ", "1e999", "--1", "1.2.3"}) {
    EXPECT_FALSE(parseNumber(text)) << text;
  }
  EXPECT_EQ(parseNumber("+1.5e2"), 150.0);
  EXPECT_EQ(parseNumber(".5"), 0.5);
  EXPECT_FALSE(std::signbit(*parseNumber("-0")));
}

}  // namespace
}  // namespace nora
