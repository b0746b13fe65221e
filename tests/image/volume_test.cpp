#include "image/volume.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::span<const std::byte> bytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

/// value = x + 10 y + 100 z + 1000 t + 10000 c; voxels of 2 x 3 x 4 mm, left-handed.
Volume ramp(VoxelType type = VoxelType::float32) {
  ImageInfo info;
  info.dims = {4, 3, 2};
  info.timePoints = 2;
  info.components = 2;
  info.type = type;
  info.worldFromVoxel.m = {-2, 0, 0, 90, 0, 3, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  std::vector<float> values;
  for (int c = 0; c < 2; ++c) {
    for (int t = 0; t < 2; ++t) {
      for (int i = 0; i < 24; ++i) {
        values.push_back(static_cast<float>(i % 4 + 10 * (i / 4 % 3) + 100 * (i / 12) + 1000 * t + 10000 * c));
      }
    }
  }
  return std::move(*Volume::copyOf(info, bytesOf(values), "ramp"));
}

TEST(Volume, StoresXFastestThenTimeThenComponents) {
  const Volume volume = ramp();
  EXPECT_EQ(volume.value(3, 2, 1), 123);
  EXPECT_EQ(volume.value(1, 0, 0, 1, 0), 1001);
  EXPECT_EQ(volume.value(0, 2, 1, 1, 1), 11120);
  EXPECT_EQ(volume.frameBytes(), 24 * sizeof(float));
  EXPECT_EQ(volume.frame(1, 1) - volume.frame(0), static_cast<std::ptrdiff_t>(3 * volume.frameBytes()));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(volume.frame(0)) % 16, 0u);
}

TEST(Volume, ValueOutsideIsNaN) {
  const Volume volume = ramp();
  for (const auto& v :
       std::vector<std::array<std::int64_t, 5>>{{-1, 0, 0, 0, 0},
                                                {4, 0, 0, 0, 0},
                                                {0, 3, 0, 0, 0},
                                                {0, 0, 2, 0, 0},
                                                {0, 0, 0, 2, 0},
                                                {0, 0, 0, 0, 2},
                                                {0, 0, 0, -1, 0},
                                                {std::numeric_limits<std::int64_t>::max(), 0, 0, 0, 0}}) {
    EXPECT_TRUE(std::isnan(volume.value(v[0], v[1], v[2], v[3], v[4])));
  }
}

TEST(Volume, EveryTypeIsScaledFromItsOwnRange) {
  const auto check = [](auto stored, VoxelType type) {
    ImageInfo info;
    info.type = type;
    info.slope = 0.5;
    info.inter = -3;
    const auto volume = Volume::copyOf(info, std::as_bytes(std::span(&stored, 1)), "one");
    ASSERT_TRUE(volume);
    EXPECT_EQ(volume->value(0, 0, 0), 0.5 * static_cast<double>(stored) - 3) << toString(type);
  };
  check(std::int8_t{-128}, VoxelType::int8);
  check(std::uint8_t{255}, VoxelType::uint8);
  check(std::int16_t{-32768}, VoxelType::int16);
  check(std::uint16_t{65535}, VoxelType::uint16);
  check(std::numeric_limits<std::int32_t>::min(), VoxelType::int32);
  check(std::numeric_limits<std::uint32_t>::max(), VoxelType::uint32);
  check(std::numeric_limits<std::int64_t>::min(), VoxelType::int64);
  check(std::numeric_limits<std::uint64_t>::max(), VoxelType::uint64);
  check(0.1F, VoxelType::float32);
  check(1e300, VoxelType::float64);
}

TEST(Volume, ColourIsReadAsLuminance) {
  ImageInfo info;
  info.dims = {2, 1, 1};
  info.type = VoxelType::rgb24;
  const std::vector<std::uint8_t> values{255, 0, 0, 10, 20, 30};
  const auto volume = Volume::copyOf(info, bytesOf(values), "colour");
  ASSERT_TRUE(volume);
  EXPECT_NEAR(volume->value(0, 0, 0), 0.299 * 255, 1e-12);
  EXPECT_NEAR(volume->value(1, 0, 0), 0.299 * 10 + 0.587 * 20 + 0.114 * 30, 1e-12);
}

TEST(Volume, TrilinearIsExactOnARamp) {
  const Volume volume = ramp();
  EXPECT_NEAR(volume.trilinear({1.25, 0.5, 0.75}), 1.25 + 5 + 75, 1e-9);
  EXPECT_NEAR(volume.trilinear({3, 2, 1}), 123, 1e-9);
  EXPECT_NEAR(volume.trilinear({0.5, 1.5, 0.5}, 1, 1), 0.5 + 15 + 50 + 11000, 1e-9);
}

TEST(Volume, TrilinearClampsHalfAVoxelAndEndsThere) {
  const Volume volume = ramp();
  EXPECT_NEAR(volume.trilinear({-0.5, 0, 0}), 0, 1e-12);
  EXPECT_NEAR(volume.trilinear({3.5, 2.5, 1.5}), 123, 1e-12);
  EXPECT_TRUE(std::isnan(volume.trilinear({-0.51, 0, 0})));
  EXPECT_TRUE(std::isnan(volume.trilinear({0, 2.51, 0})));
  EXPECT_TRUE(std::isnan(volume.trilinear({0, 0, 1e300})));
  EXPECT_TRUE(std::isnan(volume.trilinear({notANumber, 0, 0})));
}

TEST(Volume, NeighbourThatIsNotFiniteCountsOnlyWithWeight) {
  ImageInfo info;
  info.dims = {3, 1, 1};
  info.type = VoxelType::float32;
  const std::vector<float> values{1, 2, std::numeric_limits<float>::infinity()};
  const auto volume = Volume::copyOf(info, bytesOf(values), "v");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->trilinear({1, 0, 0}), 2);
  EXPECT_EQ(volume->trilinear({0.5, 0, 0}), 1.5);
  EXPECT_TRUE(std::isnan(volume->trilinear({1.1, 0, 0})));
}

TEST(Volume, SingleVoxelAndSingleSliceCanBeProbed) {
  ImageInfo info;
  info.type = VoxelType::uint8;
  const std::vector<std::uint8_t> values{7};
  const auto volume = Volume::copyOf(info, bytesOf(values), "v");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->trilinear({0.4, -0.4, 0.5}), 7);
}

TEST(Probe, FindsVoxelAndValueFromMillimetres) {
  const Volume volume = ramp();
  const Probe probe = probeAtMm(volume, {90 - 2 * 1.3, -126 + 3 * 1.6, -72 + 4 * 0.2}, 0);
  EXPECT_EQ(probe.voxel, (std::array<std::int64_t, 3>{1, 2, 0}));
  EXPECT_TRUE(probe.inside);
  EXPECT_EQ(probe.value, 21);
  EXPECT_NEAR(probe.trilinear, 1.3 + 16 + 20, 1e-9);
}

TEST(Probe, HalfWayRoundsAwayFromZero) {
  const Volume volume = ramp();
  EXPECT_EQ(probeAtMm(volume, {90 - 2 * 0.5, -126, -72}, 0).voxel[0], 1);
  EXPECT_EQ(probeAtMm(volume, {90 + 2 * 0.5, -126, -72}, 0).voxel[0], -1);
}

TEST(Probe, OutsideIsSaidAndHasNoValue) {
  const Volume volume = ramp();
  const Probe probe = probeAtMm(volume, {90 + 2, -126, -72}, 0);
  EXPECT_FALSE(probe.inside);
  EXPECT_EQ(probe.voxel[0], -1);
  EXPECT_TRUE(std::isnan(probe.value));
  EXPECT_TRUE(std::isnan(probe.trilinear));
  EXPECT_FALSE(probeAtMm(volume, {1e300, 0, 0}, 0).inside);
}

TEST(Probe, VoxelAndMillimetresAgree) {
  const Volume volume = ramp();
  const Probe byVoxel = probeAtVoxel(volume, {3, 1, 1}, 1, 1);
  EXPECT_EQ(byVoxel.mm, (Vec3{84, -123, -68}));
  EXPECT_EQ(byVoxel.value, 11113);
  const Probe byMm = probeAtMm(volume, byVoxel.mm, 1, 1);
  EXPECT_EQ(byMm.voxel, byVoxel.voxel);
  EXPECT_EQ(byMm.value, byVoxel.value);
  EXPECT_FALSE(probeAtVoxel(volume, {4, 0, 0}, 0).inside);
}

TEST(Volume, RefusesWhatDoesNotHoldItsVoxels) {
  ImageInfo info;
  info.dims = {4, 4, 4};
  const std::vector<std::uint8_t> values(63);
  const auto tooFew = Volume::copyOf(info, bytesOf(values), "short.nii");
  ASSERT_FALSE(tooFew);
  EXPECT_EQ(tooFew.error().code, ErrorCode::invalidInput);
  EXPECT_EQ(tooFew.error().where, "short.nii");
  info.dims = {std::int64_t{1} << 40, std::int64_t{1} << 40, 4};
  EXPECT_FALSE(Volume::copyOf(info, bytesOf(values), "v")) << "overflows";
  info.dims = {0, 1, 1};
  EXPECT_FALSE(Volume::copyOf(info, bytesOf(values), "v"));
  info.dims = {-1, -1, 1};
  EXPECT_FALSE(Volume::copyOf(info, bytesOf(values), "v"));
}

TEST(Volume, RefusesASingularAffine) {
  ImageInfo info;
  info.worldFromVoxel.setColumn(1, {0, 0, 0});
  EXPECT_FALSE(Volume::copyOf(info, bytesOf(std::vector<std::uint8_t>{1}), "v"));
}

TEST(Volume, PaddingBehindTheLastVoxelCanBeRead) {
  const Volume volume = ramp();
  const std::byte* end = volume.frame(1, 1) + volume.frameBytes();
  std::array<std::byte, Volume::paddingBytes> padding{};
  std::memcpy(padding.data(), end, padding.size());
  EXPECT_EQ(volume.memoryBytes(), 4 * volume.frameBytes() + Volume::paddingBytes);
}

TEST(Probe, NowhereIsOutside) {
  const Volume volume = ramp();
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const Probe probe = probeAtMm(volume, {0, bad, 0}, 0);
    EXPECT_FALSE(probe.inside);
    EXPECT_TRUE(std::isnan(probe.value));
    EXPECT_TRUE(std::isnan(probe.trilinear));
  }
}

}  // namespace
}  // namespace nora
