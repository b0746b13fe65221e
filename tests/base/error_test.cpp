#include "base/error.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(Error, EveryCodeSurvivesItsName) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(errorCodeFromString(toString(code)), code);
    EXPECT_GE(httpStatus(code), 400);
    EXPECT_NE(exitStatus(code), 0);
  }
}

TEST(Error, DescribeStaysOneLineForHostileNames) {
  const std::string text = describe(Error{ErrorCode::notFound, "no such file", "a\nb\x1b[31m\xff\xc3\xa9.nii"});
  EXPECT_EQ(text, "a\\x0ab\\x1b[31m\\xff\xc3\xa9.nii: no such file");
}

}  // namespace
}  // namespace nora
