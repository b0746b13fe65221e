// Segmentations: bits, planes, components, colours. The files are made by tests/formats/make_dicom_overlays.py; their
// voxels are held against pydicom by the table of formats.
#include "image/io/dicom_seg.hpp"
#include "image/io/dicom_seg_components.hpp"
#include "image/io/dicom_seg_geometry.hpp"
#include "image/io/dicom_seg_pixels.hpp"
#include "image/io/dicom_seg_segments.hpp"
#include "image/volume.hpp"
#include "nifti_test_support.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path folder = std::filesystem::path(NORA_TEST_DATA) / "formats" / "dicom_seg";

Bytes bytesOf(const std::string& file) {
  std::ifstream stream(folder / file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

Result<Volume> readBytes(const Bytes& bytes, std::size_t limit = std::size_t{1} << 26) {
  const std::vector<InputFile> inputs{{"file", bytes}};
  testing::CountingSink sink(limit);
  auto image = readDicomSegmentation(inputs, {}, sink);
  if (!image) return tl::make_unexpected(image.error());
  return Volume::create(std::move(image->info), std::move(sink.memory), image->voxelOffset, "file");
}

SegmentMask maskOf(std::size_t pixels, const std::map<std::int64_t, std::vector<std::size_t>>& set) {
  SegmentMask mask(pixels);
  for (const auto& [z, where] : set) {
    for (const std::size_t i : where) SegmentMask::setRun(mask.plane(z), i, i + 1);
  }
  return mask;
}

TEST(SegmentMask, RunsCrossWords) {
  SegmentMask mask(200);
  SegmentMask::setRun(mask.plane(3), 60, 131);
  EXPECT_EQ(mask.count(), 71u);
  SegmentMask::setRun(mask.plane(3), 64, 128);
  EXPECT_EQ(mask.count(), 71u);
  std::vector<std::byte> volume(200 * 4);
  writeMask(mask, 7, VoxelType::uint8, volume);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(volume[600 + i], std::byte(i >= 60 && i < 131 ? 7 : 0)) << i;
    EXPECT_EQ(volume[i], std::byte{0});
  }
}

TEST(SegmentPacking, JoinsTheFirstComponentWithoutOverlap) {
  SegmentPacking packing;
  EXPECT_EQ(packing.components(), 1u);
  EXPECT_EQ(*packing.add(maskOf(100, {{0, {1, 2, 70}}}), ""), 0u);
  EXPECT_EQ(*packing.add(maskOf(100, {{0, {70}}}), ""), 1u);
  EXPECT_EQ(*packing.add(maskOf(100, {{0, {3}}, {1, {70}}}), ""), 0u);
  EXPECT_EQ(*packing.add(maskOf(100, {{0, {1, 70}}}), ""), 2u);
  EXPECT_EQ(*packing.add(maskOf(100, {{1, {70}}}), ""), 1u);
  EXPECT_EQ(packing.components(), 3u);
}

TEST(SegmentPacking, RefusesABottomlessPile) {
  SegmentPacking packing;
  for (std::size_t i = 0; i < SegmentPacking::maxComponents; ++i) ASSERT_TRUE(packing.add(maskOf(8, {{0, {0}}}), ""));
  const auto more = packing.add(maskOf(8, {{0, {0}}}), "file");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::limitExceeded);
}

DicomFrame frameAt(Vec3 position, double between = 0) {
  DicomFrame frame;
  frame.positionLps = position;
  frame.orientationLps = std::array<double, 6>{1, 0, 0, 0, 1, 0};
  frame.pixelSpacing = std::array<double, 2>{0.5, 0.75};
  frame.spacingBetweenSlices = between;
  return frame;
}

TEST(SegGeometry, SparseFramesKeepTheirPlaces) {
  const auto geometry = segGeometry({frameAt({0, 0, 30}, 2.5), frameAt({0, 0, 10}, 2.5), frameAt({0, 0, 15}, 2.5)}, "");
  ASSERT_TRUE(geometry);
  EXPECT_EQ(geometry->planes, 9);
  EXPECT_THAT(geometry->zOf, ElementsAre(8, 0, 2));
  EXPECT_THAT(geometry->warnings, IsEmpty());
  const Vec3 lowest = geometry->worldFromVoxel.point({0, 0, 0}), next = geometry->worldFromVoxel.point({1, 1, 8});
  EXPECT_EQ(lowest, (Vec3{0, 0, 10}));
  EXPECT_NEAR(next[0], -0.75, 1e-12);  // columns are PixelSpacing's second value apart
  EXPECT_NEAR(next[1], -0.5, 1e-12);
  EXPECT_NEAR(next[2], 30, 1e-12);
}

TEST(SegGeometry, AStatedSpacingThatCannotBeIsNotBelieved) {
  // Slices 2.5 mm apart that claim 5: two frames would share a plane.
  const auto geometry = segGeometry({frameAt({0, 0, 0}, 5), frameAt({0, 0, 2.5}, 5), frameAt({0, 0, 7.5}, 5)}, "");
  ASSERT_TRUE(geometry);
  EXPECT_THAT(geometry->zOf, ElementsAre(0, 1, 3));
}

TEST(SegGeometry, UnevenDistancesAreTold) {
  const auto geometry = segGeometry({frameAt({0, 0, 0}), frameAt({0, 0, 2}), frameAt({0, 0, 4.6})}, "");
  ASSERT_TRUE(geometry);
  EXPECT_THAT(geometry->warnings, Contains(HasSubstr("slice spacing varies from 2 to 2.6 mm")));
}

TEST(SegGeometry, PlanesBetweenUnevenSlicesAreOfTheNearestFrame) {
  std::vector<DicomFrame> frames;
  for (const double z : {21, 0, 3, 6, 10, 15}) frames.push_back(frameAt({0, 0, z}));
  const auto geometry = segGeometry(frames, "");
  ASSERT_TRUE(geometry);
  EXPECT_EQ(geometry->planes, 22);
  EXPECT_THAT(geometry->zOf, ElementsAre(21, 0, 3, 6, 10, 15));
  std::vector<int> owners(22, 0);
  for (std::size_t f = 0; f < frames.size(); ++f) {
    for (auto z = geometry->span[f][0]; z <= geometry->span[f][1]; ++z) {
      ++owners[static_cast<std::size_t>(z)];
      EXPECT_LE(std::abs(z - geometry->zOf[f]), 3);
    }
  }
  EXPECT_THAT(owners, ::testing::Each(1));
  EXPECT_EQ(geometry->span[3], (std::array<std::int64_t, 2>{5, 7}));  // of 3, 6, 10: 8 goes up
  EXPECT_THAT(geometry->warnings, Contains(HasSubstr("16 between them are copies of the nearest")));
}

TEST(SegGeometry, ThickSlicesFillThePlanesThatTheyCover) {
  std::vector<DicomFrame> frames;
  for (const double z : {0, 2, 4, 6, 10, 14}) {
    frames.push_back(frameAt({0, 0, z}, 2));
    frames.back().sliceThickness = z < 6 ? 2 : 4;
  }
  const auto geometry = segGeometry(frames, "");
  ASSERT_TRUE(geometry);
  EXPECT_EQ(geometry->planes, 8);
  EXPECT_THAT(geometry->zOf, ElementsAre(0, 1, 2, 3, 5, 7));
  EXPECT_EQ(geometry->span[4], (std::array<std::int64_t, 2>{4, 5}));
  EXPECT_EQ(geometry->span[5], (std::array<std::int64_t, 2>{6, 7}));
}

TEST(SegGeometry, HolesThatNothingExplainsAreTold) {
  const auto warnings = [](double between, double thickness) {
    std::vector<DicomFrame> frames;
    for (const double z : {0, 2, 4, 8, 12}) {
      frames.push_back(frameAt({0, 0, z}, between));
      frames.back().sliceThickness = thickness;
    }
    const auto geometry = segGeometry(frames, "");
    return geometry ? geometry->warnings : std::vector<std::string>{"refused"};
  };
  EXPECT_THAT(warnings(0, 0), ElementsAre(HasSubstr("2 planes between the frames have none")));
  EXPECT_THAT(warnings(2, 0), IsEmpty());
  EXPECT_THAT(warnings(0, 2), IsEmpty());
}

TEST(SegGeometry, FramesThatMakeNoImageAreRefused) {
  auto turned = frameAt({0, 0, 2});
  turned.orientationLps = std::array<double, 6>{0, 1, 0, 0, 0, 1};
  EXPECT_THAT(segGeometry({frameAt({0, 0, 0}), turned}, "").error().what, HasSubstr("not parallel"));
  EXPECT_THAT(segGeometry({frameAt({0, 0, 0}), frameAt({9, 0, 2})}, "").error().what, HasSubstr("side by side"));
  EXPECT_THAT(
      segGeometry({frameAt({0, 0, 0}), frameAt({0, 0, 1}), frameAt({2, 0, 2}), frameAt({0, 0, 3})}, "").error().what,
      HasSubstr("side by side"));
  EXPECT_THAT(segGeometry({frameAt({0, 0, 0}), DicomFrame{}}, "").error().what, HasSubstr("do not say where"));
  EXPECT_EQ(segGeometry({frameAt({0, 0, 0}), frameAt({0, 0, 0.02}), frameAt({0, 0, 1e5})}, "").error().code,
            ErrorCode::limitExceeded);
}

TEST(SegGeometry, AWrongSizeOfPixelsIsRefused) {
  auto frame = frameAt({0, 0, 0});
  frame.pixelSpacing.reset();
  EXPECT_THAT(segGeometry({frame}, "").error().what, HasSubstr("PixelSpacing (0028,0030) is missing"));
  frame.pixelSpacing = {1, 0};
  frame.wrongSpacing = "PixelSpacing (0028,0030) is 1\\0";
  EXPECT_THAT(segGeometry({frameAt({0, 0, 0}), frame}, "").error().what, HasSubstr("is 1\\0"));
}

TEST(SegGeometry, OneFrameWithoutAPlaceIsShownAndTold) {
  const auto geometry = segGeometry({DicomFrame{}}, "");
  ASSERT_TRUE(geometry);
  EXPECT_THAT(geometry->warnings, Contains(HasSubstr("no position in space")));
}

TEST(SegmentColour, IsCielabByD50) {
  using Rgb = std::array<std::uint8_t, 3>;
  EXPECT_EQ(srgbFromDicomLab({65535, 32896, 32896}), (Rgb{255, 255, 255}));
  EXPECT_EQ(srgbFromDicomLab({0, 32896, 32896}), (Rgb{0, 0, 0}));
  // sRGB red, green and blue by the ICC profile of sRGB: Lab (D50) 54.29 80.80 69.89; 87.82 -79.27 80.99; 29.57 68.29
  // -112.03
  const auto lab = [](double l, double a, double b) {
    return srgbFromDicomLab({static_cast<std::uint16_t>(l / 100 * 65535),
                             static_cast<std::uint16_t>((a + 128) / 255 * 65535),
                             static_cast<std::uint16_t>((b + 128) / 255 * 65535)});
  };
  const auto near = [](const Rgb& a, const Rgb& b) {
    return std::abs(a[0] - b[0]) <= 1 && std::abs(a[1] - b[1]) <= 1 && std::abs(a[2] - b[2]) <= 1;
  };
  EXPECT_TRUE(near(lab(54.29, 80.80, 69.89), {255, 0, 0}));
  EXPECT_TRUE(near(lab(87.82, -79.27, 80.99), {0, 255, 0}));
  EXPECT_TRUE(near(lab(29.57, 68.29, -112.03), {0, 0, 255}));
}

TEST(DicomSegmentation, OverlappingSegmentsGoIntoComponents) {
  const auto volume = readBytes(bytesOf("binary_sparse.dcm"));
  ASSERT_TRUE(volume) << describe(volume.error());
  const ImageInfo& info = volume->info();
  EXPECT_EQ(info.dims, (std::array<std::int64_t, 3>{5, 7, 7}));
  EXPECT_EQ(info.type, VoxelType::uint8);
  EXPECT_EQ(info.intent, "label");
  EXPECT_EQ(info.components, 2);
  ASSERT_TRUE(info.labels);
  EXPECT_EQ(info.labels->find(1)->name, "Leber groß");
  EXPECT_TRUE(info.labels->find(1)->hasColour);
  EXPECT_EQ(info.labels->find(3)->rgba, (std::array<std::uint8_t, 4>{255, 255, 255, 255}));
  EXPECT_FALSE(info.labels->find(2)->hasColour);
  using Field = std::pair<std::string, std::string>;
  EXPECT_THAT(info.fields, Contains(Field("sourceSeries", "1.2.826.0.1.3680043.8.498.77.1.1")));
  EXPECT_THAT(info.fields, Contains(Field("frames", "5 on 3 of 7 slices")));
}

TEST(DicomSegmentation, EncodingsOfOneFileGiveTheSameVoxels) {
  const auto plain = readBytes(bytesOf("binary_sparse.dcm"));
  ASSERT_TRUE(plain);
  for (const char* other : {"binary_deflated.dcm", "binary_implicit.dcm"}) {
    const auto volume = readBytes(bytesOf(other));
    ASSERT_TRUE(volume) << other << describe(volume.error());
    for (std::int64_t c = 0; c < 2; ++c) {
      EXPECT_EQ(std::memcmp(volume->frame(0, c), plain->frame(0, c), plain->frameBytes()), 0) << other;
    }
  }
}

TEST(DicomSegmentation, CompressedFramesGiveTheSameVoxels) {
  for (const auto& [plain, compressed] :
       {std::pair{"fractional.dcm", "fractional_rle.dcm"}, std::pair{"labelmap_16.dcm", "labelmap_16_rle.dcm"}}) {
    const auto a = readBytes(bytesOf(plain)), b = readBytes(bytesOf(compressed));
    ASSERT_TRUE(a && b) << plain;
    ASSERT_EQ(a->info().dims, b->info().dims);
    for (std::int64_t c = 0; c < a->info().components; ++c) {
      EXPECT_EQ(std::memcmp(a->frame(0, c), b->frame(0, c), a->frameBytes()), 0) << compressed;
    }
  }
}

TEST(DicomSegmentation, HighSegmentNumbersMakeItWide) {
  const auto volume = readBytes(bytesOf("binary_oblique.dcm"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::uint16);
  EXPECT_EQ(volume->info().labels->find(300)->name, "high number");
}

TEST(DicomSegmentation, FractionsAreValuesFromZeroToOneOfEachSegment) {
  const auto volume = readBytes(bytesOf("fractional.dcm"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().components, 2);
  EXPECT_DOUBLE_EQ(volume->info().slope, 1 / 200.0);
  EXPECT_EQ(volume->info().intent, "probability");
  EXPECT_FALSE(volume->info().labels);
  EXPECT_EQ(volume->value(0, 0, 0, 0, 1), 0);  // the slice that the second segment lacks
  double most = 0;
  for (std::int64_t x = 0; x < 5; ++x) most = std::max(most, volume->value(x, 3, 1, 0, 1));
  EXPECT_GT(most, 0);
  EXPECT_LE(most, 1);
}

TEST(DicomSegmentation, ALabelMapTakesColoursFromItsPalette) {
  const auto volume = readBytes(bytesOf("labelmap_palette.dcm"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().dims[2], 4);
  EXPECT_EQ(volume->info().labels->find(1)->rgba, (std::array<std::uint8_t, 4>{200, 10, 15, 255}));
  EXPECT_EQ(volume->info().labels->find(3)->name, "label 3");
}

TEST(DicomSegmentation, WhatCannotBeRightIsRefused) {
  EXPECT_THAT(readBytes(bytesOf("refused_tiled.dcm")).error().what, HasSubstr("whole-slide"));
  EXPECT_THAT(readBytes(bytesOf("refused_side_by_side.dcm")).error().what, HasSubstr("side by side"));
}

/// The bytes with the first occurrence of `from` replaced.
Bytes replaced(Bytes bytes, const std::string& from, const std::string& to) {
  const auto* pattern = reinterpret_cast<const std::byte*>(from.data());
  const auto at = std::search(bytes.begin(), bytes.end(), pattern, pattern + from.size());
  EXPECT_NE(at, bytes.end());
  std::transform(to.begin(), to.end(), at, [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

TEST(DicomSegmentation, ClaimsThatTheFileCannotHoldAreErrorsBeforeMemoryIsTaken) {
  const Bytes whole = bytesOf("binary_sparse.dcm");
  const std::string frames("\x28\x00\x08\x00IS\x02\x00", 8);
  EXPECT_THAT(readBytes(replaced(whole, frames + "5 ", frames + "99")).error().what, HasSubstr("cut off"));
  const std::string rows("\x28\x00\x10\x00US\x02\x00", 8), columns("\x28\x00\x11\x00US\x02\x00", 8);
  const Bytes tall = replaced(whole, rows, rows + "\xff\xff");
  EXPECT_THAT(readBytes(replaced(tall, columns, columns + "\xff\xff")).error().what, HasSubstr("cut off"));
  EXPECT_FALSE(readBytes(replaced(whole, rows, rows + std::string("\0\0", 2))));
}

TEST(DicomSegmentation, CutAndDamagedFilesAreErrorsOrImages) {
  for (const char* file : {"binary_sparse.dcm", "binary_deflated.dcm", "fractional.dcm", "labelmap_palette.dcm"}) {
    const Bytes whole = bytesOf(file);
    for (std::size_t part = 0; part < 16; ++part) {
      const Bytes cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * part / 16)};
      const auto volume = readBytes(cut);
      EXPECT_FALSE(volume) << file << " cut at " << part << "/16";
      if (!volume) {
        EXPECT_NE(volume.error().code, ErrorCode::internal);
      }
    }
    std::mt19937 random(3);
    for (int round = 0; round < 150; ++round) {
      Bytes mutant = whole;
      for (int flips = 0; flips < 4; ++flips) {
        mutant[random() % mutant.size()] = static_cast<std::byte>(random() % 256);
      }
      const auto volume = readBytes(mutant);
      if (!volume) {
        EXPECT_FALSE(volume.error().what.empty());
        EXPECT_NE(volume.error().code, ErrorCode::internal) << file << " round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace nora
