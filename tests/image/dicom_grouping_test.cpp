// groupDicom on headers made here: which instances make a volume, in which order, and where it lies.
#include "image/io/dicom_header.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DicomHeader slice(int number, Vec3 positionLps) {
  DicomHeader h;
  h.studyUid = "1.2";
  h.seriesUid = "1.2.3";
  h.sopClassUid = "1.2.840.10008.5.1.4.1.1.4";
  h.sopInstanceUid = "1.2.3." + std::to_string(number);
  h.transferSyntaxUid = "1.2.840.10008.1.2.1";
  h.seriesDescription = "T1";
  h.modality = "MR";
  h.photometric = "MONOCHROME2";
  h.imageType = "ORIGINAL\\PRIMARY\\M\\ND";
  h.instanceNumber = number;
  h.rows = 10;
  h.columns = 20;
  h.bitsAllocated = 16;
  h.hasPixels = true;
  h.positionLps = positionLps;
  h.orientationLps = {1, 0, 0, 0, 1, 0};
  h.pixelSpacing = {2, 3};  // between rows, between columns
  return h;
}

std::vector<DicomHeader> axialSlices(int count, double spacing = 4) {
  std::vector<DicomHeader> headers;
  for (int z = 0; z < count; ++z) headers.push_back(slice(z + 1, {10, 20, 30 + spacing * z}));
  return headers;
}

/// Instance numbers in the order of the stack.
std::vector<std::int64_t> numbers(const std::vector<DicomHeader>& headers, const DicomStack& stack) {
  std::vector<std::int64_t> result;
  for (const auto i : stack.instances) result.push_back(headers[i].instanceNumber);
  return result;
}

Vec3 rounded(const Vec3& v) {
  return {std::round(v[0] * 1e6) / 1e6, std::round(v[1] * 1e6) / 1e6, std::round(v[2] * 1e6) / 1e6};
}

TEST(DicomGrouping, ShuffledSlicesAreSortedAlongTheNormal) {
  auto headers = axialSlices(7);
  std::shuffle(headers.begin(), headers.end(), std::mt19937(1));
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  const auto& stack = grouping.stacks[0];
  EXPECT_THAT(numbers(headers, stack), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(stack.slices, 7);
  EXPECT_EQ(stack.timePoints, 1);
  EXPECT_EQ(stack.depth(), 7);
  EXPECT_THAT(stack.warnings, IsEmpty());
  EXPECT_EQ(stack.label, "T1");
  EXPECT_EQ(stack.seriesUid, "1.2.3");
}

TEST(DicomGrouping, AffineIsInRasWithColumnsAlongX) {
  const auto grouping = groupDicom(axialSlices(3));
  const Affine& a = grouping.stacks.at(0).worldFromVoxel;
  EXPECT_EQ(a.point({0, 0, 0}), (Vec3{-10, -20, 30}));
  EXPECT_EQ(a.direction({1, 0, 0}), (Vec3{-3, 0, 0}));  // along a row: between columns
  EXPECT_EQ(a.direction({0, 1, 0}), (Vec3{0, -2, 0}));  // down a column: between rows
  EXPECT_EQ(a.direction({0, 0, 1}), (Vec3{0, 0, 4}));
}

TEST(DicomGrouping, SpacingComesFromPositionsNotFromThickness) {
  auto headers = axialSlices(3, 5);
  for (auto& h : headers) h.sliceThickness = h.spacingBetweenSlices = 3;
  EXPECT_EQ(groupDicom(headers).stacks.at(0).worldFromVoxel.column(2), (Vec3{0, 0, 5}));
}

TEST(DicomGrouping, ASingleSliceIsAsThickAsItSays) {
  auto headers = axialSlices(1);
  headers[0].sliceThickness = 6;
  EXPECT_EQ(groupDicom(headers).stacks.at(0).worldFromVoxel.column(2), (Vec3{0, 0, 6}));
}

TEST(DicomGrouping, SlicesFromHeadToFeetAscendAllTheSame) {
  auto headers = axialSlices(4, -4);
  const auto grouping = groupDicom(headers);
  EXPECT_THAT(numbers(headers, grouping.stacks.at(0)), ElementsAre(4, 3, 2, 1));
  EXPECT_EQ(grouping.stacks[0].worldFromVoxel.column(2), (Vec3{0, 0, 4}));
  EXPECT_GT(determinant(grouping.stacks[0].worldFromVoxel), 0);
}

TEST(DicomGrouping, CoronalAndSagittalSlicesKeepTheirPlace) {
  std::vector<DicomHeader> headers;
  for (int i = 0; i < 3; ++i) {
    headers.push_back(slice(i + 1, {1, 5.0 * i, 100}));
    headers.back().orientationLps = {1, 0, 0, 0, 0, -1};  // coronal: rows to the left, columns down
  }
  const auto grouping = groupDicom(headers);
  const Affine& a = grouping.stacks.at(0).worldFromVoxel;  // the normal is LPS +y, so RAS -y
  EXPECT_EQ(a.point({0, 0, 0}), (Vec3{-1, 0, 100}));
  EXPECT_EQ(a.point({1, 1, 2}), (Vec3{-4, -10, 98}));
  EXPECT_EQ(orientationCode(a), "LIP");
}

TEST(DicomGrouping, ObliqueSlicesFollowTheirNormal) {
  const double c = std::cos(0.3), s = std::sin(0.3);
  std::vector<DicomHeader> headers;
  for (int i = 0; i < 5; ++i) {
    headers.push_back(slice(5 - i, {1, 2 - 3 * s * i, 3 + 3 * c * i}));
    headers.back().orientationLps = {1, 0, 0, 0, c, s};
  }
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_THAT(numbers(headers, grouping.stacks[0]), ElementsAre(5, 4, 3, 2, 1));
  const Affine& a = grouping.stacks[0].worldFromVoxel;
  EXPECT_EQ(rounded(a.point({0, 0, 4})), rounded({-1, -2 + 12 * s, 3 + 12 * c}));
  EXPECT_EQ(rounded(a.direction({0, 1, 0})), rounded({0, -2 * c, 2 * s}));
  EXPECT_THAT(grouping.stacks[0].warnings, IsEmpty());
}

TEST(DicomGrouping, ATiltedGantryShearsTheAffine) {
  std::vector<DicomHeader> headers;
  for (int i = 0; i < 4; ++i) headers.push_back(slice(i + 1, {0, 1.5 * i, 4.0 * i}));
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_EQ(rounded(grouping.stacks[0].worldFromVoxel.column(2)), (Vec3{0, -1.5, 4}));
  EXPECT_THAT(grouping.stacks[0].warnings, IsEmpty());
}

std::vector<DicomHeader> timeSeries(int slices, int volumes) {
  std::vector<DicomHeader> headers;
  for (int t = 0; t < volumes; ++t) {
    for (int z = 0; z < slices; ++z) headers.push_back(slice(t * slices + z + 1, {0, 0, 2.0 * z}));
  }
  return headers;
}

TEST(DicomGrouping, RepeatedPositionsAreTimePointsInInstanceOrder) {
  auto headers = timeSeries(3, 4);
  std::shuffle(headers.begin(), headers.end(), std::mt19937(2));
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_EQ(grouping.stacks[0].timePoints, 4);
  EXPECT_EQ(grouping.stacks[0].slices, 3);
  EXPECT_THAT(numbers(headers, grouping.stacks[0]), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

TEST(DicomGrouping, TemporalPositionBeatsTimeAndTimeBeatsInstanceNumber) {
  auto headers = timeSeries(2, 3);
  const char* times[] = {"120010", "120000.5", "120005"};
  for (int n = 0; n < 6; ++n) headers[static_cast<std::size_t>(n)].acquisitionTime = times[n / 2];
  EXPECT_THAT(numbers(headers, groupDicom(headers).stacks.at(0)), ElementsAre(3, 4, 5, 6, 1, 2));
  for (int n = 0; n < 6; ++n) headers[static_cast<std::size_t>(n)].temporalPosition = 3 - n / 2;
  EXPECT_THAT(numbers(headers, groupDicom(headers).stacks.at(0)), ElementsAre(5, 6, 3, 4, 1, 2));
}

TEST(DicomGrouping, MidnightDoesNotTurnTimeRound) {
  auto headers = timeSeries(1, 3);
  headers[0].acquisitionTime = "235950";
  headers[1].acquisitionTime = "000010";
  headers[2].acquisitionTime = "000030";
  EXPECT_THAT(numbers(headers, groupDicom(headers).stacks.at(0)), ElementsAre(1, 2, 3));
}

TEST(DicomGrouping, AFragmentOfALastVolumeIsLeftOutAndNamed) {
  auto headers = timeSeries(3, 3);
  headers.resize(7);
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_THAT(numbers(headers, grouping.stacks[0]), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(grouping.stacks[0].warnings, ElementsAre("volume 3 has 1 of 3 slices and is left out"));
}

TEST(DicomGrouping, ALostSliceLeavesItsVolumeAtItsTime) {
  auto headers = timeSeries(3, 3);
  for (int n = 0; n < 9; ++n) headers[static_cast<std::size_t>(n)].temporalPosition = n / 3 + 1;
  headers.erase(headers.begin() + 4);  // the second slice of the second volume
  const auto grouping = groupDicom(headers);
  const DicomStack& stack = grouping.stacks.at(0);
  EXPECT_EQ(stack.timePoints, 3);
  EXPECT_THAT(numbers(headers, stack), ElementsAre(1, 2, 3, 4, 6, 7, 8, 9));
  EXPECT_EQ(stack.frames.size(), 9U);
  EXPECT_EQ(headers[stack.frames[6].instance].instanceNumber, 7);  // the first slice of the third volume
  EXPECT_THAT(stack.absent, ElementsAre(false, false, false, false, true, false, false, false, false));
  EXPECT_THAT(stack.warnings, ElementsAre("volume 2 has 2 of 3 slices; the others are missing and left empty"));
}

TEST(DicomGrouping, CopiesOfAnInstanceAreDropped) {
  auto headers = axialSlices(3);
  headers.push_back(headers[1]);
  const auto grouping = groupDicom(headers);
  EXPECT_EQ(grouping.stacks.at(0).timePoints, 1);
  EXPECT_EQ(grouping.stacks[0].instances.size(), 3U);
  EXPECT_THAT(grouping.stacks[0].warnings, ElementsAre(HasSubstr("1 copy")));
}

TEST(DicomGrouping, SlicesWithOneUidForAllAreNoCopies) {
  auto headers = axialSlices(6);
  for (DicomHeader& header : headers) header.sopInstanceUid = "1.2.3";
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_EQ(grouping.stacks[0].instances.size(), 6U);
  EXPECT_EQ(grouping.stacks[0].timePoints, 1);
  EXPECT_TRUE(grouping.stacks[0].warnings.empty());
}

TEST(DicomGrouping, MissingSlicesLeaveAGapAtTheirPlace) {
  auto headers = axialSlices(9);
  headers.erase(headers.begin() + 3, headers.begin() + 5);
  const auto grouping = groupDicom(headers);
  const auto& stack = grouping.stacks.at(0);
  EXPECT_EQ(stack.slices, 7);
  EXPECT_EQ(stack.depth(), 9);
  EXPECT_THAT(stack.depthOf, ElementsAre(0, 1, 2, 5, 6, 7, 8));
  EXPECT_EQ(stack.worldFromVoxel.column(2), (Vec3{0, 0, 4}));
  EXPECT_THAT(stack.warnings,
              ElementsAre("2 slices are missing (first between 38 and 50 mm along the normal); left empty"));
}

TEST(DicomGrouping, UnevenSpacingIsWarnedOf) {
  auto headers = axialSlices(5);
  (*headers[2].positionLps)[2] += 0.2;
  const auto stack = groupDicom(headers).stacks.at(0);
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("slice spacing varies from 3.8 to 4.2 mm")));
  (*headers[2].positionLps)[2] -= 0.195;
  EXPECT_THAT(groupDicom(headers).stacks.at(0).warnings, IsEmpty());
}

std::vector<DicomHeader> slicesAt(const std::vector<double>& positions) {
  std::vector<DicomHeader> headers;
  for (const double z : positions) headers.push_back(slice(static_cast<int>(headers.size()) + 1, {10, 20, z}));
  return headers;
}

/// The only stack; each slice is no further from its place than `tolerance` mm.
DicomStack onlyStack(const std::vector<DicomHeader>& headers, double tolerance) {
  const auto grouping = groupDicom(headers);
  EXPECT_EQ(grouping.stacks.size(), 1U);
  const DicomStack& stack = grouping.stacks.at(0);
  for (std::size_t i = 0; i < stack.instances.size(); ++i) {
    const double z = static_cast<double>(stack.depthOf.empty() ? static_cast<std::int64_t>(i) : stack.depthOf[i]);
    EXPECT_NEAR(stack.worldFromVoxel.point({0, 0, z})[2], (*headers[stack.instances[i]].positionLps)[2], tolerance);
  }
  return stack;
}

TEST(DicomGrouping, VariableSpacingIsOneImageWithEverySliceAtItsPlace) {
  const auto stack = onlyStack(slicesAt({0, 3, 6, 10, 15, 21}), 1e-9);
  EXPECT_THAT(stack.depthOf, ElementsAre(0, 3, 6, 10, 15, 21));
  EXPECT_THAT(stack.bridged, ElementsAre(true, true, true, true, true));
  EXPECT_THAT(stack.warnings,
              ElementsAre("slice spacing varies from 3 to 6 mm; the image has planes 1 mm apart: 6 are slices of the "
                          "files, 16 between them are interpolated"));
}

TEST(DicomGrouping, ASpacingThatChangesHalfWayIsOneImage) {
  std::vector<double> positions;
  for (int i = 0; i < 12; ++i) positions.push_back(2.5 * i);
  for (int i = 1; i <= 7; ++i) positions.push_back(27.5 + 10 * i);
  const auto stack = onlyStack(slicesAt(positions), 1e-9);
  EXPECT_EQ(stack.depth(), 40);
  EXPECT_EQ(stack.bridged, std::vector<bool>(18, true));
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("varies from 2.5 to 10 mm")));
}

TEST(DicomGrouping, OddSpacingIsTold) {
  const auto stack = onlyStack(slicesAt({0, 2.3, 5.1, 7.77, 12.3, 14.4, 19.9}), 0.5);
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("slice spacing varies from 2.1 to 5.5 mm")));
}

TEST(DicomGrouping, OneLargeGapIsOneImageWithNothingInTheGap) {
  const auto stack = onlyStack(slicesAt({0, 202.5, 203.75, 205}), 1e-9);
  EXPECT_EQ(stack.depth(), 165);
  EXPECT_THAT(stack.bridged, ElementsAre(false, false, false));
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("161 slices are missing (first between 0 and 202.5 mm")));
}

TEST(DicomGrouping, SlabsAtAnOddDistanceAreOneImageWithNothingBetween) {
  const auto stack = onlyStack(slicesAt({30, 34, 38, 42, 531.7, 535.7, 539.7, 543.7}), 0.2);
  EXPECT_THAT(stack.bridged, ElementsAre(true, true, true, false, true, true, true));
  EXPECT_THAT(stack.warnings, testing::Contains(HasSubstr("missing (first between 42 and 531.7 mm")));
}

TEST(DicomGrouping, SlabsThatNeedTooMuchMemoryAreToldApart) {
  auto headers = slicesAt({0, 1, 2, 3, 4, 1004, 1005, 1006});
  for (auto& h : headers) h.rows = h.columns = 512;
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[1].worldFromVoxel.point({0, 0, 0}), (Vec3{-10, -20, 1004}));
  for (const auto& stack : grouping.stacks) {
    EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("shown as 2 images")));
  }
}

TEST(DicomGrouping, SlicesOfAMicroscopeAreNoTimePoints) {
  auto headers = axialSlices(5, 0.006);
  for (auto& h : headers) h.pixelSpacing = {0.005, 0.005};
  const auto stack = groupDicom(headers).stacks.at(0);
  EXPECT_EQ(stack.slices, 5);
  EXPECT_EQ(stack.timePoints, 1);
}

TEST(DicomGrouping, StatedTimePointsMayMoveALittle) {
  auto headers = timeSeries(3, 2);
  for (std::size_t n = 0; n < headers.size(); ++n) {
    headers[n].sliceThickness = 2;
    headers[n].temporalPosition = static_cast<std::int64_t>(n / 3 + 1);
    if (n >= 3) (*headers[n].positionLps)[2] += 0.1;
  }
  const auto stack = groupDicom(headers).stacks.at(0);
  EXPECT_EQ(stack.slices, 3);
  EXPECT_EQ(stack.timePoints, 2);
}

TEST(DicomGrouping, DuplicatesAreTold) {
  auto headers = axialSlices(3);
  headers.push_back(headers[1]);
  headers.back().sopInstanceUid = "1.2.3.99";
  auto stack = groupDicom(headers).stacks.at(0);
  EXPECT_EQ(stack.instances.size(), 3U);
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("1 duplicate (the same place, time and number")));
  headers = axialSlices(1);
  headers.push_back(headers[0]);
  headers.back().sopInstanceUid = "1.2.3.99";
  stack = groupDicom(headers).stacks.at(0);
  EXPECT_EQ(stack.timePoints, 2);
  EXPECT_THAT(stack.warnings, ElementsAre(HasSubstr("probably duplicates")));
}

TEST(DicomGrouping, DixonPartsAreNamedByTheirType) {
  std::vector<DicomHeader> headers;
  for (const char* part : {"W", "F"}) {
    headers.push_back(slice(static_cast<int>(headers.size()), {0, 0, 0}));
    headers.back().imageType = std::string("DERIVED\\PRIMARY\\DIXON\\") + part;
  }
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[0].label, "T1 (F)");
  EXPECT_EQ(grouping.stacks[1].label, "T1 (W)");
}

TEST(DicomGrouping, EchoesAreSeparateStacks) {
  auto headers = axialSlices(3);
  for (int i = 0; i < 3; ++i) {
    headers[static_cast<std::size_t>(i)].echoTime = 4.92;
    headers.push_back(slice(10 + i, {10, 20, 30.0 + 4 * i}));
    headers.back().echoTime = 7.38;
  }
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[0].label, "T1 (echo 1, 4.92 ms)");
  EXPECT_EQ(grouping.stacks[1].label, "T1 (echo 2, 7.38 ms)");
  EXPECT_EQ(grouping.stacks[1].number, 1);
  EXPECT_THAT(numbers(headers, grouping.stacks[1]), ElementsAre(10, 11, 12));
}

TEST(DicomGrouping, PhaseAndMagnitudeAreSeparateStacks) {
  auto headers = axialSlices(2);
  headers.push_back(slice(10, {10, 20, 30}));
  headers.push_back(slice(11, {10, 20, 34}));
  headers[2].imageType = headers[3].imageType = "ORIGINAL\\PRIMARY\\P\\ND";
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[0].label, "T1 (magnitude)");
  EXPECT_EQ(grouping.stacks[1].label, "T1 (phase)");
}

TEST(DicomGrouping, ALocaliserFallsIntoItsThreePlanes) {
  std::vector<DicomHeader> headers;
  const std::array<double, 6> planes[] = {{1, 0, 0, 0, 1, 0}, {1, 0, 0, 0, 0, -1}, {0, 1, 0, 0, 0, -1}};
  for (int n = 0; n < 9; ++n) {
    const double d = 10.0 * (n / 3);
    headers.push_back(slice(n + 1, {d, d, d}));
    headers.back().orientationLps = planes[n % 3];
  }
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 3U);
  EXPECT_EQ(grouping.stacks[0].label, "T1 (axial)");
  EXPECT_EQ(grouping.stacks[1].label, "T1 (coronal)");
  EXPECT_EQ(grouping.stacks[2].label, "T1 (sagittal)");
  for (const auto& stack : grouping.stacks) EXPECT_EQ(stack.slices, 3);
}

TEST(DicomGrouping, SeriesAndSizesAreNotMixed) {
  auto headers = axialSlices(4);
  headers[1].seriesUid = "1.2.4";
  headers[3].rows = 12;
  EXPECT_EQ(groupDicom(headers).stacks.size(), 3U);
}

TEST(DicomGrouping, ImagesWithoutAPlaceStandAlone) {
  auto headers = axialSlices(2);
  for (auto& h : headers) h.positionLps.reset(), h.orientationLps.reset();
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[0].worldFromVoxel.direction({1, 1, 0}), (Vec3{-3, -2, 0}));
  EXPECT_THAT(grouping.stacks[0].warnings, ElementsAre(HasSubstr("no position in space")));
}

TEST(DicomGrouping, ImpossibleGeometryIsRefusedWithItsFieldAndValue) {
  const auto reason = [](std::array<double, 6> orientation, Vec3 position) {
    auto header = slice(1, position);
    header.orientationLps = orientation;
    const auto grouping = groupDicom({header});
    EXPECT_TRUE(grouping.stacks.empty());
    if (grouping.refused.size() != 1) return std::string("not refused");
    EXPECT_EQ(grouping.refused[0].second.code, ErrorCode::invalidInput);
    return grouping.refused[0].second.what;
  };
  EXPECT_THAT(reason({1, 0, 0, 1, 0, 0}, {}),
              HasSubstr("ImageOrientationPatient (0020,0037) is 1\\0\\0\\1\\0\\0: rows"));
  EXPECT_THAT(reason({1, 0, 0, 0.1, 1, 0}, {}), HasSubstr("right angles"));
  EXPECT_THAT(reason({0, 0, 0, 0, 0, 0}, {}), HasSubstr("0\\0\\0\\0\\0\\0: its direction cosines"));
  EXPECT_THAT(reason({1, 0, 0, 0, NAN, 0}, {}), HasSubstr("nan"));
  EXPECT_THAT(reason({1, 0, 0, 0, 1, 0}, {0, 0, 1e30}), HasSubstr("ImagePositionPatient (0020,0032) is 0\\0\\1e+30"));
}

TEST(DicomGrouping, AWrongPixelSpacingIsRefusedWithItsValue) {
  const auto reason = [](std::optional<std::array<double, 2>> spacing) {
    auto headers = axialSlices(1);
    headers[0].pixelSpacing = spacing;
    const auto grouping = groupDicom(headers);
    return grouping.refused.empty() ? std::string("read") : grouping.refused[0].second.what;
  };
  EXPECT_EQ(reason({{0.5, 1}}), "read");
  EXPECT_THAT(reason({{0, 1}}), HasSubstr("PixelSpacing (0028,0030) is 0\\1"));
  EXPECT_THAT(reason({{-1, 1}}), HasSubstr("is -1\\1"));
  EXPECT_THAT(reason({{1, NAN}}), HasSubstr("nan"));
  EXPECT_THAT(reason({{1e9, 1e9}}), HasSubstr("is 1e+09\\1e+09"));
  EXPECT_THAT(reason(std::nullopt), HasSubstr("PixelSpacing (0028,0030) is missing"));
}

TEST(DicomGrouping, AnImageWithoutAPlaceAndASizeIsShownWithOneMillimetre) {
  for (const auto& spacing : {std::optional<std::array<double, 2>>(), {{0, 1}}}) {
    auto headers = axialSlices(1);
    headers[0].positionLps.reset();
    headers[0].orientationLps.reset();
    headers[0].pixelSpacing = spacing;
    const auto grouping = groupDicom(headers);
    ASSERT_EQ(grouping.stacks.size(), 1U);
    EXPECT_THAT(grouping.stacks[0].warnings, Contains(HasSubstr(spacing ? "is 0\\1" : "no pixel spacing is stated")));
    EXPECT_THAT(grouping.stacks[0].warnings, Contains(HasSubstr("1 mm is taken")));
    EXPECT_EQ(grouping.stacks[0].worldFromVoxel.direction({1, 1, 0}), (Vec3{-1, -1, 0}));
  }
}

TEST(DicomGrouping, APlaceThatIsHalfStatedIsNamed) {
  auto headers = axialSlices(1);
  headers[0].orientationLps.reset();
  EXPECT_THAT(groupDicom(headers).stacks.at(0).warnings,
              ElementsAre(HasSubstr("ImageOrientationPatient (0020,0037) is missing")));
  headers = axialSlices(1);
  headers[0].positionLps.reset();
  EXPECT_THAT(groupDicom(headers).stacks.at(0).warnings,
              ElementsAre(HasSubstr("ImagePositionPatient (0020,0032) is missing")));
}

std::string refusal(void (*change)(DicomHeader&)) {
  auto headers = axialSlices(1);
  change(headers[0]);
  const auto grouping = groupDicom(headers);
  if (!grouping.stacks.empty() || grouping.refused.size() != 1) return "not refused";
  EXPECT_EQ(grouping.refused[0].second.code, ErrorCode::unsupported);
  return grouping.refused[0].second.what;
}

TEST(DicomGrouping, WhatCannotBeShownIsRefusedWithTheReason) {
  EXPECT_THAT(refusal([](DicomHeader& h) { h.unsupported = "Siemens mosaic without"; }), HasSubstr("mosaic"));
  EXPECT_THAT(refusal([](DicomHeader& h) { h.hasPixels = false, h.rows = 0; }), HasSubstr("no pixel data"));
  EXPECT_THAT(refusal([](DicomHeader& h) { h.transferSyntaxUid = "1.2.840.10008.1.2.4.102"; }), HasSubstr("MPEG-4"));
  EXPECT_THAT(refusal([](DicomHeader& h) { h.transferSyntaxUid = "1.2.840.10008.1.2.4.110"; }), HasSubstr("JPEG XL"));
  EXPECT_EQ(refusal([](DicomHeader& h) { h.transferSyntaxUid = "1.2.840.10008.1.2.4.91"; }), "not refused");
  EXPECT_EQ(refusal([](DicomHeader& h) { h.transferSyntaxUid = "1.2.840.10008.1.2.4.201"; }), "not refused");
  EXPECT_THAT(refusal([](DicomHeader& h) { h.sopClassUid = "1.2.840.10008.5.1.4.1.1.88.33"; }),
              HasSubstr("structured report"));
  EXPECT_THAT(refusal([](DicomHeader& h) { h.sopClassUid = "1.2.840.10008.5.1.4.1.1.481.5"; }),
              HasSubstr("radiotherapy plan"));
  EXPECT_EQ(refusal([](DicomHeader& h) { h.sopClassUid = "1.2.840.10008.5.1.4.1.1.481.1"; }), "not refused");
}

TEST(DicomGrouping, AFileThatIsCutOffIsRefusedAsDamaged) {
  auto headers = axialSlices(1);
  headers[0].damage = "the pixel data is cut off";
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.refused.size(), 1U);
  EXPECT_EQ(grouping.refused[0].second.code, ErrorCode::invalidInput);
}

/// `slices` places, `volumes` times, in one instance; frame f is volume f % volumes of place f / volumes.
DicomHeader multiFrame(int slices, int volumes) {
  DicomHeader h = slice(1, {0, 0, 0});
  h.positionLps.reset();
  h.frames = slices * volumes;
  h.kinds = {{h.orientationLps, h.pixelSpacing, 4, 0, std::nullopt, h.imageType, "1"}};
  for (int f = 0; f < slices * volumes; ++f) {
    const Vec3 position{10, 20, 30 + 4.0 * (f / volumes)};
    h.places.push_back({0, position, 0, volumes > 1 ? f % volumes + 1 : 0, ""});
  }
  return h;
}

std::vector<std::size_t> frameNumbers(const DicomStack& stack) {
  std::vector<std::size_t> numbers;
  for (const auto& slice : stack.frames) numbers.push_back(slice.frame);
  return numbers;
}

TEST(DicomGrouping, FramesOfOneInstanceAreSortedInSpaceAndTime) {
  auto h = multiFrame(3, 2);
  std::reverse(h.places.begin(), h.places.end());
  const auto grouping = groupDicom({h});
  ASSERT_EQ(grouping.stacks.size(), 1U);
  const auto& stack = grouping.stacks[0];
  EXPECT_EQ(stack.slices, 3);
  EXPECT_EQ(stack.timePoints, 2);
  EXPECT_THAT(frameNumbers(stack), ElementsAre(5, 3, 1, 4, 2, 0));
  EXPECT_THAT(stack.instances, ElementsAre(0));
  EXPECT_EQ(stack.worldFromVoxel.point({0, 0, 2}), (Vec3{-10, -20, 38}));
  EXPECT_EQ(stack.series(), "1.2.3#0");
  EXPECT_EQ(stack.columns, 20);
}

TEST(DicomGrouping, VolumesInFilesOfTheirOwnAreTimePoints) {
  std::vector<DicomHeader> headers(3, multiFrame(4, 1));
  for (std::size_t i = 0; i < 3; ++i) {
    headers[i].sopInstanceUid += std::to_string(i);
    for (auto& place : headers[i].places) place.acquisitionTime = "12000" + std::to_string(9 - i);
  }
  const auto grouping = groupDicom(headers);
  ASSERT_EQ(grouping.stacks.size(), 1U);
  EXPECT_EQ(grouping.stacks[0].timePoints, 3);
  EXPECT_EQ(grouping.stacks[0].frames[0], (DicomSlice{2, 0}));
  EXPECT_THAT(grouping.stacks[0].instances, ElementsAre(2, 1, 0));
}

TEST(DicomGrouping, StacksOfOneFileNameAFrameOfTheirs) {
  auto h = multiFrame(4, 1);
  h.kinds.push_back(h.kinds[0]);
  h.kinds[1].orientationLps = {0, 1, 0, 0, 0, -1};
  h.places[2].kind = h.places[3].kind = 1;
  h.places[2].positionLps = Vec3{0, 0, 0};
  h.places[3].positionLps = Vec3{5, 0, 0};
  const auto grouping = groupDicom({h});
  ASSERT_EQ(grouping.stacks.size(), 2U);
  EXPECT_EQ(grouping.stacks[0].series(), "1.2.3#0@0");
  EXPECT_EQ(grouping.stacks[1].series(), "1.2.3#1@3");
  EXPECT_EQ(grouping.stacks[1].label, "T1 (sagittal)");
}

TEST(DicomGrouping, ACineIsTimePointsOfOneSlice) {
  auto h = slice(1, {0, 0, 0});
  h.positionLps.reset();
  h.frames = 60;
  const auto grouping = groupDicom({h});
  EXPECT_EQ(grouping.stacks.at(0).timePoints, 60);
  EXPECT_EQ(grouping.stacks[0].slices, 1);
  EXPECT_EQ(grouping.stacks[0].frames[59], (DicomSlice{0, 59}));
}

}  // namespace
}  // namespace nora
