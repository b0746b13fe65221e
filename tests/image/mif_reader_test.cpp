// MRtrix images of every type, order of axes and packing, and bad ones. Values of real files: images_b.json.
#include "image/io/mif_reader.hpp"

#include "format_file.hpp"
#include "image/io/mif_header.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using testing::counting;
using ::testing::ElementsAre;
using testing::formatFile;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::joined;
using testing::numbers;

const MifReader reader;

/// A .mif with the voxels at byte 512.
Bytes mifFile(const std::string& fields, const Bytes& voxels) {
  std::string head = "mrtrix image\n" + fields + "file: . 512\nEND\n";
  head.resize(512);
  return joined(head, voxels);
}

const std::string sizes = "dim: 4,3,2\nvox: 1,2,3\n";
const std::string rows = "transform: 1,0,0,10\ntransform: 0,1,0,20\ntransform: 0,0,1,30\n";

Result<Volume> readOne(const Bytes& bytes) {
  return testing::readVolume(reader, {{"a.mif", bytes}});
}

/// Stored numbers 0, 1, 2, ... read with a layout; plain and gzip.
template <class Check>
void everyPacking(const std::string& layout, const Check& check) {
  const Bytes file =
      mifFile(sizes + rows + "layout: " + layout + "\ndatatype: Int16BE\n", numbers(counting<std::int16_t>(24), true));
  for (const Bytes& bytes : {file, gzipped(file)}) {
    const auto volume = readOne(bytes);
    ASSERT_TRUE(volume) << describe(volume.error());
    check(*volume);
  }
}

TEST(MifReader, LayoutGivesTheOrderAndDirectionOfStorage) {
  everyPacking("+0,+1,+2", [](const Volume& v) {
    EXPECT_EQ(v.value(1, 0, 0), 1);
    EXPECT_EQ(v.value(0, 1, 0), 4);
    EXPECT_EQ(v.value(0, 0, 1), 12);
  });
  everyPacking("-0,+1,+2", [](const Volume& v) {
    EXPECT_EQ(v.value(0, 0, 0), 3);
    EXPECT_EQ(v.value(3, 0, 0), 0);
  });
  everyPacking("+2,-1,+0", [](const Volume& v) {  // z fastest, then y backwards, then x
    EXPECT_EQ(v.value(0, 2, 0), 0);
    EXPECT_EQ(v.value(0, 2, 1), 1);
    EXPECT_EQ(v.value(0, 1, 0), 2);
    EXPECT_EQ(v.value(1, 2, 0), 6);
  });
}

TEST(MifReader, LayoutDoesNotMoveTheImage) {
  for (const char* layout : {"+0,+1,+2", "-0,-1,-2", "+2,+0,-1"}) {
    everyPacking(layout, [](const Volume& v) {
      EXPECT_EQ(v.worldFromVoxel().point({0, 0, 0}), (Vec3{10, 20, 30}));
      EXPECT_EQ(v.worldFromVoxel().point({1, 1, 1}), (Vec3{11, 22, 33}));
      EXPECT_EQ(v.info().type, VoxelType::int16);
      EXPECT_TRUE(v.info().warnings.empty());
    });
  }
}

TEST(MifReader, VolumesFastestComeOutOneByOne) {
  // 70 x 3 x 2 x 65: larger than the tiles of the copy in both directions.
  const std::size_t count = 70U * 3 * 2 * 65;
  const Bytes file = mifFile("dim: 70,3,2,65\nvox: 1,1,1,2.5\nlayout: +1,+2,+3,+0\ndatatype: UInt32LE\n" + rows,
                             numbers(counting<std::uint32_t>(count)));
  const auto volume = readOne(file);
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().timeStepSeconds, 2.5);
  for (std::int64_t t = 0; t < 65; t += 8) {
    for (std::int64_t x = 0; x < 70; x += 3) {
      ASSERT_EQ(volume->value(x, 2, 1, t), static_cast<double>(t + 65 * (x + 70 * (2 + 3 * 1))));
    }
  }
}

TEST(MifReader, OneTimePointIsReadAloneFromAPlainFile) {
  const Bytes file = mifFile("dim: 2,1,1,3\nvox: 1,1,1,1\nlayout: +1,+2,+3,+0\ndatatype: UInt8\n" + rows,
                             numbers<std::uint8_t>({0, 1, 2, 3, 4, 5}));
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.mif", file}};
  ReadOptions options;
  options.timePoint = 1;
  auto image = reader.read(files, options, sink);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->firstTimePoint, 1);
  EXPECT_EQ(image->timePointsRead, 1);
  EXPECT_EQ(image->info.timePoints, 3);
  EXPECT_EQ(sink.memory.bytes()[0], std::byte{1});
  EXPECT_EQ(sink.memory.bytes()[1], std::byte{4});
}

TEST(MifReader, BitsComeHighestFirst) {
  const auto volume = readOne(mifFile("dim: 3,3,1\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: Bit\n" + rows,
                                      numbers<std::uint8_t>({0b10100000, 0b10000000})));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::uint8);
  EXPECT_EQ(volume->value(0, 0, 0), 1);
  EXPECT_EQ(volume->value(1, 0, 0), 0);
  EXPECT_EQ(volume->value(2, 0, 0), 1);
  EXPECT_EQ(volume->value(2, 2, 0), 1);
  EXPECT_EQ(volume->value(1, 2, 0), 0);
}

TEST(MifReader, HalfPrecisionBecomesFloat) {
  const auto volume = readOne(mifFile("dim: 6,1,1\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: Float16LE\n" + rows,
                                      numbers<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x7e00})));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::float32);
  EXPECT_EQ(volume->value(0, 0, 0), 1);
  EXPECT_EQ(volume->value(1, 0, 0), -2);
  EXPECT_EQ(volume->value(2, 0, 0), std::ldexp(1.0, -24));
  EXPECT_EQ(volume->value(3, 0, 0), 65504);
  EXPECT_TRUE(std::isinf(volume->value(4, 0, 0)));
  EXPECT_TRUE(std::isnan(volume->value(5, 0, 0)));
}

TEST(MifReader, ComplexBecomesItsMagnitudeAfterScaling) {
  const auto volume =
      readOne(mifFile("dim: 1,1,1\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: CFloat32BE\nscaling: 1,2\n" + rows,
                      numbers<float>({1, 2}, true)));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(0, 0, 0), 5);  // 1 + 2 * (1 + 2i) = 3 + 4i
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("magnitude")));
}

TEST(MifReader, ScalingIsOffsetThenScale) {
  const auto volume =
      readOne(mifFile("dim: 2,1,1\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: UInt8\nscaling: -3,0.5\n" + rows,
                      numbers<std::uint8_t>({0, 10})));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::uint8);
  EXPECT_EQ(volume->value(0, 0, 0), -3);
  EXPECT_EQ(volume->value(1, 0, 0), 2);
}

TEST(MifReader, GradientsAreInTheWorldAndTheirLengthScalesB) {
  const std::string start = "dim: 1,1,1,2\nvox: 1,1,1,nan\nlayout: +0,+1,+2,+3\ndatatype: UInt8\n" + rows;
  const Bytes voxels = numbers<std::uint8_t>({1, 2});
  auto volume = readOne(mifFile(start + "dw_scheme: 0,0,0,0\ndw_scheme: 0,0,2,1000\n", voxels));
  ASSERT_TRUE(volume && volume->info().diffusion);
  EXPECT_THAT(volume->info().diffusion->bValues, ElementsAre(0, 4000));
  EXPECT_EQ(volume->info().diffusion->directions[1], (Vec3{0, 0, 1}));
  volume = readOne(mifFile(start + "dw_scheme: 0,0,0,0\n", voxels));
  ASSERT_TRUE(volume);
  EXPECT_FALSE(volume->info().diffusion);
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("dw_scheme has 1 rows")));
}

TEST(MifReader, DataInSeveralFilesIsJoined) {
  const Bytes head = bytesOf("mrtrix image\ndim: 2,1,1,2\nvox: 1,1,1,1\nlayout: +0,+1,+2,+3\ndatatype: UInt8\n" + rows +
                             "file: first.dat 1\nfile: second.dat\n");
  const Bytes first = numbers<std::uint8_t>({99, 1, 2});
  const Bytes second = numbers<std::uint8_t>({3, 4});
  const auto summary = reader.peek({"a.mih", head});
  ASSERT_TRUE(summary) << describe(summary.error());
  EXPECT_THAT(summary->parts, ElementsAre("first.dat", "second.dat"));
  const auto volume = testing::readVolume(reader, {{"a.mih", head}, {"x/second.dat", second}, {"x/first.dat", first}});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 0, 0, 0), 2);
  EXPECT_EQ(volume->value(0, 0, 0, 1), 3);
  const auto missing = testing::readVolume(reader, {{"a.mih", head}, {"first.dat", first}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::notFound);
}

TEST(MifReader, VoxelsThatLookLikeGzipAreVoxels) {
  const Bytes head = bytesOf("mrtrix image\ndim: 2,1,1,2\nvox: 1,1,1,1\nlayout: +0,+1,+2,+3\ndatatype: UInt8\n" + rows +
                             "file: a.dat\nfile: b.dat\n");
  // Joined from two files that are not gzip each.
  const Bytes first = numbers<std::uint8_t>({0x1f, 0x8b});
  const Bytes second = numbers<std::uint8_t>({8, 4});
  const auto volume = testing::readVolume(reader, {{"a.mih", head}, {"b.dat", second}, {"a.dat", first}});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 0, 0, 1), 4);
}

TEST(MifReader, ALayoutThatIsNoOrderIsRefused) {
  for (const char* layout : {"+0,+1", "+0,+0,+1", "+0,+1,+3", "a,b,c", ""}) {
    const auto volume = readOne(mifFile(sizes + rows + "datatype: UInt8\nlayout: " + layout + "\n", Bytes(24)));
    ASSERT_FALSE(volume) << layout;
    EXPECT_THAT(volume.error().what, HasSubstr("layout")) << layout;
  }
}

TEST(MifReader, SixAxesAreRefusedUnlessTheSixthIsOne) {
  const std::string end = "vox: 1,1,1,1,1,1\nlayout: +0,+1,+2,+3,+4,+5\ndatatype: UInt8\n" + rows;
  EXPECT_TRUE(readOne(mifFile("dim: 2,1,1,1,2,1\n" + end, Bytes(4))));
  const auto volume = readOne(mifFile("dim: 2,1,1,1,1,2\n" + end, Bytes(4)));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
}

TEST(MifReader, HugeClaimsAskForNoMemory) {
  for (const char* dim : {"1000000,1000000,1", "4611686018427387904,2,2", "9223372036854775807,9,9"}) {
    const Bytes file =
        mifFile(std::string("dim: ") + dim + "\nvox: 1,1,1\nlayout: +0,+1,-2\ndatatype: Float64LE\n" + rows, Bytes(64));
    for (const Bytes& bytes : {file, gzipped(file)}) {
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.mif", bytes}};
      EXPECT_FALSE(reader.read(files, {}, sink));
      EXPECT_FALSE(reader.peek(files[0]));
      EXPECT_EQ(sink.asked, 0U);
    }
  }
}

TEST(MifReader, CutFilesAreErrors) {
  for (const char* name : {"mif/int8.mif", "mif/dwi.mif", "mif/uint8.mif.gz", "mif/cfloat64.mif.gz"}) {
    const Bytes whole = formatFile(name);
    testing::expectCutsAreErrors(reader, {{name, whole}});
  }
}

TEST(MifReader, MutantsAreErrorsOrImages) {
  const Bytes data = formatFile("mif/uint32le.dat");
  const Bytes header = formatFile("mif/uint32le.mih");
  const Bytes plain = formatFile("mif/dwi.mif");
  const Bytes packed = formatFile("mif/int32be.mif.gz");
  const auto pair = testing::mutate(reader, {{"uint32le.mih", header}, {"uint32le.dat", data}}, 512, 400);
  EXPECT_GT(pair.images, 20);
  EXPECT_GT(pair.errors, 20);
  testing::mutate(reader, {{"dwi.mif", plain}}, 512, 400);
  testing::mutate(reader, {{"x.mif.gz", packed}}, 1024, 200);
}

TEST(MifReader, AnEmptyFileSaysSo) {
  const auto volume = readOne({});
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().what, "the file is empty");
}

}  // namespace
}  // namespace nora
