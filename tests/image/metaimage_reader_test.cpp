// MetaImages made in memory: header fields and their aliases, codings, data files, bad input.
#include "image/io/metaimage_reader.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using testing::counting;
using ::testing::ElementsAre;
using testing::gzipped;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::joined;
using testing::numbers;
using testing::readVolume;

const MetaImageReader reader;

const std::string place = "TransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 10 20 30\nElementSpacing = 1 2 3\n";
const Bytes voxels = numbers(counting<std::int16_t>(24));

std::string header(const std::string& fields = place, const std::string& file = "LOCAL") {
  return "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\n" + fields +
         "ElementType = MET_SHORT\nElementDataFile = " + file + "\n";
}

Bytes zipped(const Bytes& content) {
  Bytes out(compressBound(content.size()));
  auto size = static_cast<uLongf>(out.size());
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()), content.size());
  out.resize(size);
  return out;
}

Result<Volume> read(const Bytes& bytes) {
  return readVolume(reader, {{"a.mha", bytes}});
}

std::string whyNot(const Bytes& bytes) {
  const auto volume = read(bytes);
  return volume ? "" : std::string(toString(volume.error().code)) + ": " + volume.error().what;
}

TEST(MetaImageReader, RowsOfTheMatrixAreDirectionsOfAxesInLps) {
  const auto volume = read(joined(header(), voxels));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->worldFromVoxel().column(0), (Vec3{0, -1, 0}));
  EXPECT_EQ(volume->worldFromVoxel().column(1), (Vec3{2, 0, 0}));
  EXPECT_EQ(volume->worldFromVoxel().column(3), (Vec3{-10, -20, 30}));
  EXPECT_EQ(volume->value(1, 2, 1), 21);
  EXPECT_THAT(volume->info().warnings, IsEmpty());
}

TEST(MetaImageReader, FieldsHaveAliasesAndAnyCase) {
  const auto volume =
      read(joined(header("Rotation = 0 1 0 -1 0 0 0 0 1\nposition = 10 20 30\nElementSize: 1 2 3\n"), voxels));
  const auto other = read(joined(header(), voxels));
  ASSERT_TRUE(volume && other);
  EXPECT_EQ(volume->worldFromVoxel(), other->worldFromVoxel());
}

TEST(MetaImageReader, TheCentreOfRotationMovesNothing) {
  const auto volume = read(joined(header(place + "CenterOfRotation = 5 6 7\nAnatomicalOrientation = LPI\n"), voxels));
  const auto other = read(joined(header(), voxels));
  ASSERT_TRUE(volume && other);
  EXPECT_EQ(volume->worldFromVoxel(), other->worldFromVoxel());
}

TEST(MetaImageReader, WithoutAMatrixTheAxesAreLpsWithAWarning) {
  const auto volume = read(joined(header("ElementSpacing = 1 2 3\n"), voxels));
  ASSERT_TRUE(volume);
  EXPECT_EQ(orientationCode(volume->worldFromVoxel()), "LPS");
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("LPS")));
}

TEST(MetaImageReader, BigEndianIsSaidByEitherName) {
  for (const char* field : {"BinaryDataByteOrderMSB = True\n", "ElementByteOrderMSB = True\n"}) {
    const auto volume = read(joined(header(place + field), numbers(counting<std::int16_t>(24), true)));
    ASSERT_TRUE(volume);
    EXPECT_EQ(volume->value(3, 2, 1), 23) << field;
  }
}

TEST(MetaImageReader, CompressedVoxelsAreZlibOrGzip) {
  for (const Bytes& packed : {zipped(voxels), gzipped(voxels)}) {
    const auto volume = read(joined(header(place + "CompressedData = True\n"), packed));
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_EQ(volume->value(3, 2, 1), 23);
  }
  Bytes behind = joined(
      header(place + "CompressedData = True\nCompressedDataSize = " + std::to_string(zipped(voxels).size()) + "\n"),
      zipped(voxels));
  behind.resize(behind.size() + 20);
  EXPECT_TRUE(read(behind));
}

TEST(MetaImageReader, TextVoxelsAreRead) {
  std::string text;
  for (int i = 0; i < 24; ++i) text += std::to_string(-i) + (i % 4 == 3 ? "\n" : " ");
  const auto volume = read(joined(header(place + "BinaryData = False\n"), bytesOf(text)));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(3, 2, 1), -23);
}

TEST(MetaImageReader, ChannelsAreColourOrPlanarComponents) {
  const std::string head = "NDims = 2\nDimSize = 2 1\nElementNumberOfChannels = 3\n";
  const auto colour = read(
      joined(head + "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n", numbers<std::uint8_t>({1, 2, 3, 4, 5, 6})));
  ASSERT_TRUE(colour) << describe(colour.error());
  EXPECT_EQ(colourAt(*colour, {1, 0, 0}, 0), (std::array<int, 3>{4, 5, 6}));
  const auto vector = read(
      joined(head + "ElementType = MET_FLOAT_ARRAY\nElementDataFile = LOCAL\n", numbers<float>({1, 2, 3, 4, 5, 6})));
  ASSERT_TRUE(vector) << describe(vector.error());
  EXPECT_EQ(vector->info().components, 3);
  EXPECT_EQ(vector->value(1, 0, 0, 0, 2), 6);
}

TEST(MetaImageReader, TheFourthAxisIsTimeTheFifthComponents) {
  const auto volume = read(joined("NDims = 5\nDimSize = 2 1 1 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
                                  numbers(counting<std::uint8_t>(8))));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().timePoints, 2);
  EXPECT_EQ(volume->value(1, 0, 0, 1, 1), 7);
}

TEST(MetaImageReader, HeaderSizeSkipsOrCountsFromTheEnd) {
  const Bytes front = bytesOf(header(place + "HeaderSize = 5\n", "a.raw"));
  const Bytes back = bytesOf(header(place + "HeaderSize = -1\n", "a.raw"));
  const Bytes data = joined("12345", voxels);
  for (const Bytes& head : {front, back}) {
    const auto volume = readVolume(reader, {{"a.mhd", head}, {"a.raw", data}});
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_EQ(volume->value(3, 2, 1), 23);
  }
}

TEST(MetaImageReader, PeekNamesTheDataFiles) {
  const auto parts = [](const std::string& file) {
    const Bytes bytes = bytesOf(header(place, file));
    const auto summary = reader.peek({"a.mhd", bytes});
    return summary ? summary->parts : std::vector<std::string>{describe(summary.error())};
  };
  EXPECT_THAT(parts("my data.raw"), ElementsAre("my data.raw"));
  EXPECT_THAT(parts("LIST\na.raw\nb.raw"), ElementsAre("a.raw", "b.raw"));
  EXPECT_THAT(parts("s%02d.raw 1 2 1"), ElementsAre("s01.raw", "s02.raw"));
  EXPECT_THAT(parts("s%d.raw 1 2000000000 1"), ElementsAre(HasSubstr("65536")));
  EXPECT_THAT(parts("LOCAL"), ElementsAre(HasSubstr("cut short")));
}

TEST(MetaImageReader, ListedSlicesAreJoined) {
  const Bytes head = bytesOf(header(place, "LIST\none.raw\ntwo.raw\n"));
  const Bytes one(voxels.begin(), voxels.begin() + 24);
  const Bytes two(voxels.begin() + 24, voxels.end());
  const auto volume = readVolume(reader, {{"a.mhd", head}, {"two.raw", two}, {"one.raw", one}});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(3, 2, 1), 23);
  const auto without = readVolume(reader, {{"a.mhd", head}, {"two.raw", two}});
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::notFound);
}

TEST(MetaImageReader, AnIntensityFunctionIsToldAndNotApplied) {
  const auto volume = read(joined(header(place + "ElementToIntensityFunctionSlope = 2\n"), voxels));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->value(3, 2, 1), 23);
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("intensity function")));
}

TEST(MetaImageReader, WhatIsNoImageIsRefusedWithTheReason) {
  EXPECT_THAT(whyNot(bytesOf("ObjectType = Tube\nNDims = 3\nElementDataFile = LOCAL\n")), HasSubstr("type Tube"));
  EXPECT_THAT(whyNot(bytesOf("NDims = 2\nDimSize = 1 1\nElementType = MET_OTHER\nElementDataFile = LOCAL\nx")),
              HasSubstr("MET_OTHER"));
  EXPECT_THAT(whyNot(bytesOf("NDims = 6\nDimSize = 1 1 1 1 1 1\nElementType = MET_CHAR\nElementDataFile = LOCAL\nx")),
              HasSubstr("more than 5 axes"));
  EXPECT_THAT(whyNot(joined(header("TransformMatrix = 1 0 0 1 0 0 0 0 1\nElementSpacing = 1 1 1\n"), voxels)),
              HasSubstr("no volume"));
  EXPECT_THAT(whyNot(bytesOf("NDims = 3\n")), HasSubstr("ElementDataFile"));
  EXPECT_THAT(whyNot({}), HasSubstr("empty"));
}

TEST(MetaImageReader, LiesAboutTheSizeAskForNoMemory) {
  for (const std::string sizes : {"4000000 3000000 2", "4294967296 4294967296 4294967296", "4 3 0", "4 3 -2", "4 3"}) {
    for (const std::string field : {"", "CompressedData = True\n", "BinaryData = False\n", "HeaderSize = -1\n"}) {
      const Bytes file =
          joined("NDims = 3\nDimSize = " + sizes + "\n" + field + "ElementType = MET_SHORT\nElementDataFile = LOCAL\n",
                 zipped(voxels));
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.mha", file}};
      const auto image = reader.read(files, {}, sink);
      ASSERT_FALSE(image) << sizes << field;
      EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
      EXPECT_EQ(sink.asked, 0U);
      EXPECT_FALSE(reader.peek(files[0]));
    }
  }
}

TEST(MetaImageReader, EveryTruncationIsAnErrorThatNamesTheFile) {
  const Bytes plain = joined(header(), voxels);
  testing::expectCutsAreErrors(reader, {{"a.mha", plain}});
  const Bytes packed = joined(header(place + "CompressedData = True\n"), zipped(voxels));
  testing::expectCutsAreErrors(reader, {{"a.mha", packed}});
  const Bytes head = bytesOf(header(place, "a.raw"));
  testing::expectCutsAreErrors(reader, {{"a.mhd", head}, {"a.raw", voxels}}, 1);
}

TEST(MetaImageReader, MutantsAreErrorsOrImages) {
  const Bytes plain =
      joined(header(place + "HeaderSize = 0\nBinaryData = True\nElementNumberOfChannels = 1\n"), voxels);
  const auto outcomes = testing::mutate(reader, {{"a.mha", plain}}, plain.size() - voxels.size(), 1500);
  EXPECT_GT(outcomes.images, 150);
  EXPECT_GT(outcomes.errors, 150);
  const Bytes packed = joined(header(place + "CompressedData = True\n"), zipped(voxels));
  testing::mutate(reader, {{"a.mha", packed}}, packed.size(), 500);
  const Bytes list = bytesOf(header(place, "LIST\none.raw\ntwo.raw\n"));
  const Bytes half = numbers(counting<std::int16_t>(12));
  testing::mutate(reader, {{"a.mhd", list}, {"one.raw", half}, {"two.raw", half}}, list.size(), 500);
}

}  // namespace
}  // namespace nora
