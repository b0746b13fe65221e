#include "streaming/histogram.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace nora {
namespace {

Volume volumeOf(const std::vector<float>& values, std::array<std::int64_t, 3> dims) {
  ImageInfo info;
  info.dims = dims;
  info.type = VoxelType::float32;
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return Volume::copyOf(info, bytes, "test").value();
}

TEST(Histogram, CountsEveryValueOfASmallImage) {
  std::vector<float> ramp(32 * 32 * 16);
  std::iota(ramp.begin(), ramp.end(), 100.0F);
  const Histogram h = histogramOf(volumeOf(ramp, {32, 32, 16}));
  ASSERT_EQ(h.counts.size(), 128U);
  EXPECT_EQ(std::accumulate(h.counts.begin(), h.counts.end(), 0U), ramp.size());
  EXPECT_NEAR(h.low, 100, 10);
  EXPECT_NEAR(h.high, 100 + 16384, 10);
  for (std::size_t i = 1; i + 1 < h.counts.size(); ++i) EXPECT_NEAR(h.counts[i], 128, 2) << i;
}

TEST(Histogram, AFewHotVoxelsDoNotSqueezeTheOthers) {
  std::vector<float> values(64 * 64 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 200);
  for (std::size_t i = 0; i < 20; ++i) values[i * 997] = 1e6F;
  const Histogram h = histogramOf(volumeOf(values, {64, 64, 64}));
  EXPECT_EQ(h.high, 199);
}

TEST(Histogram, IsEvenOverImagesThatAreSampled) {
  // Half of the columns along x are 1: a sample that meets the same columns again and again would not see it.
  std::vector<float> values(128 * 64 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 0.0F : 1.0F;
  const Histogram h = histogramOf(volumeOf(values, {128, 64, 64}));
  EXPECT_NEAR(static_cast<double>(h.counts.back()) / h.counts.front(), 1, 0.05);
}

TEST(Histogram, OneValueIsOneBinAndNoValueIsNone) {
  EXPECT_EQ(histogramOf(volumeOf(std::vector<float>(8, 3.0F), {2, 2, 2})).counts, std::vector<std::uint32_t>{8});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(histogramOf(volumeOf(std::vector<float>(8, nan), {2, 2, 2})).counts.empty());
}

}  // namespace
}  // namespace nora
