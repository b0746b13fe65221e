#include "archive/files/path_text.hpp"

#include "base/utf8.hpp"

#include <random>

#include <gtest/gtest.h>

namespace nora {
namespace {

bool isUtf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto size = utf8Length(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

TEST(PathText, TextStaysAsItIs) {
  EXPECT_EQ(textOfPath("sub-01/M\xC3\xBCller \xE6\x97\xA5.nii"), "sub-01/M\xC3\xBCller \xE6\x97\xA5.nii");
  EXPECT_EQ(textOfPath(""), "");
}

TEST(PathText, OtherBytesBecomeText) {
  EXPECT_EQ(textOfPath("a\xFF"), "a\xEE\xBF\xBF");
  EXPECT_EQ(textOfPath("\x80"), "\xEE\xBE\x80");
  EXPECT_EQ(pathOfText("a\xEE\xBF\xBF"), "a\xFF");
}

TEST(PathText, EveryNameComesBackAndNoTwoAreTheSame) {
  std::mt19937 random(1);
  const std::string letters = "a/\x7F\x80\xBE\xBF\xC3\xEE\xEF\xFF";
  std::uniform_int_distribution<std::size_t> letter(0, letters.size() - 1), length(0, 8);
  for (int n = 0; n < 200'000; ++n) {
    std::string name;
    for (auto left = length(random); left > 0; --left) name += letters[letter(random)];
    const auto text = textOfPath(name);
    ASSERT_TRUE(isUtf8(text));
    ASSERT_EQ(pathOfText(text), name);
  }
}

}  // namespace
}  // namespace nora
