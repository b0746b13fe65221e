// Structure sets: filling by centres, grids, and what is told of what cannot be drawn. The files are made by
// tests/formats/make_dicom_overlays.py; their voxels are held against numpy by the table of formats.
#include "image/io/dicom_rtstruct.hpp"
#include "image/io/dicom_rtstruct_raster.hpp"
#include "image/volume.hpp"
#include "nifti_test_support.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path folder = std::filesystem::path(NORA_TEST_DATA) / "formats" / "dicom_rtstruct";

Bytes bytesOf(const std::string& file) {
  std::ifstream stream(folder / file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

struct Loaded {
  ImageInfo info;
  std::vector<std::uint8_t> voxels;

  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(info.dims[0] * info.dims[1] * info.dims[2]);
  }
  /// Mean place of the voxels of a label, RAS mm, over all components.
  [[nodiscard]] Vec3 centroid(std::uint8_t label) const {
    Vec3 sum{};
    double count = 0;
    for (std::size_t i = 0; i < voxels.size(); ++i) {
      if (voxels[i] != label) continue;
      const auto at = static_cast<std::int64_t>(i % size());
      sum = sum + info.worldFromVoxel.point({static_cast<double>(at % info.dims[0]),
                                             static_cast<double>(at / info.dims[0] % info.dims[1]),
                                             static_cast<double>(at / info.dims[0] / info.dims[1])});
      ++count;
    }
    return sum * (1 / count);
  }
  [[nodiscard]] std::size_t count(std::uint8_t label) const {
    return static_cast<std::size_t>(std::count(voxels.begin(), voxels.end(), label));
  }
};

Result<Loaded> load(const std::vector<Bytes>& contents) {
  std::vector<InputFile> inputs;
  for (std::size_t i = 0; i < contents.size(); ++i) inputs.push_back({"file" + std::to_string(i), contents[i]});
  testing::CountingSink sink;
  auto image = readRtStructureSet(inputs, {}, sink);
  if (!image) return tl::make_unexpected(image.error());
  const auto bytes = sink.memory.bytes().subspan(image->voxelOffset);
  const auto count = *voxelCount(image->info, "") * bytesPerVoxel(image->info.type);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return Loaded{std::move(image->info), {first, first + count}};
}

std::vector<Bytes> phantomWithImages() {
  std::vector<Bytes> contents{bytesOf("phantom.dcm")};
  for (int i = 0; i < 4; ++i) contents.push_back(bytesOf("image_" + std::to_string(i) + ".dcm"));
  return contents;
}

/// 10 x 8 x 4 voxels of 1 mm at the origin.
RtGrid unitGrid() {
  RtGrid grid;
  grid.dims = {10, 8, 4};
  return grid;
}

RtContour flat(std::vector<std::array<double, 2>> points, double z) {
  RtContour contour;
  for (const auto& p : points) contour.points.push_back({p[0], p[1], z});
  return contour;
}

RtDrawing draw(std::vector<RtContour> contours, const RtGrid& grid = unitGrid()) {
  RtRoi roi;
  roi.contours = std::move(contours);
  return drawRoi(roi, grid, *inverse(grid.lpsFromVoxel));
}

/// Columns of one row that are in.
std::vector<int> rowOf(const RtDrawing& drawing, std::int64_t z, std::size_t row, const RtGrid& grid = unitGrid()) {
  std::vector<int> columns;
  const auto plane = drawing.mask.planes().find(z);
  if (plane == drawing.mask.planes().end()) return columns;
  for (int x = 0; x < grid.dims[0]; ++x) {
    const std::size_t i = row * static_cast<std::size_t>(grid.dims[0]) + static_cast<std::size_t>(x);
    if (plane->second[i / 64] >> (i % 64) & 1) columns.push_back(x);
  }
  return columns;
}

TEST(RtDrawing, CentresOnTheLeftAndUpperEdgeAreInOnTheOthersOut) {
  const auto drawing = draw({flat({{2, 1}, {5, 1}, {5, 4}, {2, 4}}, 1)});
  EXPECT_THAT(rowOf(drawing, 1, 0), ElementsAre());
  for (std::size_t row = 1; row < 4; ++row) EXPECT_THAT(rowOf(drawing, 1, row), ElementsAre(2, 3, 4));
  EXPECT_THAT(rowOf(drawing, 1, 4), ElementsAre());
  EXPECT_EQ(drawing.mask.count(), 9u);
}

TEST(RtDrawing, TheDirectionAndTheFirstPointOfAContourDoNotMatter) {
  std::vector<std::array<double, 2>> points{{1, 1}, {7, 2}, {4, 3.5}, {8, 6}, {2, 7}};
  const auto reference = draw({flat(points, 0)});
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::rotate(points.begin(), points.begin() + 1, points.end());
    EXPECT_EQ(draw({flat(points, 0)}).mask.planes(), reference.mask.planes());
    auto reversed = points;
    std::reverse(reversed.begin(), reversed.end());
    EXPECT_EQ(draw({flat(reversed, 0)}).mask.planes(), reference.mask.planes());
  }
}

TEST(RtDrawing, RegionsThatShareAnEdgeNeitherOverlapNorLeaveAGap) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> place(0, 28);
  const auto whole = draw({flat({{-1, -1}, {11, -1}, {11, 9}, {-1, 9}}, 0)});
  ASSERT_EQ(whole.mask.count(), 80u);
  for (int round = 0; round < 200; ++round) {
    // A ragged border from top to bottom, through many centres of voxels.
    std::vector<std::array<double, 2>> border{{place(random) / 3.0, -1}};
    for (int y = 0; y <= 8; ++y) border.push_back({place(random) / 3.0, y - 0.5 * (place(random) % 2)});
    border.push_back({place(random) / 3.0, 9});
    auto left = border, right = border;
    left.insert(left.end(), {{-1, 9}, {-1, -1}});
    right.insert(right.end(), {{11, 9}, {11, -1}});
    const auto a = draw({flat(left, 0)}), b = draw({flat(right, 0)});
    EXPECT_EQ(a.mask.count() + b.mask.count(), 80u);
    SegmentPacking packing;
    ASSERT_TRUE(packing.add(a.mask, ""));
    EXPECT_EQ(*packing.add(b.mask, ""), 0u) << "they overlap";
  }
}

TEST(RtDrawing, AnInnerContourIsAHole) {
  const auto drawing = draw({flat({{0, 0}, {9, 0}, {9, 7}, {0, 7}}, 2), flat({{3, 2}, {3, 5}, {6, 5}, {6, 2}}, 2)});
  EXPECT_THAT(rowOf(drawing, 2, 1), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(rowOf(drawing, 2, 3), ElementsAre(0, 1, 2, 6, 7, 8));
  EXPECT_EQ(drawing.drawn, 2u);
}

TEST(RtDrawing, ContoursOfTwoPlanesInOneSliceAreUnitedNotCancelled) {
  const auto drawing =
      draw({flat({{0, 0}, {6, 0}, {6, 4}, {0, 4}}, 0.75), flat({{2, 0}, {9, 0}, {9, 4}, {2, 4}}, 1.25)});
  EXPECT_THAT(rowOf(drawing, 1, 1), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(RtDrawing, TheSameContourTwiceDoesNotVanish) {
  const auto square = flat({{1, 1}, {4, 1}, {4, 4}, {1, 4}}, 0);
  const auto drawing = draw({square, square});
  EXPECT_EQ(drawing.mask.count(), 9u);
  EXPECT_EQ(drawing.copies, 1u);
}

TEST(RtDrawing, ContoursGoToTheNearestSliceWithinHalfASpacing) {
  const std::vector<std::array<double, 2>> square{{1, 1}, {4, 1}, {4, 4}, {1, 4}};
  EXPECT_EQ(draw({flat(square, -0.49)}).mask.planes().begin()->first, 0);
  EXPECT_EQ(draw({flat(square, 3.49)}).mask.planes().begin()->first, 3);
  EXPECT_EQ(draw({flat(square, -0.51)}).offPlane, 1u);
  EXPECT_EQ(draw({flat(square, 3.5)}).offPlane, 1u);
  auto tilted = flat(square, 1);
  tilted.points[0][2] = 2;
  EXPECT_EQ(draw({tilted}).tilted, 1u);
  EXPECT_EQ(draw({tilted}).mask.count(), 0u);
}

TEST(RtDrawing, WhatReachesBeyondTheImageIsCutAndCounted) {
  const auto drawing = draw({flat({{-5, -5}, {3, -5}, {3, 100}, {-5, 100}}, 0)});
  EXPECT_EQ(drawing.mask.count(), 24u);
  EXPECT_EQ(drawing.outside, 1u);
}

TEST(RtDrawing, AnObliqueCircleHasTheRightArea) {
  RtGrid grid;
  grid.dims = {200, 200, 3};
  const Vec3 row{0.6, 0.8, 0}, column{0, 0, -1}, normal = cross(row, column);
  grid.lpsFromVoxel.setColumn(0, row * 0.5);
  grid.lpsFromVoxel.setColumn(1, column * 0.5);
  grid.lpsFromVoxel.setColumn(2, normal * 2);
  grid.lpsFromVoxel.setColumn(3, {-30, 12, 47});
  RtContour circle;
  for (int i = 0; i < 720; ++i) {
    const double a = std::numbers::pi * i / 360;
    const Vec3 centre = grid.lpsFromVoxel.point({100, 100, 1});
    circle.points.push_back(centre + row * (40 * std::cos(a)) + column * (40 * std::sin(a)));
  }
  const auto drawing = draw({circle}, grid);
  const double area = static_cast<double>(drawing.mask.count()) * 0.25;
  EXPECT_NEAR(area, std::numbers::pi * 1600, 0.002 * area);
  EXPECT_EQ(drawing.mask.planes().begin()->first, 1);
}

TEST(RtStructureSet, IsDrawnOnTheImagesThatCameWithIt) {
  const auto set = load(phantomWithImages());
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(set->info.dims, (std::array<std::int64_t, 3>{20, 16, 4}));
  EXPECT_EQ(set->info.intent, "label");
  EXPECT_EQ(set->info.components, 3);
  EXPECT_THAT(set->info.fields,
              Contains(std::pair<std::string, std::string>("sourceSeries", "1.2.826.0.1.3680043.8.498.77.1.1")));
  ASSERT_TRUE(set->info.labels);
  EXPECT_EQ(set->info.labels->find(1)->name, "left square");
  EXPECT_EQ(set->info.labels->find(1)->rgba, (std::array<std::uint8_t, 4>{255, 0, 0, 255}));
  EXPECT_FALSE(set->info.labels->find(4)->hasColour);
}

TEST(RtStructureSet, LeftStaysLeft) {
  const auto set = load(phantomWithImages());
  ASSERT_TRUE(set);
  // Drawn from x = -20 to -8 and y = -30 to -20 in LPS: right and in front of the origin; z = 0 to 9.
  const Vec3 centre = set->centroid(1);
  EXPECT_NEAR(centre[0], 15, 1.01);  // half a voxel: the left edge is in, the right edge out
  EXPECT_NEAR(centre[1], 26.25, 1.26);
  EXPECT_NEAR(centre[2], 4.5, 1e-9);
  EXPECT_EQ(set->count(1), 6u * 4 * 4);
}

TEST(RtStructureSet, NothingThatIsLostIsLostSilently) {
  const auto set = load(phantomWithImages());
  ASSERT_TRUE(set);
  const auto& warnings = set->info.warnings;
  EXPECT_THAT(warnings, Contains("without contours: empty"));
  EXPECT_THAT(warnings, Contains("points: 1 point not drawn"));
  EXPECT_THAT(warnings, Contains("points: 1 open contour not drawn"));
  EXPECT_THAT(warnings, Contains("off: 1 contour left out: more than half a slice beyond the images"));
  EXPECT_THAT(warnings, Contains("twice: 1 contour left out: there twice"));
  EXPECT_EQ(set->info.fields.size(), 1u + 9u);
}

TEST(RtStructureSet, WithoutItsImagesHasAGridOfItsOwnAndSaysSo) {
  const auto own = load({bytesOf("phantom.dcm")});
  ASSERT_TRUE(own) << describe(own.error());
  EXPECT_THAT(own->info.warnings, Contains(HasSubstr("are not there: drawn on a grid of its own, 0.5 x 0.5 x 3 mm")));
  EXPECT_EQ(orientationCode(own->info.worldFromVoxel), "LPS");
  const Vec3 centre = own->centroid(1);
  EXPECT_NEAR(centre[0], 14, 0.26);
  EXPECT_NEAR(centre[1], 25, 0.26);
}

TEST(RtStructureSet, ImagesOfAnotherSeriesAreNotItsGrid) {
  auto contents = phantomWithImages();
  for (std::size_t i = 1; i < contents.size(); ++i) {
    const std::string from = "498.77.1.1", to = "498.77.9.9";
    for (std::size_t at = 0; at + from.size() < contents[i].size(); ++at) {
      if (std::memcmp(contents[i].data() + at, from.data(), from.size()) == 0)
        std::memcpy(contents[i].data() + at, to.data(), to.size());
    }
  }
  const auto set = load(contents);
  ASSERT_TRUE(set);
  EXPECT_THAT(set->info.warnings, Contains(HasSubstr("drawn on a grid of its own")));
}

TEST(RtStructureSet, NumbersThatAreNoLabelsAreReplaced) {
  const auto set = load({bytesOf("oblique.dcm")});
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(set->info.type, VoxelType::uint8);
  EXPECT_EQ(set->info.labels->find(1)->name, "turned");
  EXPECT_EQ(set->info.labels->find(2)->name, "apart");
  EXPECT_THAT(set->info.fields, Contains(std::pair<std::string, std::string>(
                                    "labels", "counted from 1: a ROI number is below 1 or above 65535")));
}

TEST(RtStructureSet, WithoutClosedContoursIsRefused) {
  const auto set = load({bytesOf("refused_points.dcm")});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::unsupported);
  EXPECT_THAT(set.error().what, HasSubstr("no closed contours"));
}

TEST(RtStructureSet, FarAwayContoursDoNotMakeAHugeGrid) {
  RtStructureSet set;
  set.rois.push_back({});
  set.rois[0].contours = {flat({{0, 0}, {9e4, 0}, {9e4, 9e4}}, 0), flat({{0, 0}, {5, 0}, {5, 5}}, 0.01),
                          flat({{0, 0}, {1e300, 0}, {5, 5}}, 3)};
  const auto grid = chooseGrid(set, std::nullopt);
  ASSERT_TRUE(grid);
  EXPECT_LE(grid->dims[0] * grid->dims[1] * grid->dims[2], 300'000'000);
  set.rois[0].contours.push_back(flat({{0, 0}, {5, 0}, {5, 5}}, 1));
  set.rois[0].contours.push_back(flat({{0, 0}, {5, 0}, {5, 5}}, 9e4));
  set.rois[0].contours.push_back(flat({{0, 0}, {5, 0}, {5, 5}}, 2));
  EXPECT_FALSE(chooseGrid(set, std::nullopt));
}

/// Whatever the bytes: an error with a text, or an image.
void survives(const Bytes& bytes, const std::string& what) {
  const std::vector<InputFile> inputs{{"mutant", bytes}};
  testing::CountingSink sink(std::size_t{1} << 26);
  const auto image = readRtStructureSet(inputs, {}, sink);
  if (image) {
    EXPECT_TRUE(voxelCount(image->info, "")) << what;
  } else {
    EXPECT_FALSE(image.error().what.empty()) << what;
    EXPECT_NE(image.error().code, ErrorCode::internal) << what;
  }
}

TEST(RtStructureSet, CutAndDamagedFilesAreErrorsOrImages) {
  const Bytes whole = bytesOf("oblique.dcm");
  for (std::size_t part = 0; part <= 16; ++part) {
    survives({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * part / 16)},
             "cut at " + std::to_string(part) + "/16");
  }
  std::mt19937 random(11);
  for (int round = 0; round < 150; ++round) {
    Bytes mutant = whole;
    for (int flips = 0; flips < 4; ++flips) {
      mutant[random() % mutant.size()] = static_cast<std::byte>(random() % 256);
    }
    survives(mutant, "round " + std::to_string(round));
  }
}

}  // namespace
}  // namespace nora
