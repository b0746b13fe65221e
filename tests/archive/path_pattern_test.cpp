#include "archive/files/path_pattern.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

std::string placeOf(const std::string& pattern, const std::string& path) {
  const auto parsed = PathPattern::parse(pattern);
  EXPECT_TRUE(parsed) << describe(parsed.error());
  const auto place = parsed ? parsed->match(path) : std::nullopt;
  return place ? place->subject + "|" + place->study : "none";
}

TEST(PathPattern, NamesFoldersOrPartsOfThem) {
  EXPECT_EQ(placeOf("{subject}/{study}", "anna/2024/mr/t1.nii"), "anna|2024");
  EXPECT_EQ(placeOf("{subject}_{study}", "anna_2024_b/t1.nii"), "anna|2024_b");
  EXPECT_EQ(placeOf("raw/{subject}", "raw/anna/t1.nii"), "anna|");
  EXPECT_EQ(placeOf("raw/{subject}", "derived/anna/t1.nii"), "none");
  EXPECT_EQ(placeOf("{study}/{subject}", "wave1/anna/t1.nii"), "anna|wave1");
  EXPECT_EQ(placeOf("*/P?{subject}-*", "x/P1anna-b/t1.nii"), "anna|");
  EXPECT_EQ(placeOf("{subject}.nii*", "anna.nii.gz"), "anna|") << "the file's own name counts";
}

TEST(PathPattern, StarsStandForAnyNumberOfFolders) {
  EXPECT_EQ(placeOf("**/S{subject}/{study}", "a/b/S12/MR/x"), "12|MR");
  EXPECT_EQ(placeOf("**/S{subject}/{study}", "S12/MR/x"), "12|MR");
  EXPECT_EQ(placeOf("a/**/{subject}", "a/b/c/d"), "b|") << "the first that fits";
  EXPECT_EQ(placeOf("**/sub-{subject}", "derivatives/x/sub-01/t1.nii"), "01|");
}

TEST(PathPattern, LettersMayBeAny) {
  EXPECT_EQ(placeOf("?{subject}", "\xC3\xA4nna/x"), "nna|");
  EXPECT_EQ(placeOf("{subject}/{study}", "M\xC3\xBCller/2 (b)/x"), "M\xC3\xBCller|2 (b)");
}

TEST(PathPattern, WrongOnesSayWhatIsWrong) {
  for (const char* wrong :
       {"", "/{subject}", "{subject}/", "a//{subject}", "{study}", "{subject}/{subject}", "{Subject}", "{subject",
        "{subject}{study}{study}", "a}b/{subject}", "*/*/*/*/*/*/*/*/*/*/*/*/*/{subject}"}) {
    const auto parsed = PathPattern::parse(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().where, "pattern");
  }
}

TEST(PathPattern, NoPathTakesLong) {
  const auto pattern = PathPattern::parse("**/**/**/**/**/**/{subject}b*b*b*b*b*b");
  ASSERT_TRUE(pattern);
  std::string path = std::string(60, 'b') + "a";
  for (int n = 0; n < 30; ++n) path += "/" + std::string(60, 'b') + "a";
  EXPECT_FALSE(pattern->match(path));  // the time limit of the test tells
}

}  // namespace
}  // namespace nora
