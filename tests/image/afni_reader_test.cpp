// AFNI datasets and bad ones. Values of real files: images_b.json.
#include "image/io/afni_reader.hpp"

#include "format_file.hpp"
#include "image/io/afni_header.hpp"
#include "image/io/afni_labels.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::formatFile;
using ::testing::HasSubstr;
using testing::numbers;
using ::testing::Pair;

const AfniReader reader;

std::string numbersAttribute(const std::string& name, const std::vector<double>& values) {
  std::string text = "\ntype = float-attribute\nname = " + name + "\ncount = " + std::to_string(values.size()) + "\n";
  for (const double v : values) text += " " + std::to_string(v);
  return text + "\n";
}
std::string textAttribute(const std::string& name, const std::string& value) {
  return "\ntype  = string-attribute\nname  = " + name + "\ncount = " + std::to_string(value.size() + 1) + "\n'" +
         value + "~\n";
}

/// 2 x 1 x 1 of so many sub-bricks, by orientation codes.
std::string header(double type, double bricks = 1) {
  return numbersAttribute("DATASET_RANK", {3, bricks}) + numbersAttribute("DATASET_DIMENSIONS", {2, 1, 1, 0, 0}) +
         numbersAttribute("BRICK_TYPES", std::vector<double>(static_cast<std::size_t>(bricks), type)) +
         numbersAttribute("ORIENT_SPECIFIC", {0, 3, 4}) + numbersAttribute("ORIGIN", {-10, 20, 30}) +
         numbersAttribute("DELTA", {2, -3, 4}) + textAttribute("BYTEORDER_STRING", "LSB_FIRST");
}

Result<Volume> readPair(const std::string& head, const Bytes& brik) {
  const Bytes headBytes = bytesOf(head);
  return testing::readVolume(reader, {{"a+orig.BRIK", brik}, {"a+orig.HEAD", headBytes}});
}

TEST(AfniReader, OrientationCodesGiveThePlaceWithoutAMatrix) {
  const auto volume = readPair(header(0), Bytes(2));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->worldFromVoxel().point({0, 0, 0}), (Vec3{10, -20, 30}));  // LPS to RAS
  EXPECT_EQ(volume->worldFromVoxel().point({1, 1, 1}), (Vec3{8, -17, 34}));   // R-L, A-P, I-S
  EXPECT_EQ(volume->info().affineSource, "ORIENT_SPECIFIC");
}

TEST(AfniReader, TypesBeyondNibabelsAreRead) {
  auto volume = readPair(header(2), numbers<std::int32_t>({-5, 70000}));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 0, 0), 70000);
  volume = readPair(header(5) + numbersAttribute("BRICK_FLOAT_FACS", {2}), numbers<float>({3, 4, 0, -1}));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(0, 0, 0), 10);
  EXPECT_EQ(volume->value(1, 0, 0), 2);
  volume = readPair(header(6), numbers<std::uint8_t>({1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::rgb24);
  EXPECT_EQ(colourAt(*volume, {1, 0, 0}, 0), (std::array<int, 3>{4, 5, 6}));
}

TEST(AfniReader, DifferentFactorsApplyToOneTimePointToo) {
  const Bytes head = bytesOf(header(1, 3) + numbersAttribute("BRICK_FLOAT_FACS", {2, 0, 5}));
  const Bytes brik = numbers<std::int16_t>({1, 2, 3, 4, 5, 6});
  for (std::int64_t t = 0; t < 3; ++t) {
    testing::CountingSink sink;
    const std::vector<InputFile> files{{"a+orig.HEAD", head}, {"a+orig.BRIK", brik}};
    ReadOptions options;
    options.timePoint = t;
    const auto image = reader.read(files, options, sink);
    ASSERT_TRUE(image) << describe(image.error());
    EXPECT_EQ(image->firstTimePoint, t);
    float first = 0;
    std::memcpy(&first, sink.memory.bytes().data(), sizeof first);
    EXPECT_EQ(first, (std::array<float, 3>{2, 3, 25})[static_cast<std::size_t>(t)]);
  }
}

TEST(AfniReader, TimeIsInSecondsWhateverItsUnit) {
  for (const auto& [unit, seconds] : {std::pair{77001.0, 0.002}, {77002.0, 2.0}, {77003.0, 0.0}}) {
    const auto volume = readPair(
        header(0, 2) + numbersAttribute("TAXIS_NUMS", {2, 0, unit}) + numbersAttribute("TAXIS_FLOATS", {0, 2, 0, 0, 0}),
        Bytes(4));
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_DOUBLE_EQ(volume->info().timeStepSeconds, seconds);
  }
}

TEST(AfniReader, SubBricksTellTheirLabelsAndStatistics) {
  auto volume =
      readPair(header(0, 2) + textAttribute("BRICK_LABS", "mean~t~") + textAttribute("BRICK_STATSYM", "none;Ttest(58)"),
               Bytes(4));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_THAT(volume->info().fields, Contains(Pair("sub-brick 1", "t, Ttest(58)")));
  volume = readPair(header(0) + numbersAttribute("BRICK_STATAUX", {0, 4, 2, 3, 60}), Bytes(2));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_THAT(volume->info().fields, Contains(Pair("sub-brick 0", HasSubstr("Ftest(3,60)"))));
  EXPECT_EQ(volume->info().intent, "f test");
}

TEST(AfniReader, LabelTablesAreKept) {
  const auto values = afniValueLabels("<VALUE_LABEL_DTABLE ni_dimen=\"2\" >\n\"2\" \"b c\"\n\"x\" \"y\"\n'1' 'a'\n</V");
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].name, "b c");
  EXPECT_EQ(values[1].value, 1);
  const auto atlas = afniAtlasLabels(
      "<ATLAS_POINT_LIST>\n<ATLAS_POINT\n STRUCT=\"Left\" VAL=\"68\" OKEY=\"9\"/>\n<ATLAS_POINT VAL=\"x\"/>");
  ASSERT_EQ(atlas.size(), 1U);
  EXPECT_EQ(atlas[0].name, "Left");
  EXPECT_EQ(atlas[0].value, 68);
  const Bytes head = formatFile("afni/labels+orig.HEAD");
  const auto summary = reader.peek({"labels+orig.HEAD", head});
  ASSERT_TRUE(summary) << describe(summary.error());
  EXPECT_EQ(summary->header["intent"], "label");
}

TEST(AfniReader, HalvesOfThePairAskForTheOther) {
  const Bytes head = bytesOf(header(0));
  auto volume = testing::readVolume(reader, {{"a+orig.HEAD", head}});
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::notFound);
  volume = testing::readVolume(reader, {{"a+orig.BRIK", head}});
  ASSERT_FALSE(volume);
  EXPECT_THAT(volume.error().what, HasSubstr(".HEAD"));
  volume = testing::readVolume(reader, {{"a+orig.HEAD", head}, {"a+orig.BRIK.bz2", bytesOf("BZh9xyz")}});
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::invalidInput);
}

TEST(AfniReader, HugeClaimsAskForNoMemory) {
  for (const std::vector<double>& dims : {std::vector<double>{1e9, 1e9, 1e9}, {1e6, 1e6, 1}, {1e300, 1, 1}}) {
    const std::string head = header(3) + numbersAttribute("DATASET_DIMENSIONS", dims);
    const Bytes headBytes = bytesOf(head);
    testing::CountingSink sink;
    const Bytes brik(64);
    const std::vector<InputFile> files{{"a+orig.HEAD", headBytes}, {"a+orig.BRIK", brik}};
    EXPECT_FALSE(reader.read(files, {}, sink));
    EXPECT_EQ(sink.asked, 0U);
  }
}

TEST(AfniReader, CutVoxelsAreErrors) {
  const Bytes head = formatFile("afni/factors+orig.HEAD");
  const Bytes brik = formatFile("afni/factors+orig.BRIK");
  testing::expectCutsAreErrors(reader, {{"f+orig.HEAD", head}, {"f+orig.BRIK", brik}}, 1);
  const Bytes packed = formatFile("afni/short+orig.BRIK.gz");
  const Bytes shorts = formatFile("afni/short+orig.HEAD");
  testing::expectCutsAreErrors(reader, {{"s+orig.HEAD", shorts}, {"s+orig.BRIK.gz", packed}}, 1);
}

TEST(AfniReader, CutHeadersAreErrorsOrImages) {
  const Bytes head = formatFile("afni/factors+orig.HEAD");
  const Bytes brik = formatFile("afni/factors+orig.BRIK");
  for (std::size_t size = 0; size < head.size(); size += head.size() / 64) {
    const Bytes cut(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(size));
    testing::survives(reader, {{"f+orig.HEAD", cut}, {"f+orig.BRIK", brik}});
  }
}

TEST(AfniReader, MutantsAreErrorsOrImages) {
  const Bytes head = formatFile("afni/factors+orig.HEAD");
  const Bytes brik = formatFile("afni/factors+orig.BRIK");
  const auto outcomes = testing::mutate(reader, {{"f+orig.HEAD", head}, {"f+orig.BRIK", brik}}, head.size(), 600);
  EXPECT_GT(outcomes.images, 20);
  EXPECT_GT(outcomes.errors, 50);
}

}  // namespace
}  // namespace nora
