#include "image/streamline_measure.hpp"
#include "image/tractogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

struct Lines {
  std::vector<float> points;
  std::vector<std::uint64_t> offsets{0};

  void add(std::size_t count) {
    for (std::size_t p = 0; p < count; ++p) {
      const auto n = static_cast<float>(points.size());
      points.insert(points.end(), {std::sin(n) * 50, std::cos(3 * n) * 70 - 20, n / 100});
    }
    offsets.push_back(points.size() / 3);
  }
};

TractogramInfo measureInPieces(const Lines& lines, std::size_t pointsAPiece) {
  TractogramInfo info;
  info.points = static_cast<std::int64_t>(lines.points.size() / 3);
  info.streamlines = static_cast<std::int64_t>(lines.offsets.size() - 1);
  StreamlineMeasure measured(lines.offsets);
  const std::span<const float> all = lines.points;
  for (std::size_t begin = 0; begin < all.size(); begin += 3 * pointsAPiece) {
    measured.add(all.subspan(begin, std::min(3 * pointsAPiece, all.size() - begin)));
  }
  measured.finish(info);
  return info;
}

double lengthOf(const Lines& lines, std::size_t streamline) {
  double length = 0;
  for (std::size_t p = lines.offsets[streamline] + 1; p < lines.offsets[streamline + 1]; ++p) {
    const float* at = &lines.points[3 * p];
    length += std::hypot(at[0] - at[-3], at[1] - at[-2], at[2] - at[-1]);
  }
  return length;
}

TEST(StreamlineMeasure, PiecesOfAnySizeGiveTheBoundsAndLengthsOfTheWhole) {
  Lines lines;
  for (const std::size_t count : {700, 2, 1, 0, 255, 256, 257, 3, 0}) lines.add(count);
  double total = 0, longest = 0;
  for (std::size_t s = 0; s + 1 < lines.offsets.size(); ++s) {
    total += lengthOf(lines, s);
    longest = std::max(longest, lengthOf(lines, s));
  }
  for (const std::size_t piece : {1, 7, 256, 1000, 5000}) {
    const auto info = measureInPieces(lines, piece);
    EXPECT_NEAR(info.lengthMaxMm, longest, longest * 1e-5) << piece;
    EXPECT_NEAR(info.lengthMeanMm, total / 9, total * 1e-5) << piece;
    EXPECT_EQ(info.lengthMinMm, 0) << piece;
    for (std::size_t k = 0; k < 3; ++k) {
      float low = lines.points[k], high = low;
      for (std::size_t i = k; i < lines.points.size(); i += 3) {
        low = std::min(low, lines.points[i]);
        high = std::max(high, lines.points[i]);
      }
      EXPECT_EQ(info.boundsLow[k], low) << piece;
      EXPECT_EQ(info.boundsHigh[k], high) << piece;
    }
    EXPECT_EQ(info.warnings,
              (std::vector<std::string>{"2 streamlines have no points", "1 streamline has one point only"}))
        << piece;
  }
}

TEST(StreamlineMeasure, PointsThatAreNotFiniteAreToldAndNotMeasured) {
  Lines lines;
  for (const std::size_t count : {300, 300, 300}) lines.add(count);
  const double second = lengthOf(lines, 1), third = lengthOf(lines, 2);
  lines.points[10] = std::numeric_limits<float>::quiet_NaN();
  lines.points[599] = -std::numeric_limits<float>::infinity();
  const auto info = measureInPieces(lines, 8192);
  EXPECT_EQ(info.warnings, std::vector<std::string>{"2 of 900 points are not finite numbers"});
  EXPECT_NEAR(info.lengthMinMm, std::min(second, third), 1e-2);
  EXPECT_NEAR(info.lengthMaxMm, std::max(second, third), 1e-2);
  EXPECT_NEAR(info.lengthMeanMm, (second + third) / 2, 1e-2);
  EXPECT_TRUE(std::isfinite(info.boundsLow[1]) && std::isfinite(info.boundsHigh[2]));
}

TEST(StreamlineMeasure, NothingHasNoLength) {
  const auto info = measureInPieces(Lines{}, 8);
  EXPECT_EQ(info.lengthMinMm, 0);
  EXPECT_EQ(info.lengthMeanMm, 0);
  EXPECT_EQ(info.boundsLow, Vec3{});
}

}  // namespace
}  // namespace nora
