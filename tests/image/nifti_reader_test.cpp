// Sound NIfTI files of every type, byte order and packing, made in memory.
#include "image/io/nifti_reader.hpp"

#include "nifti_test_support.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::NiftiFile;
using ::testing::Pair;
using testing::smallInt16;

const NiftiReader reader;

Result<Volume> readOne(const Bytes& bytes, const std::string& name = "a.nii") {
  return testing::readVolume(reader, {{name, bytes}});
}

/// Reads the file plain and compressed, in both byte orders and both versions; `check` sees each volume.
template <class Make, class Check>
void everyPacking(Make&& make, Check&& check) {
  for (const int version : {1, 2}) {
    for (const bool bigEndian : {false, true}) {
      NiftiFile file = make(version, bigEndian);
      for (const bool compressed : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "version " << version << (bigEndian ? ", big" : ", little") << " endian"
                                          << (compressed ? ", gzip" : ""));
        const auto volume = readOne(compressed ? gzipped(file.bytes()) : file.bytes());
        ASSERT_TRUE(volume) << describe(volume.error());
        check(*volume);
      }
    }
  }
}

/// Three voxels of a scalar type: its ends and 1.
template <class T>
void expectScalar(int datatype, VoxelType type) {
  SCOPED_TRACE(datatype);
  const std::array<T, 3> stored{std::numeric_limits<T>::lowest(), T{1}, std::numeric_limits<T>::max()};
  everyPacking(
      [&](int version, bool bigEndian) {
        NiftiFile file(version, bigEndian, datatype, 8 * sizeof(T), {3, 1, 1});
        for (const T v : stored) file.append(v);
        return file;
      },
      [&](const Volume& volume) {
        EXPECT_EQ(volume.info().type, type);
        EXPECT_TRUE(volume.info().warnings.empty());
        std::array<T, 3> read{};
        std::memcpy(read.data(), volume.frame(0), sizeof read);
        EXPECT_EQ(read, stored);
      });
}

TEST(NiftiReader, KeepsEveryScalarTypeInBothByteOrders) {
  expectScalar<std::uint8_t>(2, VoxelType::uint8);
  expectScalar<std::int16_t>(4, VoxelType::int16);
  expectScalar<std::int32_t>(8, VoxelType::int32);
  expectScalar<float>(16, VoxelType::float32);
  expectScalar<double>(64, VoxelType::float64);
  expectScalar<std::int8_t>(256, VoxelType::int8);
  expectScalar<std::uint16_t>(512, VoxelType::uint16);
  expectScalar<std::uint32_t>(768, VoxelType::uint32);
  expectScalar<std::int64_t>(1024, VoxelType::int64);
  expectScalar<std::uint64_t>(1280, VoxelType::uint64);
}

TEST(NiftiReader, KeepsColourAndIgnoresItsScale) {
  for (const std::size_t channels : {3U, 4U}) {
    everyPacking(
        [&](int version, bool bigEndian) {
          NiftiFile file(version, bigEndian, channels == 3 ? 128 : 2304, static_cast<int>(8 * channels), {2, 1, 1});
          file.setScale(5, 5);
          for (std::size_t i = 0; i < 2 * channels; ++i) file.append(static_cast<std::uint8_t>(10 * i));
          return file;
        },
        [&](const Volume& volume) {
          EXPECT_EQ(volume.info().type, channels == 3 ? VoxelType::rgb24 : VoxelType::rgba32);
          EXPECT_EQ(volume.info().slope, 1);
          for (std::size_t i = 0; i < 2 * channels; ++i) EXPECT_EQ(volume.frame(0)[i], static_cast<std::byte>(10 * i));
        });
  }
}

TEST(NiftiReader, ComplexBecomesItsMagnitudeAfterScaling) {
  everyPacking(
      [](int version, bool bigEndian) {
        NiftiFile file(version, bigEndian, 32, 64, {2, 1, 1});
        file.setScale(2, 0);
        for (const float v : {3.F, 4.F, 0.F, -1.F}) file.append(v);
        return file;
      },
      [](const Volume& volume) {
        EXPECT_EQ(volume.info().type, VoxelType::float32);
        EXPECT_DOUBLE_EQ(volume.value(0, 0, 0), 10);
        EXPECT_DOUBLE_EQ(volume.value(1, 0, 0), 2);
        EXPECT_THAT(volume.info().warnings, ElementsAre(HasSubstr("magnitude")));
      });
  everyPacking(
      [](int version, bool bigEndian) {
        NiftiFile file(version, bigEndian, 1792, 128, {1, 1, 1});
        for (const double v : {-5., 12.}) file.append(v);
        return file;
      },
      [](const Volume& volume) {
        EXPECT_EQ(volume.info().type, VoxelType::float64);
        EXPECT_DOUBLE_EQ(volume.value(0, 0, 0), 13);
      });
}

/// 16 bytes, lowest first.
using Sixteen = std::array<std::uint64_t, 2>;

NiftiFile sixteenByteFile(int version, bool bigEndian, int datatype, int bitpix, std::int64_t count,
                          std::initializer_list<Sixteen> numbers) {
  NiftiFile file(version, bigEndian, datatype, bitpix, {count, 1, 1});
  for (const Sixteen& number : numbers) {
    file.append(bigEndian ? number[1] : number[0]);
    file.append(bigEndian ? number[0] : number[1]);
  }
  return file;
}

TEST(NiftiReader, LongDoubleBecomesDoubleWhetherQuadrupleOrExtended) {
  everyPacking(
      [](int version, bool bigEndian) {  // IEEE binary128: 1, -1.5, Inf
        return sixteenByteFile(version, bigEndian, 1536, 128, 3,
                               {{0, 0x3fff000000000000U}, {0, 0xbfff800000000000U}, {0, 0x7fff000000000000U}});
      },
      [](const Volume& volume) {
        EXPECT_EQ(volume.info().type, VoxelType::float64);
        EXPECT_EQ(volume.value(0, 0, 0), 1);
        EXPECT_EQ(volume.value(1, 0, 0), -1.5);
        EXPECT_TRUE(std::isinf(volume.value(2, 0, 0)));
      });
  everyPacking(
      [](int version, bool bigEndian) {  // x87: 1, -1.5, NaN
        return sixteenByteFile(version, bigEndian, 1536, 128, 3,
                               {{0x8000000000000000U, 0x3fff}, {0xc000000000000000U, 0xbfff}, {~0ULL, 0x7fff}});
      },
      [](const Volume& volume) {
        EXPECT_EQ(volume.value(0, 0, 0), 1);
        EXPECT_EQ(volume.value(1, 0, 0), -1.5);
        EXPECT_TRUE(std::isnan(volume.value(2, 0, 0)));
      });
  everyPacking(
      [](int version, bool bigEndian) {  // complex256: 3 + 4i
        return sixteenByteFile(version, bigEndian, 2048, 256, 1, {{0, 0x4000800000000000U}, {0, 0x4001000000000000U}});
      },
      [](const Volume& volume) { EXPECT_EQ(volume.value(0, 0, 0), 5); });
}

TEST(NiftiReader, BitsBecomeBytes) {
  everyPacking(
      [](int version, bool bigEndian) {
        NiftiFile file(version, bigEndian, 1, 1, {5, 2, 1});
        file.append(std::uint8_t{0b10000101});
        file.append(std::uint8_t{0b10});
        return file;
      },
      [](const Volume& volume) {
        EXPECT_EQ(volume.info().type, VoxelType::uint8);
        std::vector<double> values;
        for (int y = 0; y < 2; ++y) {
          for (int x = 0; x < 5; ++x) values.push_back(volume.value(x, y, 0));
        }
        EXPECT_THAT(values, ElementsAre(1, 0, 1, 0, 0, 0, 0, 1, 0, 1));
      });
}

TEST(NiftiReader, ReadsAPairInAnyOrderOfItsFiles) {
  for (const bool compressed : {false, true}) {
    NiftiFile file = smallInt16();
    file.setPairMagic();
    file.setOffset(0);
    const Bytes header(file.bytes().begin(), file.bytes().begin() + 348);
    const Bytes data(file.bytes().begin() + 352, file.bytes().end());
    const std::string end = compressed ? ".gz" : "";
    const Bytes shownHeader = compressed ? gzipped(header) : header;
    const Bytes shownData = compressed ? gzipped(data) : data;
    const InputFile first{"a.hdr" + end, shownHeader};
    const InputFile second{"a.img" + end, shownData};
    for (const auto& files : {std::vector<InputFile>{first, second}, std::vector<InputFile>{second, first}}) {
      const auto volume = testing::readVolume(reader, files);
      ASSERT_TRUE(volume) << describe(volume.error());
      EXPECT_EQ(volume->value(3, 2, 1), 23);
    }
    EXPECT_TRUE(reader.recognises(first));
    const auto alone = testing::readVolume(reader, {first});
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code, ErrorCode::notFound);
    EXPECT_THAT(alone.error().what, HasSubstr(".img"));
  }
}

TEST(NiftiReader, SkipsExtensionsAndAlignsVoxelsBehindThem) {
  for (const std::size_t gap : {std::size_t{16}, std::size_t{33}}) {  // 33: no multiple of 16, yet it must load
    NiftiFile file = smallInt16();
    Bytes& bytes = file.bytes();
    bytes[348] = std::byte{1};
    bytes.insert(bytes.begin() + 352, gap, std::byte{0});
    file.put<std::int32_t>(352, 16);
    file.setOffset(static_cast<double>(352 + gap));
    for (const bool compressed : {false, true}) {
      const auto volume = readOne(compressed ? gzipped(bytes) : bytes);
      ASSERT_TRUE(volume) << describe(volume.error());
      EXPECT_EQ(volume->value(3, 2, 1), 23);
      EXPECT_TRUE(volume->info().warnings.empty());
    }
    file.put<std::int32_t>(352, 1 << 20);
    const auto lying = readOne(bytes);
    ASSERT_TRUE(lying) << describe(lying.error());
    EXPECT_THAT(lying->info().warnings, ElementsAre(HasSubstr("extension")));
  }
}

TEST(NiftiReader, MoreBytesThanNeededDoNoHarm) {
  for (const std::size_t more : {std::size_t{1}, std::size_t{100000}}) {
    NiftiFile file = smallInt16();
    file.bytes().resize(file.bytes().size() + more, std::byte{0x77});
    for (const bool compressed : {false, true}) {
      const auto volume = readOne(compressed ? gzipped(file.bytes()) : file.bytes());
      ASSERT_TRUE(volume) << describe(volume.error());
      EXPECT_EQ(volume->value(3, 2, 1), 23);
    }
  }
}

TEST(NiftiReader, CompressedVoxelsAreNotCopiedASecondTime) {
  const Bytes file = gzipped(smallInt16().bytes());
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.nii.gz", file}};
  const auto image = reader.read(files, {}, sink);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->voxelOffset, 352U);  // header and voxels lie in the sink as in the file
  EXPECT_EQ(sink.asked, 352 + 48 + Volume::paddingBytes);
}

TEST(NiftiReader, AnEmptyFileIsCalledEmpty) {
  for (const char* name : {"a.nii", "a.nii.gz", "A.NII.GZ"}) {
    const InputFile file{name, {}};
    EXPECT_TRUE(reader.recognises(file));
    const auto summary = reader.peek(file);
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code, ErrorCode::invalidInput);
    EXPECT_EQ(summary.error().what, "the file is empty");
  }
}

TEST(NiftiReader, RecognisesByBytesAndLeavesOtherFilesAlone) {
  const Bytes plain = smallInt16().bytes();
  const Bytes compressed = gzipped(plain);
  const Bytes text(600, std::byte{'x'});
  EXPECT_TRUE(reader.recognises({"noname", plain}));
  EXPECT_TRUE(reader.recognises({"noname", compressed}));
  EXPECT_TRUE(reader.recognises({"noname", smallInt16(2, true).bytes()}));
  EXPECT_FALSE(reader.recognises({"a.txt", text}));
  EXPECT_FALSE(reader.recognises({"a.hdr", text}));
  EXPECT_FALSE(reader.recognises({"a.gz", gzipped(text)}));
}

TEST(NiftiReader, LeavesAnalyzeAloneAndRefusesCiftiByName) {
  NiftiFile analyze = smallInt16();
  analyze.put<std::uint32_t>(344, 0);
  EXPECT_FALSE(reader.recognises({"a.hdr", analyze.bytes()}));

  NiftiFile cifti = smallInt16(2);
  cifti.setIntent(3006);
  const auto second = reader.peek({"a.dscalar.nii", cifti.bytes()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unsupported);
  EXPECT_THAT(second.error().what, HasSubstr("CIFTI"));
}

/// int16 voxels 0, 1, 2, ... in the file's order.
NiftiFile counted(std::vector<std::int64_t> dims, bool bigEndian = false) {
  std::int64_t count = 1;
  for (const auto n : dims) count *= n;
  NiftiFile file(1, bigEndian, 4, 16, std::move(dims));
  for (std::int64_t i = 0; i < count; ++i) file.append(static_cast<std::int16_t>(i));
  return file;
}

TEST(NiftiReader, ReadsOneTimePointAlone) {
  for (const bool bigEndian : {false, true}) {
    const Bytes plain = counted({3, 2, 2, 9}, bigEndian).bytes();
    for (const bool compressed : {false, true}) {
      const Bytes bytes = compressed ? gzipped(plain) : plain;
      testing::CountingSink sink;
      ReadOptions options;
      options.timePoint = 2;
      const std::vector<InputFile> files{{"a.nii", bytes}};
      const auto image = reader.read(files, options, sink);
      ASSERT_TRUE(image) << describe(image.error());
      EXPECT_EQ(image->info.timePoints, 9);
      EXPECT_EQ(image->firstTimePoint, 2);
      EXPECT_EQ(image->timePointsRead, 1);
      EXPECT_EQ(sink.asked, 12 * 2 + Volume::paddingBytes);
      const auto volume = Volume::create(image->info, std::move(sink.memory), image->voxelOffset, "a", TimeRange{2, 1});
      ASSERT_TRUE(volume);
      EXPECT_EQ(volume->value(0, 0, 0, 2), 24);
      EXPECT_EQ(volume->value(2, 1, 1, 2), 35);
      EXPECT_TRUE(std::isnan(volume->value(0, 0, 0, 1)));
    }
  }
}

TEST(NiftiReader, ATimePointOfFiveDimensionsHasAllItsComponents) {
  const Bytes bytes = counted({3, 2, 1, 4, 2}).bytes();
  testing::CountingSink sink;
  ReadOptions options;
  options.timePoint = 3;
  const auto image = reader.read(std::vector<InputFile>{{"a.nii", bytes}}, options, sink);
  ASSERT_TRUE(image) << describe(image.error());
  const auto volume = Volume::create(image->info, std::move(sink.memory), image->voxelOffset, "a", TimeRange{3, 1});
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->value(0, 0, 0, 3, 0), 18);
  EXPECT_EQ(volume->value(2, 1, 0, 3, 1), 47);
}

TEST(NiftiReader, ALateTimePointOfACompressedFileOrOneThatIsNotThereComesWithAll) {
  const Bytes bytes = gzipped(counted({3, 2, 2, 9}).bytes());
  for (const std::int64_t wanted : {std::int64_t{8}, std::int64_t{9}, std::int64_t{-1}}) {
    testing::CountingSink sink;
    ReadOptions options;
    options.timePoint = wanted;
    const auto image = reader.read(std::vector<InputFile>{{"a.nii.gz", bytes}}, options, sink);
    ASSERT_TRUE(image) << describe(image.error());
    EXPECT_EQ(image->timePointsRead, 9);
    EXPECT_EQ(image->firstTimePoint, 0);
  }
}

TEST(NiftiReader, TellsProgressUpToOne) {
  const Bytes bytes = counted({100, 100, 30}).bytes();
  std::vector<double> told;
  ReadOptions options;
  options.progress = [&](double fraction) { told.push_back(fraction); };
  testing::CountingSink sink;
  ASSERT_TRUE(reader.read(std::vector<InputFile>{{"a.nii", bytes}}, options, sink));
  ASSERT_GE(told.size(), 2U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 1);
}

TEST(NiftiReader, KeepsWhatExtensionsSay) {
  for (const bool bigEndian : {false, true}) {
    NiftiFile file = smallInt16(1, bigEndian);
    Bytes& bytes = file.bytes();
    bytes[348] = std::byte{1};
    bytes.insert(bytes.begin() + 352, 48, std::byte{0});
    file.put<std::int32_t>(352, 32);
    file.put<std::int32_t>(356, 6);
    file.text(360, "made by\nhand");
    file.put<std::int32_t>(384, 16);
    file.put<std::int32_t>(388, 4);
    file.text(392, "<AFNI>");
    file.setOffset(400);
    for (const bool compressed : {false, true}) {
      const auto volume = readOne(compressed ? gzipped(bytes) : bytes);
      ASSERT_TRUE(volume) << describe(volume.error());
      EXPECT_THAT(volume->info().fields, ElementsAre(Pair("extension: comment", "code 6, 32 bytes: made by hand"),
                                                     Pair("extension: AFNI", "code 4, 16 bytes: <AFNI>")));
      EXPECT_EQ(volume->value(3, 2, 1), 23);
    }
  }
}

NiftiFile threeVolumes(double third) {
  NiftiFile file(1, false, 16, 32, {8, 4, 2, 3});
  for (int t = 0; t < 3; ++t) {
    for (int i = 0; i < 64; ++i) file.append(static_cast<float>(i < 20 ? 0 : t == 0 ? 0.6 : t == 1 ? -0.8 : third));
  }
  return file;
}

TEST(NiftiReader, ThreeVolumesOfUnitVectorsByNameAndValuesAreComponents) {
  const Bytes vectors = threeVolumes(0).bytes();
  for (const char* name : {"V1.nii.gz", "dti_V1.nii", "sub/dyads1.nii.gz", "sub-01_v3.nii"}) {
    const auto volume = readOne(vectors, name);
    ASSERT_TRUE(volume);
    EXPECT_EQ(volume->info().components, 3) << name;
    EXPECT_EQ(volume->info().timePoints, 1);
    EXPECT_EQ(volume->info().intent, "vector");
    EXPECT_FLOAT_EQ(static_cast<float>(volume->value(7, 3, 1, 0, 1)), -0.8F);
  }
}

TEST(NiftiReader, ThreeVolumesOfAnythingElseAreTimePoints) {
  const Bytes vectors = threeVolumes(0).bytes();
  const Bytes longer = threeVolumes(0.5).bytes();
  for (const auto& [bytes, name] : {std::pair(vectors, "bold.nii"), std::pair(vectors, "V10.nii"),
                                    std::pair(vectors, "V4.nii"), std::pair(longer, "V1.nii")}) {
    const auto volume = readOne(bytes, name);
    ASSERT_TRUE(volume);
    EXPECT_EQ(volume->info().timePoints, 3) << name;
    EXPECT_EQ(volume->info().intent, "");
  }
}

TEST(NiftiReader, DamagedComplexVoxelsAreFoundByTheChecksum) {
  NiftiFile file(1, false, 32, 64, {50, 2, 1});
  for (int i = 0; i < 200; ++i) file.append(static_cast<float>(i));
  Bytes bytes = gzipped(file.bytes());
  ASSERT_TRUE(readOne(bytes));
  bytes[bytes.size() - 6] ^= std::byte{1};
  const auto volume = readOne(bytes);
  ASSERT_FALSE(volume);
  EXPECT_THAT(volume.error().what, HasSubstr("damaged"));
}

}  // namespace
}  // namespace nora
