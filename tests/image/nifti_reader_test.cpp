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

TEST(NiftiReader, RefusesAnalyzeAndCiftiByName) {
  NiftiFile analyze = smallInt16();
  analyze.put<std::uint32_t>(344, 0);
  const auto first = reader.peek({"a.hdr", analyze.bytes()});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::unsupported);
  EXPECT_THAT(first.error().what, HasSubstr("Analyze"));

  NiftiFile cifti = smallInt16(2);
  cifti.setIntent(3006);
  const auto second = reader.peek({"a.dscalar.nii", cifti.bytes()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unsupported);
  EXPECT_THAT(second.error().what, HasSubstr("CIFTI"));
}

}  // namespace
}  // namespace nora
