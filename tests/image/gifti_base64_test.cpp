// Base64 as GIFTI and VTK write it.
#include "image/io/base64.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

Result<std::string> decoded(std::string_view text, std::size_t room = 64) {
  std::vector<std::byte> out(room);
  const auto made = decodeBase64(text, out, "a.gii");
  if (!made) return tl::make_unexpected(made.error());
  return std::string(reinterpret_cast<const char*>(out.data()), *made);
}

TEST(Base64, DecodesTheExamplesOfTheStandard) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_EQ(decoded("Zm9v"), "foo");
  EXPECT_EQ(decoded("Zm9vYg=="), "foob");
  EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
  EXPECT_EQ(decoded("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decoded("+/+/"), "\xfb\xff\xbf");
}

TEST(Base64, SkipsWhiteSpaceAnywhere) {
  EXPECT_EQ(decoded("\n Zm9\r\nvYm\tFy \n"), "foobar");
}

TEST(Base64, TakesTextWithoutPaddingAndTextBehindIt) {
  EXPECT_EQ(decoded("Zm8"), "fo");
  EXPECT_EQ(decoded("Zg==Zm9v"), "ffoo");
  EXPECT_EQ(decoded("Zm8=\nYmFy"), "fobar");
}

TEST(Base64, FillsMemoryOfExactlyTheRightSizeAndNoSmaller) {
  EXPECT_EQ(decoded("Zm9vYmE=", 5), "fooba");
  EXPECT_FALSE(decoded("Zm9vYmE=", 4));
  EXPECT_FALSE(decoded("Zm9v", 2));
  EXPECT_FALSE(decoded("Zg==", 0));
  EXPECT_EQ(mostBase64Bytes(8), 6U);
  EXPECT_EQ(mostBase64Bytes(6), 4U);
  EXPECT_EQ(mostBase64Bytes(7), 5U);
}

TEST(Base64, RefusesOtherCharactersAndCutGroups) {
  EXPECT_FALSE(decoded("Zm9v*m"));
  EXPECT_FALSE(decoded("Zm9vY"));
  EXPECT_FALSE(decoded("Y==="));
  EXPECT_FALSE(decoded(std::string_view("Zm\0v", 4)));
  const auto error = decoded("Zm9v-");
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::invalidInput);
  EXPECT_EQ(error.error().where, "a.gii");
}

}  // namespace
}  // namespace nora
