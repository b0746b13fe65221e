// Analyze 7.5 pairs: both byte orders, types, SPM's fields, orientation, colour planes, and damage.
#include "image/io/analyze_reader.hpp"

#include "image/io/analyze_header.hpp"
#include "image/io/nifti_reader.hpp"
#include "nifti_test_support.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::gzipped;
using ::testing::HasSubstr;

const AnalyzeReader reader;

/// A header that a test bends to its need: 4 x 3 x 2 voxels of 2 x 3 x 4 mm.
class Header {
 public:
  explicit Header(bool bigEndian = false, std::int16_t datatype = 4, std::int16_t bitpix = 16)
      : bigEndian_(bigEndian), bytes(analyzeHeaderBytes) {
    put<std::int32_t>(0, 348);
    const std::array<std::int16_t, 5> dim{4, 4, 3, 2, 1};
    for (std::size_t i = 0; i < dim.size(); ++i) put(40 + 2 * i, dim[i]);
    put(70, datatype);
    put(72, bitpix);
    for (std::size_t i = 0; i < 4; ++i) put(76 + 4 * i, std::array{0.F, 2.F, 3.F, 4.F}[i]);
  }

  template <class T>
  void put(std::size_t at, T value) {
    std::array<std::byte, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    if (bigEndian_) std::reverse(raw.begin(), raw.end());
    std::copy(raw.begin(), raw.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }

  template <class T>
  [[nodiscard]] Bytes voxels(const std::vector<T>& values) const {
    Bytes out;
    for (const T value : values) {
      std::array<std::byte, sizeof(T)> raw{};
      std::memcpy(raw.data(), &value, sizeof(T));
      if (bigEndian_) std::reverse(raw.begin(), raw.end());
      out.insert(out.end(), raw.begin(), raw.end());
    }
    return out;
  }

 private:
  bool bigEndian_;

 public:
  Bytes bytes;
};

std::vector<std::int16_t> counting(std::size_t count = 24) {
  std::vector<std::int16_t> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::int16_t>(i);
  return out;
}

Result<Volume> readPair(const Bytes& header, const Bytes& data) {
  return testing::readVolume(reader, {{"a.hdr", header}, {"a.img", data}});
}

TEST(AnalyzeReader, ReadsBothByteOrdersPlainAndCompressedInAnyOrderOfTheFiles) {
  for (const bool bigEndian : {false, true}) {
    const Header header(bigEndian);
    const Bytes data = header.voxels(counting());
    const auto plain = readPair(header.bytes, data);
    ASSERT_TRUE(plain) << describe(plain.error());
    EXPECT_EQ(plain->info().format, "Analyze 7.5");
    EXPECT_EQ(plain->value(3, 2, 1), 23);
    const Bytes smallHeader = gzipped(header.bytes);
    const Bytes smallData = gzipped(data);
    const auto packed = testing::readVolume(reader, {{"a.img.gz", smallData}, {"a.hdr.gz", smallHeader}});
    ASSERT_TRUE(packed) << describe(packed.error());
    EXPECT_EQ(packed->value(3, 2, 1), 23);
  }
}

TEST(AnalyzeReader, PlacesTheCentreAtZeroAndWarnsAboutLeftAndRight) {
  const auto volume = readPair(Header().bytes, Header().voxels(counting()));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->worldFromVoxel().m,
            (std::array<double, 16>{-2, 0, 0, 3, 0, 3, 0, -3, 0, 0, 4, -2, 0, 0, 0, 1}));  // nibabel's
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("does not say left from right: shown as LAS")));
}

TEST(AnalyzeReader, TakesSpmsOriginIfItIsSensible) {
  Header header;
  for (std::size_t i = 0; i < 3; ++i) header.put(253 + 2 * i, std::array<std::int16_t, 3>{3, 2, 1}[i]);
  const auto volume = readPair(header.bytes, header.voxels(counting()));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().affineSource, "SPM origin");
  EXPECT_EQ(volume->worldFromVoxel().point({2, 1, 0}), (Vec3{0, 0, 0}));
  header.put<std::int16_t>(253, 8);  // twice as far as the image is large
  const auto wild = readPair(header.bytes, header.voxels(counting()));
  ASSERT_TRUE(wild);
  EXPECT_EQ(wild->info().affineSource, "pixdim");
  EXPECT_EQ(wild->worldFromVoxel().point({1.5, 1, 0.5}), (Vec3{0, 0, 0}));
}

TEST(AnalyzeReader, ObeysTheOrientByte) {
  constexpr std::array<const char*, 6> codes{"LAS", "LSA", "ASL", "LPS", "LIA", "AIL"};
  for (std::size_t orient = 0; orient < codes.size(); ++orient) {
    Header header;
    header.put(252, static_cast<std::uint8_t>(orient));
    const auto volume = readPair(header.bytes, header.voxels(counting()));
    ASSERT_TRUE(volume);
    EXPECT_EQ(orientationCode(volume->worldFromVoxel()), codes[orient]);
    EXPECT_EQ(volume->worldFromVoxel().point({1.5, 1, 0.5}), (Vec3{0, 0, 0}));
    EXPECT_EQ(volume->info().warnings.size(), orient == 0 ? 1U : 2U);
  }
  Header header;
  header.put(252, std::uint8_t{77});
  const auto volume = readPair(header.bytes, header.voxels(counting()));
  ASSERT_TRUE(volume);
  EXPECT_EQ(orientationCode(volume->worldFromVoxel()), "LAS");
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("orient byte is 77")));
}

TEST(AnalyzeReader, ScalesAsSpmDoes) {
  Header header;
  const Bytes data = header.voxels(counting());
  header.put(112, 0.5F);
  header.put(116, 3.F);
  EXPECT_EQ(readPair(header.bytes, data)->value(2, 0, 0), 4);
  for (const float none : {0.F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    header.put(112, none);
    EXPECT_EQ(readPair(header.bytes, data)->value(2, 0, 0), 2);
  }
}

TEST(AnalyzeReader, KnowsTheTypes) {
  struct Case {
    std::int16_t datatype, bitpix;
    VoxelType type;
  };
  for (const Case& c :
       {Case{1, 1, VoxelType::uint8}, Case{2, 8, VoxelType::uint8}, Case{4, 16, VoxelType::int16},
        Case{8, 32, VoxelType::int32}, Case{16, 32, VoxelType::float32}, Case{32, 64, VoxelType::float32},
        Case{64, 64, VoxelType::float64}, Case{128, 24, VoxelType::rgb24}, Case{130, 8, VoxelType::int8},
        Case{132, 16, VoxelType::uint16}, Case{136, 32, VoxelType::uint32}}) {
    const Header header(true, c.datatype, c.bitpix);
    const auto volume = readPair(header.bytes, Bytes(static_cast<std::size_t>(24 * c.bitpix + 7) / 8));
    ASSERT_TRUE(volume) << c.datatype << describe(volume.error());
    EXPECT_EQ(volume->info().type, c.type);
  }
  for (const std::int16_t unknown : {0, 3, 512, 3000}) {
    const auto volume = readPair(Header(false, unknown, 8).bytes, Bytes(1000));
    ASSERT_FALSE(volume);
    EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
  }
}

/// A smooth colour image of 12 x 9 x 2: red grows along x, green along y, blue falls along y.
std::array<std::uint8_t, 3> colour(std::size_t x, std::size_t y, std::size_t z) {
  return {static_cast<std::uint8_t>(9 * x + z), static_cast<std::uint8_t>(20 * y),
          static_cast<std::uint8_t>(250 - 12 * y - 3 * x)};
}

TEST(AnalyzeReader, TellsColourPlanesFromInterleavedColours) {
  for (const bool planes : {false, true}) {
    for (const bool grey : {false, true}) {
      Header header(false, 128, 24);
      header.put<std::int16_t>(42, 12);
      header.put<std::int16_t>(44, 9);
      Bytes data(std::size_t{12 * 9 * 2 * 3});
      for (std::size_t z = 0; z < 2; ++z) {
        for (std::size_t y = 0; y < 9; ++y) {
          for (std::size_t x = 0; x < 12; ++x) {
            for (std::size_t c = 0; c < 3; ++c) {
              const std::size_t at = planes ? z * 324 + c * 108 + y * 12 + x : ((z * 9 + y) * 12 + x) * 3 + c;
              data[at] = static_cast<std::byte>(colour(x, y, z)[grey ? 0 : c]);
            }
          }
        }
      }
      const auto volume = readPair(header.bytes, data);
      ASSERT_TRUE(volume);
      EXPECT_THAT(volume->info().warnings, Contains(HasSubstr(planes ? "planes" : "interleaved")));
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(colourAt(*volume, {7, 5, 1}, 0)[static_cast<std::size_t>(c)],
                  colour(7, 5, 1)[static_cast<std::size_t>(grey ? 0 : c)]);
      }
    }
  }
}

TEST(AnalyzeReader, ReadsOneTimePointAlone) {
  Header header;
  header.put<std::int16_t>(48, 5);
  const Bytes data = header.voxels(counting(120));
  testing::CountingSink sink;
  ReadOptions options;
  options.timePoint = 1;
  const std::vector<InputFile> files{{"a.hdr", header.bytes}, {"a.img", data}};
  const auto image = reader.read(files, options, sink);
  ASSERT_TRUE(image) << describe(image.error());
  const auto volume = Volume::create(image->info, std::move(sink.memory), image->voxelOffset, "a", TimeRange{1, 1});
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->value(0, 0, 0, 1), 24);
}

TEST(AnalyzeReader, ClaimsNothingThatIsNotItsOwn) {
  Header header;
  EXPECT_TRUE(reader.recognises({"a.hdr", header.bytes}));
  EXPECT_FALSE(reader.recognises({"a.img", header.bytes}));
  EXPECT_FALSE(reader.recognises({"a.dat", header.bytes}));
  EXPECT_FALSE(reader.recognises({"a.hdr", Bytes(header.bytes.begin(), header.bytes.end() - 1)}));
  EXPECT_FALSE(NiftiReader().recognises({"a.hdr", header.bytes}));
  header.put<std::int16_t>(40, 300);  // no number of dimensions, in either order
  EXPECT_FALSE(reader.recognises({"a.hdr", header.bytes}));
  Header nifti;
  std::memcpy(nifti.bytes.data() + 344, "ni1", 4);
  EXPECT_FALSE(reader.recognises({"a.hdr", nifti.bytes}));
}

TEST(AnalyzeReader, SaysWhichFileOfThePairIsMissing) {
  const Header header;
  const auto alone = testing::readVolume(reader, {{"a.hdr", header.bytes}});
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::notFound);
  EXPECT_THAT(alone.error().what, HasSubstr(".img"));
  const auto headless = testing::readVolume(reader, {{"a.img", header.bytes}});
  ASSERT_FALSE(headless);
  EXPECT_EQ(headless.error().code, ErrorCode::notFound);
}

TEST(AnalyzeReader, EveryTruncationIsAnError) {
  const Header header;
  const Bytes data = header.voxels(counting());
  for (std::size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
    const auto cut = [&](const Bytes& whole) {
      return Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenth / 16));
    };
    EXPECT_FALSE(readPair(cut(header.bytes), data));
    const auto volume = readPair(header.bytes, cut(data));
    ASSERT_FALSE(volume);
    EXPECT_EQ(volume.error().code, ErrorCode::invalidInput);
    EXPECT_EQ(volume.error().where, "a.img");
    EXPECT_FALSE(testing::readVolume(reader, {{"a.hdr", header.bytes}, {"a.img.gz", cut(gzipped(data))}}));
  }
}

TEST(AnalyzeReader, MutantsAreErrorsOrImages) {
  std::mt19937 random(75);
  std::size_t images = 0;
  for (int round = 0; round < 3000; ++round) {
    Header header(round % 2 == 1, round % 3 == 0 ? 128 : 4, round % 3 == 0 ? 24 : 16);
    const Bytes data = header.voxels(counting(40));
    for (int i = 0; i < 3; ++i)
      header.bytes[4 + random() % (header.bytes.size() - 4)] = static_cast<std::byte>(random());
    testing::CountingSink sink(std::size_t{1} << 20);
    const std::vector<InputFile> files{{"a.hdr", header.bytes}, {"a.img", data}};
    auto image = reader.read(files, {}, sink);
    if (!image) {
      EXPECT_FALSE(image.error().what.empty());
      continue;
    }
    ++images;
    EXPECT_TRUE(Volume::create(std::move(image->info), std::move(sink.memory), image->voxelOffset, "mutant"));
  }
  EXPECT_GT(images, 500U);
}

TEST(AnalyzeReader, AClaimBeyondTheFileAsksForNoMemory) {
  Header header;
  header.put<std::int16_t>(42, 32767);
  header.put<std::int16_t>(44, 32767);
  const Bytes data = header.voxels(counting());
  for (const char* name : {"a.img", "a.img.gz"}) {
    const Bytes shown = name[5] == '\0' ? data : gzipped(data);
    testing::CountingSink sink;
    const std::vector<InputFile> files{{"a.hdr", header.bytes}, {name, shown}};
    EXPECT_FALSE(reader.read(files, {}, sink));
    EXPECT_EQ(sink.asked, 0U);
  }
}

}  // namespace
}  // namespace nora
