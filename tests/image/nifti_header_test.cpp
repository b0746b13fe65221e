// What the fields of a NIfTI header mean: dims, scale, transforms, units, texts.
#include "image/io/nifti_header.hpp"

#include "image/io/nifti_layout.hpp"
#include "nifti_test_support.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::NiftiFile;
using testing::smallInt16;

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

Result<NiftiLayout> layoutOf(NiftiFile file) {
  const auto header = parseNiftiHeader(file.bytes(), "a.nii");
  if (!header) return tl::make_unexpected(header.error());
  return describeNifti(*header, "a.nii");
}

ImageInfo infoOf(NiftiFile file) {
  const auto layout = layoutOf(std::move(file));
  EXPECT_TRUE(layout) << describe(layout.error());
  return layout ? layout->info : ImageInfo{};
}

ErrorCode errorOf(NiftiFile file) {
  const auto layout = layoutOf(std::move(file));
  EXPECT_FALSE(layout);
  return layout ? ErrorCode::internal : layout.error().code;
}

NiftiFile withDims(std::vector<std::int64_t> dims) {
  return {2, false, 2, 8, std::move(dims)};
}

TEST(NiftiHeader, FoldsDimensionsBehindTheFifthIntoComponents) {
  const ImageInfo info = infoOf(withDims({5, 4, 3, 2, 3, 2, 2}));
  EXPECT_THAT(info.dims, ElementsAre(5, 4, 3));
  EXPECT_EQ(info.timePoints, 2);
  EXPECT_EQ(info.components, 12);
  EXPECT_THAT(info.warnings, Contains(HasSubstr("components")));
}

TEST(NiftiHeader, AVectorIntentTurnsTheFourthDimensionIntoComponents) {
  for (const int intent : {1006, 1007, 2003}) {
    NiftiFile file = withDims({5, 4, 3, 3});
    file.setIntent(intent);
    EXPECT_EQ(infoOf(file).components, 3);
    EXPECT_EQ(infoOf(file).timePoints, 1);
    EXPECT_EQ(infoOf(file).intent, "vector");
  }
  for (const auto& dims : {std::vector<std::int64_t>{5, 4, 3, 6}, std::vector<std::int64_t>{5, 4, 3, 1, 6}}) {
    NiftiFile tensor = withDims(dims);
    tensor.setIntent(1005);
    EXPECT_EQ(infoOf(tensor).components, 6);
    EXPECT_EQ(infoOf(tensor).timePoints, 1);
    EXPECT_EQ(infoOf(tensor).intent, "tensor");
    EXPECT_THAT(infoOf(tensor).fields, Contains(::testing::Pair("intent", "symmetric matrix")));
  }
  NiftiFile series = withDims({5, 4, 3, 3});
  series.setIntent(2001);
  EXPECT_EQ(infoOf(series).timePoints, 3);
  EXPECT_EQ(infoOf(series).components, 1);
}

TEST(NiftiHeader, ADimensionOfZeroCountsAsOneExceptTheFirst) {
  const ImageInfo info = infoOf(withDims({5, 4, 0, 0}));
  EXPECT_THAT(info.dims, ElementsAre(5, 4, 1));
  EXPECT_EQ(info.warnings.size(), 2U);
  EXPECT_EQ(errorOf(withDims({0, 4, 3})), ErrorCode::invalidInput);
  EXPECT_EQ(errorOf(withDims({5, -4, 3})), ErrorCode::invalidInput);
  EXPECT_EQ(errorOf(withDims({})), ErrorCode::invalidInput);
}

TEST(NiftiHeader, DimensionsThatOverflowAreAnError) {
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_EQ(errorOf(withDims({huge, huge, huge})), ErrorCode::invalidInput);
  EXPECT_EQ(errorOf(withDims({1, 1, 1, 1, huge, huge, huge})), ErrorCode::invalidInput);
  EXPECT_EQ(errorOf(withDims({std::numeric_limits<std::int64_t>::max()})), ErrorCode::invalidInput);
}

TEST(NiftiHeader, ASlopeOfZeroOrNanMeansNoScaling) {
  for (const double slope : {0.0, notANumber, std::numeric_limits<double>::infinity()}) {
    NiftiFile file = smallInt16();
    file.setScale(slope, 45);
    EXPECT_EQ(infoOf(file).slope, 1);
    EXPECT_EQ(infoOf(file).inter, 0);
  }
  NiftiFile file = smallInt16();
  file.setScale(0.5, -3);
  EXPECT_EQ(infoOf(file).slope, 0.5);
  EXPECT_EQ(infoOf(file).inter, -3);
  file.setScale(0.5, notANumber);
  EXPECT_EQ(infoOf(file).inter, 0);
  EXPECT_EQ(infoOf(file).warnings.size(), 1U);
}

TEST(NiftiHeader, UnitsOtherThanMillimetresAreScaled) {
  NiftiFile file = smallInt16();
  file.setSform({0.002, 0, 0, 0.5, 0, 0.002, 0, 0, 0, 0, 0.003, 0});
  file.setUnits(1);
  const ImageInfo metres = infoOf(file);
  EXPECT_NEAR(metres.worldFromVoxel(2, 2), 3, 1e-6);
  EXPECT_NEAR(metres.worldFromVoxel(0, 3), 500, 1e-4);
  EXPECT_THAT(metres.warnings, ElementsAre(HasSubstr("metres")));
  file.setSform({2000, 0, 0, 0, 0, 2000, 0, 0, 0, 0, 2000, 0});
  file.setUnits(3);
  EXPECT_NEAR(infoOf(file).worldFromVoxel(0, 0), 2, 1e-9);
  for (const int millimetresOrUnknown : {0, 2}) {
    file.setUnits(millimetresOrUnknown);
    EXPECT_EQ(infoOf(file).worldFromVoxel(0, 0), 2000);
    EXPECT_TRUE(infoOf(file).warnings.empty());
  }
}

TEST(NiftiHeader, TheTimeStepIsInSeconds) {
  NiftiFile file = withDims({2, 2, 2, 5});
  file.setPixdim(4, 2000);
  const std::vector<std::pair<int, double>> expected{{8, 2000}, {16, 2}, {24, 0.002}, {0, 0}, {32, 0}};
  for (const auto& [units, seconds] : expected) {
    file.setUnits(2 | units);
    EXPECT_DOUBLE_EQ(infoOf(file).timeStepSeconds, seconds) << units;
  }
}

TEST(NiftiHeader, WindowIntentAndDescriptionComeThrough) {
  for (const int version : {1, 2}) {
    NiftiFile file = smallInt16(version);
    file.setWindow(-5, 80);
    file.setIntent(3);
    file.setDescription(" FSL 6\x01.0\xff  ");
    const ImageInfo info = infoOf(file);
    EXPECT_EQ(info.windowLow, -5);
    EXPECT_EQ(info.windowHigh, 80);
    EXPECT_EQ(info.intent, "t test");
    EXPECT_EQ(info.description, printable("FSL 6\x01.0\xff"));
    file.setWindow(80, 80);
    file.setIntent(0);
    EXPECT_FALSE(infoOf(file).windowLow);
    EXPECT_EQ(infoOf(file).intent, "");
  }
}

TEST(NiftiHeader, TheSformComesBeforeTheQform) {
  NiftiFile file = smallInt16();
  file.setForms(1, 2);
  EXPECT_EQ(infoOf(file).affineSource, "sform");
  file.setForms(1, 0);
  EXPECT_EQ(infoOf(file).affineSource, "qform");
  file.setForms(0, 0);
  const ImageInfo guessed = infoOf(file);
  EXPECT_EQ(guessed.affineSource, "pixdim");
  EXPECT_THAT(guessed.warnings, ElementsAre("no orientation in the header: left and right are a guess"));
  EXPECT_EQ(orientationCode(guessed.worldFromVoxel), "LAS");
}

TEST(NiftiHeader, ASingularSformFallsBackToTheQform) {
  for (const double entry : {0.0, notANumber}) {
    NiftiFile file = smallInt16();
    file.setSform({entry, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
    file.setForms(1, 1);
    EXPECT_EQ(infoOf(file).affineSource, "qform");
    EXPECT_THAT(infoOf(file).warnings, ElementsAre(HasSubstr("singular")));
    file.setForms(0, 1);
    EXPECT_EQ(errorOf(file), ErrorCode::invalidInput);
  }
}

TEST(NiftiHeader, AQuaternionFarFromARotationIsAnError) {
  NiftiFile file = smallInt16();
  file.setForms(1, 0);
  file.setQuaternion(0.6, 0.801, 0);
  EXPECT_THAT(infoOf(file).warnings, ElementsAre(HasSubstr("normalised")));
  EXPECT_NEAR(std::abs(determinant(infoOf(file).worldFromVoxel)), 1, 1e-6);
  for (const double bad : {3.0, notANumber}) {
    file.setQuaternion(bad, 0.8, 0);
    EXPECT_EQ(errorOf(file), ErrorCode::invalidInput);
  }
  file.setForms(1, 1);
  EXPECT_EQ(infoOf(file).affineSource, "sform");
}

TEST(NiftiHeader, FormsThatDisagreeAboutLeftAndRightAreReported) {
  NiftiFile file = smallInt16();
  file.setForms(1, 1);
  EXPECT_TRUE(infoOf(file).warnings.empty());
  file.setSform({-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  EXPECT_THAT(infoOf(file).warnings, ElementsAre(HasSubstr("left and right")));
}

TEST(NiftiHeader, AQformThatPutsTheImageElsewhereIsKept) {
  NiftiFile file = smallInt16();
  file.setForms(1, 1);
  file.setSform({1, 0, 0, 0.009, 0, 1, 0, 0, 0, 0, 1, 0});
  EXPECT_TRUE(infoOf(file).fields.empty());
  file.setSform({1, 0, 0, 2.5, 0, 1, 0, 0, 0, 0, 1, 0});
  EXPECT_THAT(infoOf(file).fields, ElementsAre(::testing::Pair("qform", "code 1, mm: 1 0 0 0 | 0 1 0 0 | 0 0 1 0")));
  EXPECT_THAT(infoOf(file).warnings, ElementsAre(HasSubstr("2.5 mm apart; the sform is used")));
  file.setForms(1, 4);  // scanner and MNI: two spaces
  EXPECT_EQ(infoOf(file).fields.size(), 1U);
  EXPECT_TRUE(infoOf(file).warnings.empty());
}

TEST(NiftiHeader, ZeroSpacingIsTakenAsOneMillimetre) {
  NiftiFile file = smallInt16();
  file.setForms(0, 0);
  file.setPixdim(2, 0);
  file.setPixdim(3, notANumber);
  const ImageInfo info = infoOf(file);
  EXPECT_EQ(info.worldFromVoxel(1, 1), 1);
  EXPECT_EQ(info.worldFromVoxel(2, 2), 1);
  EXPECT_EQ(info.warnings.size(), 3U);
}

TEST(NiftiHeader, AnOffsetInsideTheHeaderIsMended) {
  for (const int version : {1, 2}) {
    NiftiFile file = smallInt16(version);
    file.setOffset(0);
    const auto layout = layoutOf(file);
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->offset, version == 1 ? 352U : 544U);
    EXPECT_EQ(layout->info.warnings.size(), 1U);
  }
}

TEST(NiftiHeader, ASenselessOffsetIsAnError) {
  for (const double offset : {352.5, -16.0, 1e15, std::numeric_limits<double>::infinity(), notANumber}) {
    NiftiFile file = smallInt16();
    file.setOffset(offset);
    EXPECT_EQ(errorOf(file), ErrorCode::invalidInput) << offset;
  }
}

TEST(NiftiHeader, AnUnknownDatatypeIsUnsupported) {
  EXPECT_EQ(errorOf(NiftiFile(1, false, 0, 0, {2, 2, 2})), ErrorCode::unsupported);
  EXPECT_EQ(errorOf(NiftiFile(1, false, 3, 16, {2, 2, 2})), ErrorCode::unsupported);
}

TEST(NiftiHeader, AMissingHeaderSizeLeavesTheByteOrderToTheDimensions) {
  for (const int version : {1, 2}) {
    for (const bool bigEndian : {false, true}) {
      NiftiFile file = smallInt16(version, bigEndian);
      file.put<std::int32_t>(0, 0);
      EXPECT_THAT(infoOf(file).dims, ElementsAre(4, 3, 2));
    }
  }
}

}  // namespace
}  // namespace nora
