// NRRD files made in memory: what headers say of axes, space and keys, and how data files are found.
#include "image/io/nrrd_reader.hpp"
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

const NrrdReader reader;

const std::string place =
    "space: left-posterior-superior\nspace directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)\n";

/// 4 x 3 x 2 shorts 0 to 23 unless `fields` says otherwise.
Bytes small(const std::string& fields = place, const std::string& encoding = "raw") {
  const Bytes voxels = numbers(counting<std::int16_t>(24));
  return joined(
      "NRRD0005\ntype: short\ndimension: 3\nsizes: 4 3 2\nendian: little\nencoding: " + encoding + "\n" + fields + "\n",
      encoding == "gzip" ? gzipped(voxels) : voxels);
}

Result<Volume> read(const Bytes& bytes, const std::string& name = "a.nrrd") {
  return readVolume(reader, {{name, bytes}});
}

std::string whyNot(const Bytes& bytes) {
  const auto volume = read(bytes);
  return volume ? "" : std::string(toString(volume.error().code)) + ": " + volume.error().what;
}

Vec3 origin(const Volume& volume) {
  return volume.worldFromVoxel().column(3);
}

TEST(NrrdReader, LpsBecomesRas) {
  const auto volume = read(small());
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(origin(*volume), (Vec3{-10, -20, 30}));
  EXPECT_EQ(volume->worldFromVoxel().column(1), (Vec3{0, -2, 0}));
  EXPECT_EQ(volume->value(1, 2, 1), 21);
  EXPECT_THAT(volume->info().warnings, IsEmpty());
}

TEST(NrrdReader, EachSpaceHasItsSigns) {
  const auto at = [](const std::string& space) {
    const auto volume =
        read(small("space: " + space + "\nspace directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)\n"));
    return volume ? origin(*volume) : Vec3{};
  };
  for (const char* ras : {"RAS", "right-anterior-superior", "Right-Anterior-Superior"}) {
    EXPECT_EQ(at(ras), (Vec3{10, 20, 30})) << ras;
  }
  for (const char* las : {"LAS", "left-anterior-superior"}) EXPECT_EQ(at(las), (Vec3{-10, 20, 30})) << las;
  for (const char* lps : {"LPS", "left-posterior-superior", "scanner-xyz", "3D-right-handed", "3D-left-handed"}) {
    EXPECT_EQ(at(lps), (Vec3{-10, -20, 30})) << lps;
  }
}

TEST(NrrdReader, ASpaceWithoutABodyIsReadAsLpsWithAWarning) {
  const auto volume =
      read(small("space dimension: 3\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (1,2,3)\n"));
  ASSERT_TRUE(volume);
  EXPECT_EQ(origin(*volume), (Vec3{-1, -2, 3}));
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("LPS")));
}

TEST(NrrdReader, OldHeadersHaveSpacingsAndCellsAndNoOrientation) {
  const auto node = read(small("spacings: 1.5 2 3\naxis mins: 10 20 30\ncenters: node node node\n"));
  ASSERT_TRUE(node);
  EXPECT_EQ(origin(*node), (Vec3{-10, -20, 30}));
  EXPECT_EQ(node->worldFromVoxel().column(0), (Vec3{-1.5, 0, 0}));
  EXPECT_THAT(node->info().warnings, ElementsAre(HasSubstr("guess")));
  const auto cell = read(small("axis mins: 10 20 30\naxis maxs: 14 26 36\ncenterings: cell cell cell\n"));
  ASSERT_TRUE(cell);
  EXPECT_EQ(origin(*cell), (Vec3{-10.5, -21, 31.5}));
}

TEST(NrrdReader, SpaceUnitsAreConverted) {
  const auto volume = read(small(place + "space units: \"um\" \"um\" \"um\"\n"));
  ASSERT_TRUE(volume);
  EXPECT_DOUBLE_EQ(volume->worldFromVoxel()(2, 3), 0.03);
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("millimetres")));
}

TEST(NrrdReader, BlanksAndCaseOfFieldsDoNotMatter) {
  const auto volume =
      read(joined("NRRD0001\r\n# comment\r\nTYPE: Unsigned  Short Int\r\nDimension: 2\r\nSIZES:  2   2 \r\n"
                  "Endian: BIG\r\nEncoding: RAW\r\n\r\n",
                  numbers<std::uint16_t>({1, 2, 3, 400}, true)));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::uint16);
  EXPECT_EQ(volume->value(1, 1, 0), 400);
}

Bytes withAxes(const std::string& type, const std::string& sizes, const std::string& kinds, const Bytes& voxels,
               const std::string& more = "") {
  const auto rank = std::count(sizes.begin(), sizes.end(), ' ') + 1;
  return joined("NRRD0005\ntype: " + type + "\ndimension: " + std::to_string(rank) + "\nsizes: " + sizes +
                    "\nkinds: " + kinds + "\nendian: little\nencoding: raw\n" + more + "\n",
                voxels);
}

TEST(NrrdReader, AFastVectorAxisBecomesPlanarComponents) {
  const auto volume = read(withAxes("float", "3 2 2 1", "3-vector domain domain domain", numbers(counting<float>(12))));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().components, 3);
  EXPECT_EQ(volume->info().intent, "vector");
  EXPECT_EQ(volume->value(1, 1, 0, 0, 2), 11);
  EXPECT_EQ(volume->value(1, 0, 0, 0, 0), 3);
}

TEST(NrrdReader, ColourOfBytesStaysInterleaved) {
  const auto volume =
      read(withAxes("uchar", "3 2 1 1", "RGB-color domain domain domain", numbers<std::uint8_t>({1, 2, 3, 4, 5, 6})));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().type, VoxelType::rgb24);
  EXPECT_EQ(colourAt(*volume, {1, 0, 0}, 0), (std::array<int, 3>{4, 5, 6}));
}

TEST(NrrdReader, ComplexNumbersBecomeTheirMagnitude) {
  const auto volume = read(withAxes("float", "2 2 1 1", "complex domain domain domain", numbers<float>({3, 4, 5, 12})));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().components, 1);
  EXPECT_EQ(volume->value(1, 0, 0), 13);
}

TEST(NrrdReader, ATimeAxisHasItsStep) {
  const auto volume =
      read(withAxes("uchar", "2 1 1 2", "domain domain domain time", numbers<std::uint8_t>({1, 2, 3, 4}),
                    "spacings: nan nan nan 2500\nunits: \"mm\" \"mm\" \"mm\" \"ms\"\n"));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().timePoints, 2);
  EXPECT_DOUBLE_EQ(volume->info().timeStepSeconds, 2.5);
  EXPECT_EQ(volume->value(1, 0, 0, 1), 4);
}

TEST(NrrdReader, OneTimePointOfAPlainFileIsReadAlone) {
  const Bytes file =
      withAxes("uchar", "2 1 1 3", "domain domain domain list", numbers<std::uint8_t>({1, 2, 3, 4, 5, 6}));
  testing::CountingSink sink;
  ReadOptions options;
  options.timePoint = 1;
  const std::vector<InputFile> files{{"a.nrrd", file}};
  const auto image = reader.read(files, options, sink);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->firstTimePoint, 1);
  EXPECT_EQ(image->timePointsRead, 1);
  EXPECT_EQ(sink.memory.bytes()[image->voxelOffset], std::byte{3});
  EXPECT_LT(sink.asked, 128U);
}

TEST(NrrdReader, GradientsGoThroughTheMeasurementFrameToRas) {
  const std::string keys = place.substr(0, place.find("space directions")) +
                           "space directions: none (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"
                           "measurement frame: (0,1,0) (-1,0,0) (0,0,1)\n"
                           "modality:=DWMRI\nDWMRI_b-value:=1000\nDWMRI_gradient_0000:=0 0 0\n"
                           "DWMRI_gradient_0001:= 2 0 0\nDWMRI_NEX_0001:=2\nDWMRI_gradient_0003:=0 0 1\n";
  const auto volume =
      read(withAxes("uchar", "4 1 1 1", "list domain domain domain", numbers<std::uint8_t>({1, 2, 3, 4}), keys));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().timePoints, 4);
  ASSERT_TRUE(volume->info().diffusion);
  EXPECT_THAT(volume->info().diffusion->bValues, ElementsAre(0, 1000, 1000, 250));
  // x of the measurement is y of LPS: backwards.
  EXPECT_EQ(volume->info().diffusion->directions[2], (Vec3{0, -1, 0}));
  EXPECT_EQ(volume->info().diffusion->directions[3], (Vec3{0, 0, 1}));
}

TEST(NrrdReader, GradientsThatAreNotAsManyAsImagesAreNotUsed) {
  const auto volume = read(withAxes("uchar", "1 1 1 2", "domain domain domain list", numbers<std::uint8_t>({1, 2}),
                                    "modality:=DWMRI\nDWMRI_b-value:=1000\nDWMRI_gradient_0000:=0 0 1\n"));
  ASSERT_TRUE(volume);
  EXPECT_FALSE(volume->info().diffusion);
  EXPECT_THAT(volume->info().warnings, ::testing::Contains(HasSubstr("gradients are not used")));
}

TEST(NrrdReader, SegmentsOfSlicerAreLabels) {
  const auto volume = read(small(place + "Segment0_ID:=a\nSegment0_Name:=tumour\nSegment0_Color:=1 0.5 0\n"
                                         "Segment0_LabelValue:=7\nSegment0_Layer:=0\n"));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().intent, "label");
  ASSERT_TRUE(volume->info().labels);
  const Label* label = volume->info().labels->find(7);
  ASSERT_NE(label, nullptr);
  EXPECT_EQ(label->name, "tumour");
  EXPECT_EQ(label->rgba, (std::array<std::uint8_t, 4>{255, 128, 0, 255}));
}

TEST(NrrdReader, AnAxisOfSpaceNeedsADirection) {
  const auto directions = [](const std::string& third) {
    return small("space: left-posterior-superior\nspace origin: (0,0,0)\nspace directions: (1,0,0) (0,1,0) " + third +
                 "\n");
  };
  EXPECT_TRUE(read(directions("(0,0,2)")));
  for (const char* wrong : {"(0,0,0)", "(nan,nan,nan)", "(0,0,nan)", "(0,0,inf)", "3"}) {
    EXPECT_THAT(whyNot(directions(wrong)), HasSubstr(std::string("\"space directions\" of the header has \"") + wrong));
  }
}

TEST(NrrdReader, TextVoxelsMayHaveCommasAndBeRealNumbers) {
  const auto volume =
      read(bytesOf("NRRD0005\ntype: int\ndimension: 2\nsizes: 2 2\nencoding: ascii\n\n1, -2\n3.0 +4\n"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 0, 0), -2);
  EXPECT_EQ(volume->value(0, 1, 0), 3);
  EXPECT_THAT(whyNot(bytesOf("NRRD0005\ntype: uchar\ndimension: 1\nsizes: 2\nencoding: text\n\n1 256")),
              HasSubstr("number 2"));
}

TEST(NrrdReader, HexVoxelsAreBytes) {
  const auto volume =
      read(bytesOf("NRRD0005\ntype: ushort\nendian: big\ndimension: 1\nsizes: 2\nencoding: hex\n\n01 0\n2fF00"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(0, 0, 0), 0x102);
  EXPECT_EQ(volume->value(1, 0, 0), 0xff00);
}

std::string detached(const std::string& dataFile) {
  const std::string head(reinterpret_cast<const char*>(small().data()), small().size() - 48 - 1);
  return head + "data file: " + dataFile;
}

TEST(NrrdReader, PeekNamesTheDataFiles) {
  const auto parts = [](const std::string& dataFile) {
    const Bytes bytes = bytesOf(detached(dataFile));
    const auto summary = reader.peek({"a.nhdr", bytes});
    return summary ? summary->parts : std::vector<std::string>{describe(summary.error())};
  };
  EXPECT_THAT(parts("my data.raw\n"), ElementsAre("my data.raw"));
  EXPECT_THAT(parts("./sub\\a.raw\n"), ElementsAre("sub/a.raw"));
  EXPECT_THAT(parts("/home/x/a.raw\n"), ElementsAre("a.raw"));
  EXPECT_THAT(parts("C:\\x\\a.raw\n"), ElementsAre("a.raw"));
  EXPECT_THAT(parts("LIST\na.raw\nb c.raw\n\n"), ElementsAre("a.raw", "b c.raw"));
  EXPECT_THAT(parts("s%03d.raw 9 11 2\n"), ElementsAre("s009.raw", "s011.raw"));
  EXPECT_THAT(parts("s%%%2d.raw 1 0 -1 2"), ElementsAre("s% 1.raw", "s% 0.raw"));
  EXPECT_THAT(parts("s%d.raw 1 1000000000 1"), ElementsAre(HasSubstr("65536")));
  EXPECT_THAT(parts("s%s.raw 1 2 1"), ElementsAre(HasSubstr("no pattern")));
  EXPECT_THAT(parts("s%d.raw 1 5 1"), ElementsAre(HasSubstr("evenly")));
}

TEST(NrrdReader, DataFilesAreFoundByNameInAnyOrder) {
  const Bytes header = bytesOf(detached("LIST\none.raw\ntwo.raw\n"));
  const Bytes whole = numbers(counting<std::int16_t>(24));
  const Bytes one(whole.begin(), whole.begin() + 24);
  const Bytes two(whole.begin() + 24, whole.end());
  const auto volume = readVolume(reader, {{"d/two.raw", two}, {"d/a.nhdr", header}, {"d/one.raw", one}});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(3, 2, 1), 23);
  const auto without = readVolume(reader, {{"d/a.nhdr", header}, {"d/one.raw", one}});
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::notFound);
  EXPECT_THAT(without.error().what, HasSubstr("two.raw"));
}

TEST(NrrdReader, RawVoxelsThatLookLikeGzipStayRaw) {
  Bytes file = small();
  const std::vector<std::byte> magic{std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};
  std::copy(magic.begin(), magic.end(), file.end() - 48);
  const auto volume = read(file);
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(3, 2, 1), 23);
}

TEST(NrrdReader, WhatCannotBeShownIsRefusedWithTheReason) {
  EXPECT_THAT(whyNot(small("type: block\n")), IsEmpty());  // the second type does not count
  EXPECT_THAT(whyNot(bytesOf("NRRD0005\ntype: block\nblock size: 3\ndimension: 1\nsizes: 2\nencoding: raw\n\nabcdef")),
              HasSubstr("unsupported: the voxels are blocks"));
  EXPECT_THAT(whyNot(bytesOf("NRRD0005\ntype: uchar\ndimension: 1\nsizes: 2\nencoding: bzip2\n\nab")),
              HasSubstr("bzip2"));
  EXPECT_THAT(whyNot(bytesOf("NRRD0006\n\n")), HasSubstr("version 6"));
  EXPECT_THAT(whyNot(withAxes("uchar", "3 2", "3-vector list", numbers<std::uint8_t>({1, 2, 3, 4, 5, 6}))),
              HasSubstr("no image"));
  EXPECT_THAT(whyNot(small("space: LPS\nspace directions: (1,0,0) (1,0,0) (0,0,1)\n")), HasSubstr("no volume"));
  EXPECT_THAT(whyNot({}), HasSubstr("empty"));
}

TEST(NrrdReader, LiesAboutTheSizeAskForNoMemory) {
  for (const std::string sizes : {"4000000 3000000 2", "4294967296 4294967296 4294967296", "4 3 0", "4 3 -2", "4 3"}) {
    for (const std::string encoding : {"raw", "gzip", "ascii", "hex"}) {
      const Bytes file = joined(
          "NRRD0005\ntype: short\ndimension: 3\nsizes: " + sizes + "\nendian: little\nencoding: " + encoding + "\n\n",
          gzipped(numbers(counting<std::int16_t>(24))));
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.nrrd", file}};
      const auto image = reader.read(files, {}, sink);
      ASSERT_FALSE(image) << sizes << encoding;
      EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
      EXPECT_EQ(sink.asked, 0U);
      EXPECT_FALSE(reader.peek(files[0]));
    }
  }
}

TEST(NrrdReader, EveryTruncationIsAnErrorThatNamesTheFile) {
  for (const char* encoding : {"raw", "gzip"}) {
    const Bytes file = small(place, encoding);
    testing::expectCutsAreErrors(reader, {{"a.nrrd", file}});
  }
  const Bytes header = bytesOf(detached("a.raw"));
  const Bytes data = numbers(counting<std::int16_t>(24));
  testing::expectCutsAreErrors(reader, {{"a.nhdr", header}, {"a.raw", data}}, 1);
}

TEST(NrrdReader, MutantsAreErrorsOrImages) {
  const Bytes raw = small(place + "line skip: 0\nbyte skip: 0\nkinds: domain domain domain\nSegment0_Name:=a\n");
  const auto plain = testing::mutate(reader, {{"a.nrrd", raw}}, raw.size() - 48, 1500);
  EXPECT_GT(plain.images, 150);
  EXPECT_GT(plain.errors, 150);
  const Bytes packed = small(place, "gzip");
  testing::mutate(reader, {{"a.nrrd", packed}}, packed.size(), 500);
  const Bytes list = bytesOf(detached("LIST\none.raw\ntwo.raw\n"));
  const Bytes half = numbers(counting<std::int16_t>(12));
  testing::mutate(reader, {{"a.nhdr", list}, {"one.raw", half}, {"two.raw", half}}, list.size(), 500);
  const Bytes vector =
      withAxes("float", "3 2 2 1", "3-vector domain domain domain", numbers(counting<float>(12)), place);
  testing::mutate(reader, {{"a.nrrd", vector}}, vector.size() - 48, 1000);
}

}  // namespace
}  // namespace nora
