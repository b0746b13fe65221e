#include "image/statistics.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
VoxelStatistics statisticsOf(const std::vector<T>& values, VoxelType type, double slope = 1, double inter = 0) {
  ImageInfo info;
  info.dims = {static_cast<std::int64_t>(values.size()), 1, 1};
  info.type = type;
  info.slope = slope;
  info.inter = inter;
  return computeStatistics(info, std::as_bytes(std::span(values)));
}

/// 32 x 32 x 8 voxels.
VoxelStatistics statisticsOfBlock(const std::vector<std::uint8_t>& values) {
  ImageInfo info;
  info.dims = {32, 32, 8};
  info.type = VoxelType::uint8;
  return computeStatistics(info, std::as_bytes(std::span(values)));
}

TEST(Statistics, PlateausTellLabelMapsFromImages) {
  std::vector<std::uint8_t> labels(32 * 32 * 8, 0);
  std::vector<std::uint8_t> noise(labels.size(), 0);
  std::mt19937 random(5);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t x = i % 32;
    if (x < 4 || x >= 28) continue;  // background
    labels[i] = static_cast<std::uint8_t>(1 + x / 8);
    noise[i] = static_cast<std::uint8_t>(1 + random() % 40);
  }
  EXPECT_NEAR(statisticsOfBlock(labels).plateaus, 1 - 3.0 / 23, 0.2);
  EXPECT_GT(statisticsOfBlock(labels).plateaus, 0.7);
  EXPECT_LT(statisticsOfBlock(noise).plateaus, 0.1);
  EXPECT_EQ(statisticsOfBlock(std::vector<std::uint8_t>(labels.size(), 9)).plateaus, 0) << "nothing but background";
  EXPECT_EQ(statisticsOf(std::vector<float>{0.5F, 0.5F, 0.5F}, VoxelType::float32).plateaus, 0);
}

TEST(Statistics, OfIntegersAreExact) {
  std::vector<std::int16_t> values(100003, 32767);  // sums leave 32 bits, blocks end unevenly
  values[7] = -32768;
  const auto s = statisticsOf(values, VoxelType::int16);
  EXPECT_EQ(s.min, -32768);
  EXPECT_EQ(s.max, 32767);
  EXPECT_DOUBLE_EQ(s.mean, (100002 * 32767.0 - 32768) / 100003);
  EXPECT_EQ(s.finite, 100003U);
  EXPECT_EQ(s.notFinite, 0U);
  EXPECT_TRUE(s.integral);
  EXPECT_EQ(s.distinct, 2U);
}

TEST(Statistics, OfWideIntegersDoNotOverflow) {
  const std::vector<std::uint64_t> values(1000, std::numeric_limits<std::uint64_t>::max());
  const auto s = statisticsOf(values, VoxelType::uint64);
  EXPECT_DOUBLE_EQ(s.mean, 18446744073709551615.0);
  EXPECT_DOUBLE_EQ(s.min, 18446744073709551615.0);
  EXPECT_EQ(s.distinct, 1U);
  const std::vector<std::int64_t> signedValues(1000, std::numeric_limits<std::int64_t>::min());
  EXPECT_DOUBLE_EQ(statisticsOf(signedValues, VoxelType::int64).mean, -9223372036854775808.0);
}

TEST(Statistics, TheMeanOfManyFloatsIsPrecise) {
  std::vector<float> values(3000000);
  std::mt19937 random(3);
  long double sum = 0;
  for (float& v : values) {
    v = static_cast<float>(random()) * 1e-3F + 1e4F;
    sum += static_cast<long double>(v);
  }
  const auto s = statisticsOf(values, VoxelType::float32);
  const auto mean = static_cast<double>(sum / 3000000);
  EXPECT_NEAR(s.mean, mean, 1e-10 * mean);
  EXPECT_FALSE(s.integral);
  EXPECT_EQ(s.distinct, 0U);
}

TEST(Statistics, NanAndInfAreCountedAndLeftOut) {
  for (std::size_t place : {0UL, 5UL, 12UL}) {  // in a lane, and in the rest behind the lanes
    std::vector<double> values(13, 2);
    values[3] = 4;
    values[place] = notANumber;
    values[place == 1 ? 2 : 1] = -infinity;
    const auto s = statisticsOf(values, VoxelType::float64);
    EXPECT_EQ(s.finite, 11U);
    EXPECT_EQ(s.notFinite, 2U);
    EXPECT_EQ(s.min, 2);
    EXPECT_EQ(s.max, 4);
    EXPECT_DOUBLE_EQ(s.mean, 24.0 / 11);
    EXPECT_TRUE(s.integral);
    EXPECT_EQ(s.distinct, 2U);
  }
}

TEST(Statistics, OfNothingFiniteAreZero) {
  const auto s = statisticsOf(std::vector<float>(20, std::numeric_limits<float>::quiet_NaN()), VoxelType::float32);
  EXPECT_EQ(s.finite, 0U);
  EXPECT_EQ(s.notFinite, 20U);
  EXPECT_EQ(s.min, 0);
  EXPECT_EQ(s.max, 0);
  EXPECT_FALSE(s.integral);
}

TEST(Statistics, HugeDoublesStayNumbers) {
  const double huge = std::numeric_limits<double>::max();
  const auto s = statisticsOf(std::vector<double>(5000, huge), VoxelType::float64);
  EXPECT_DOUBLE_EQ(s.mean, huge);
  const auto scaled = statisticsOf(std::vector<double>(50, huge), VoxelType::float64, 10, 0);
  EXPECT_TRUE(std::isfinite(scaled.max));
  EXPECT_TRUE(std::isfinite(scaled.mean));
  for (const double spread : {huge, 1e-310}) {  // ranges that overflow or vanish
    const auto wide = statisticsOf(std::vector<double>{-spread, 0, spread}, VoxelType::float64);
    EXPECT_GE(wide.backgroundLevel, -spread);
    EXPECT_LE(wide.backgroundLevel, spread);
  }
}

TEST(Statistics, AreOfScaledValues) {
  const std::vector<std::uint8_t> values{0, 10, 20, 20};
  const auto s = statisticsOf(values, VoxelType::uint8, -0.5, 100);
  EXPECT_EQ(s.min, 90);
  EXPECT_EQ(s.max, 100);
  EXPECT_EQ(s.mean, 93.75);
  EXPECT_FALSE(s.integral);
  EXPECT_TRUE(statisticsOf(values, VoxelType::uint8, 2, -7).integral);
  EXPECT_EQ(statisticsOf(values, VoxelType::uint8, 2, -7).distinct, 3U);
  const std::vector<float> halves{0.5F, 1.5F, 2.5F};
  EXPECT_TRUE(statisticsOf(halves, VoxelType::float32, 2, 0).integral);
  EXPECT_FALSE(statisticsOf(halves, VoxelType::float32).integral);
}

TEST(Statistics, OfColourAreOfItsLuminance) {
  const std::vector<std::uint8_t> values{255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 10, 10};
  ImageInfo info;
  info.dims = {4, 1, 1};
  info.type = VoxelType::rgb24;
  const auto s = computeStatistics(info, std::as_bytes(std::span(values)));
  EXPECT_DOUBLE_EQ(s.min, 10);
  EXPECT_DOUBLE_EQ(s.max, 0.587 * 255);
  EXPECT_DOUBLE_EQ(s.mean, 265.0 / 4);
  EXPECT_EQ(s.finite, 4U);
  EXPECT_FALSE(s.integral);
}

TEST(Statistics, DistinctValuesAreCountedInEveryType) {
  std::vector<std::int32_t> labels;
  std::vector<float> floats;
  std::vector<double> wide;
  for (int i = 0; i < 6000; ++i) {
    labels.push_back(i % 3000 * 700000);  // far too wide for a table
    floats.push_back(static_cast<float>(i % 70 - 30));
    wide.push_back(i % 9 * 1e12);
  }
  EXPECT_EQ(statisticsOf(labels, VoxelType::int32).distinct, 3000U);
  EXPECT_EQ(statisticsOf(floats, VoxelType::float32).distinct, 70U);
  EXPECT_EQ(statisticsOf(wide, VoxelType::float64).distinct, 9U);
  std::vector<std::uint16_t> many(6000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::uint16_t>(i);
  EXPECT_EQ(statisticsOf(many, VoxelType::uint16).distinct, 0U);
  many.resize(4096);
  EXPECT_EQ(statisticsOf(many, VoxelType::uint16).distinct, 4096U);
}

TEST(Statistics, PercentilesOfARampAreItsRanks) {
  std::vector<std::int32_t> values(1001);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(1000 - i);
  const auto s = statisticsOf(values, VoxelType::int32);
  EXPECT_EQ(s.percentile2, 20);
  EXPECT_EQ(s.percentile98, 980);
}

/// A cube of `n`^3 zeros with a ball of values around `head`, as a brain without its skull.
std::vector<float> ball(int n, float head) {
  std::vector<float> values;
  std::mt19937 random(5);
  for (int z = 0; z < n; ++z) {
    for (int y = 0; y < n; ++y) {
      for (int x = 0; x < n; ++x) {
        const double r = std::hypot(x - n / 2, y - n / 2, z - n / 2);
        values.push_back(r < n / 4.0 ? head + static_cast<float>(random() % 1000) / 10 : 0.F);
      }
    }
  }
  return values;
}

TEST(Statistics, PercentilesLeaveOutAnExactBackground) {
  const auto values = ball(80, 500);  // larger than the sample
  ImageInfo info;
  info.dims = {80, 80, 80};
  info.type = VoxelType::float32;
  const auto s = computeStatistics(info, std::as_bytes(std::span(values)));
  EXPECT_NEAR(s.percentile2, 502, 1);
  EXPECT_NEAR(s.percentile98, 598, 1);
  EXPECT_GT(s.backgroundLevel, 100);
  EXPECT_LT(s.backgroundLevel, 500);
}

TEST(Statistics, TheWindowOfAMaskIsItsTwoValues) {
  std::vector<std::uint8_t> mask(1000, 0);
  std::fill(mask.begin() + 450, mask.begin() + 500, std::uint8_t{1});
  const auto s = statisticsOf(mask, VoxelType::uint8);
  EXPECT_EQ(s.percentile2, 0);
  EXPECT_EQ(s.percentile98, 1);
  EXPECT_DOUBLE_EQ(s.backgroundLevel, 0.5);
}

TEST(Statistics, OneBrightVoxelDoesNotMoveTheThreshold) {
  auto values = ball(40, 500);
  values[0] = 1e30F;
  const auto s = statisticsOf(values, VoxelType::float32);
  EXPECT_GT(s.backgroundLevel, 100);
  EXPECT_LT(s.backgroundLevel, 500);
}

TEST(Statistics, FewerBytesThanClaimedAreNotOverrun) {
  ImageInfo info;
  info.dims = {100, 100, 100};
  info.type = VoxelType::int16;
  const std::vector<std::int16_t> values{1, 2, 3};
  const auto s = computeStatistics(info, std::as_bytes(std::span(values)));
  EXPECT_EQ(s.finite, 3U);
  EXPECT_EQ(s.mean, 2);
  EXPECT_EQ(computeStatistics(info, {}).finite, 0U);
}

}  // namespace
}  // namespace nora
