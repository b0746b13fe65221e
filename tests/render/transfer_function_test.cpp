#include "render/scene/transfer_function.hpp"

#include "render/scene/transfer_presets.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace nora {
namespace {

ImageInfo imageWith(double min, double max, double p2, double p98, double background) {
  ImageInfo info;
  info.dims = {10, 10, 10};
  info.statistics = VoxelStatistics{min, max, 0, 1000, 0, p2, p98, background, true, 0, 0};
  return info;
}

std::vector<ImageInfo> allKinds() {
  ImageInfo ct = imageWith(-1024, 1800, -1000, 300, -400);
  ct.modality = "CT";
  ImageInfo softCt = imageWith(-1000, 120, -900, 80, -300);
  softCt.modality = "CT";
  ImageInfo odd = imageWith(0, 100, 0, 90, 30);
  odd.windowLow = -1.7e308;
  odd.windowHigh = 1.7e308;
  ImageInfo unread = imageWith(0, 1, 0, 1, 0);
  unread.statistics.reset();
  return {ct,
          softCt,
          odd,
          unread,
          imageWith(0, 4000, 0, 900, 150),
          imageWith(0, 255, 0, 200, 60),
          imageWith(-9, 12, -3, 4, 0.1),
          imageWith(7, 7, 7, 7, 7),
          imageWith(0, 0, 0, 0, 0),
          imageWith(0, 30000, 0, 0, 0)};
}

double opacityAt(const TransferFunction& transfer, double value) {
  const double place = (value - transfer.window.low) / (transfer.window.high - transfer.window.low);
  const double entry = std::clamp(place, 0.0, 1.0) * (TransferFunction::entries - 1);
  return -std::expm1(-transfer.extinctionPerMm[static_cast<std::size_t>(std::lround(entry))]);
}

TEST(AutomaticTransfer, RisesAndShowsSomethingOfEveryKindOfImage) {
  for (const ImageInfo& info : allKinds()) {
    for (const bool symmetric : {false, true}) {
      Layer layer;
      layer.symmetric = symmetric;
      const auto points = automaticPoints(layer, info);
      ASSERT_GE(points.size(), 2U);
      for (std::size_t i = 1; i < points.size(); ++i) EXPECT_GT(points[i].value, points[i - 1].value) << i;
      EXPECT_GT(points.back().opacity, 0.5);
      for (const auto& point : points) EXPECT_TRUE(point.colour.has_value());
    }
  }
}

TEST(AutomaticTransfer, ShowsBoneOfCtAndBothSignsOfAMapAroundZero) {
  const auto kinds = allKinds();
  const auto ct = makeTransferFunction(Layer(), kinds[0]);
  EXPECT_EQ(opacityAt(ct, -1000), 0);
  EXPECT_EQ(opacityAt(ct, 60), 0) << "soft tissue";
  EXPECT_GT(opacityAt(ct, 400), 0.6);
  const auto skin = makeTransferFunction(Layer(), kinds[1]);
  EXPECT_EQ(opacityAt(skin, -900), 0);
  EXPECT_GT(opacityAt(skin, 40), 0.6) << "there is no bone";
  const auto map = makeTransferFunction(Layer(), kinds[6]);
  EXPECT_EQ(opacityAt(map, 0), 0);
  EXPECT_GT(opacityAt(map, 8), 0.5);
  EXPECT_GT(opacityAt(map, -8), 0.5);
}

TEST(AutomaticTransfer, IsTheSameWhenItIsWrittenDown) {
  for (ImageInfo info : allKinds()) {
    info.worldFromVoxel(0, 0) = 0.4;
    Layer layer;
    const auto automatic = makeTransferFunction(layer, info);
    layer.transfer.points = automaticPoints(layer, info);
    EXPECT_EQ(makeTransferFunction(layer, info), automatic);
  }
}

TEST(AutomaticTransfer, DoesNotFollowTheWindowOfTheSlices) {
  const ImageInfo t1 = allKinds()[4];
  Layer layer;
  const auto before = makeTransferFunction(layer, t1);
  layer.windowLow = 300;
  layer.windowHigh = 500;
  EXPECT_EQ(makeTransferFunction(layer, t1), before);
}

TEST(AutomaticTransfer, ColoursOfOtherMapsAreTheirs) {
  Layer layer;
  layer.colourMap = "hot";
  layer.symmetric = true;
  layer.windowLow = 0;
  layer.windowHigh = 12;
  const auto info = allKinds()[6];
  EXPECT_FALSE(automaticPoints(layer, info)[0].colour.has_value());
  const auto transfer = makeTransferFunction(layer, info);
  const double place = (-4 - transfer.window.low) / (transfer.window.high - transfer.window.low);
  const auto entry = static_cast<std::size_t>(std::lround(place * (TransferFunction::entries - 1)));
  const std::uint32_t colour = transfer.colours[entry];  // 0x00BBGGRR
  EXPECT_GT(colour >> 16, colour & 0xffU) << "negative values are cold";
}

TEST(TransferChoices, AreThoseForTheKindOfImage) {
  const auto ct = transferChoices(Layer(), allKinds()[0]);
  EXPECT_EQ(ct.size(), 6U);
  EXPECT_EQ(ct[0].preset, "");
  EXPECT_EQ(ct[1].preset, "ct-bone");
  EXPECT_EQ(ct[1].points, findTransferPreset("ct-bone")->points);
  const auto mr = transferChoices(Layer(), allKinds()[4]);
  EXPECT_EQ(mr.size(), 5U);
  EXPECT_EQ(mr[1].preset, "mr-t1");
  EXPECT_EQ(mr[1].points.front().value, 0.15 * 900) << "in the image's own units";
}

}  // namespace
}  // namespace nora
