// Text of DICOM elements comes from anybody: whatever the bytes, what leaves is valid and harmless.
#include "image/io/dicom_text.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(DicomText, IsTrimmedAndFreeOfControlCharacters) {
  EXPECT_EQ(cleanedText("  Doe^Jane \0"), "Doe^Jane");
  EXPECT_EQ(cleanedText("a\nb\x1b[31mc\x7f"), "ab[31mc");
  EXPECT_EQ(cleanedText("\xC2\x85x"), "x");  // U+0085, a C1 control
  EXPECT_EQ(cleanedText("   "), "");
}

TEST(DicomText, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(cleanedText("\xE5\xB1\xB1 \xF0\x9F\xA7\xA0"), "\xE5\xB1\xB1 \xF0\x9F\xA7\xA0");
  EXPECT_EQ(cleanedText("J\xE9r"), "J\xEF\xBF\xBDr");
  EXPECT_EQ(cleanedText("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong
  EXPECT_EQ(cleanedText("\xED\xA0\x80").find("\xED"), std::string::npos);  // surrogate
  EXPECT_LE(cleanedText(std::string(100'000, 'x')).size(), 1024U);
}

TEST(DicomText, ReadsDecimalStrings) {
  EXPECT_EQ(numberOfText(" +1.5e1 "), 15.0);
  EXPECT_EQ(numberOfText("-0.5"), -0.5);
  EXPECT_EQ(numberOfText("1,5"), std::nullopt);
  EXPECT_EQ(numberOfText("nan"), std::nullopt);
  EXPECT_EQ(numberOfText("1e999"), std::nullopt);
  EXPECT_EQ(numberOfText(""), std::nullopt);
}

TEST(DicomText, HalfWidthKatakanaStandBesideKanji) {
  // The example of PS3.5 H.3.2, with and without the escape sequence of the upper half.
  const std::string text = "\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J";
  const std::string shown = "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎";
  EXPECT_EQ(utf8FromJapanese(text), shown);
  EXPECT_EQ(utf8FromJapanese("\x1b)I" + text), shown);
}

TEST(DicomText, ConvertsJapaneseAndSurvivesBrokenEscapes) {
  EXPECT_TRUE(isJapaneseCodeExtension("\\ISO 2022 IR 87"));
  EXPECT_FALSE(isJapaneseCodeExtension("ISO_IR 100"));
  EXPECT_EQ(utf8FromJapanese("\x1b$B;3ED\x1b(B^x"), "\xE5\xB1\xB1\xE7\x94\xB0^x");
  EXPECT_EQ(utf8FromJapanese("a\xFFz"), "a\xEF\xBF\xBDz");
  for (const char* broken : {"\x1b", "\x1b$", "\x1b$B;", "\x1b$B\xFF\xFF", "\x1b\x1b\x1b"}) {
    EXPECT_LT(utf8FromJapanese(broken).size(), 40U);
  }
}

}  // namespace
}  // namespace nora
