// FreeSurfer volumes made in memory: place, types, frames, what follows the voxels, bad input.
#include "image/io/mgh_reader.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using testing::counting;
using ::testing::ElementsAre;
using testing::gzipped;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbers;
using ::testing::Pair;
using testing::readVolume;

const MghReader reader;

template <class T>
void append(Bytes& bytes, const std::vector<T>& values) {
  const Bytes more = numbers(values, true);
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void appendText(Bytes& bytes, const std::string& text) {
  append<std::int32_t>(bytes, {static_cast<std::int32_t>(text.size() + 1)});
  const Bytes characters = bytesOf(text + '\0');
  bytes.insert(bytes.end(), characters.begin(), characters.end());
}

/// 4 x 3 x 2 x frames voxels 0, 1, 2, ... with sagittal slices (PSR) of 1 x 2 x 3 mm.
template <class T>
Bytes volumeOf(std::int32_t type, std::int16_t goodRas = 1, std::int32_t frames = 1, std::int32_t version = 1) {
  Bytes out;
  append<std::int32_t>(out, {version, 4, 3, 2, frames, type, 0});
  append<std::int16_t>(out, {goodRas});
  append<float>(out, {1, 2, 3, 0, -1, 0, 0, 0, 1, 1, 0, 0, 10, 20, 30});
  out.resize(284);
  append(out, counting<T>(24 * static_cast<std::size_t>(frames)));
  return out;
}

Result<Volume> read(const Bytes& bytes, const std::string& name = "a.mgh") {
  return readVolume(reader, {{name, bytes}});
}

void appendScan(Bytes& bytes) {
  append<float>(bytes, {2500, 0, 30, 0, 256});
}

TEST(MghReader, TheCentreOfTheVolumeIsInScannerRas) {
  const auto volume = read(volumeOf<std::int16_t>(4));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(orientationCode(volume->worldFromVoxel()), "PSR");
  EXPECT_EQ(spacingMm(volume->worldFromVoxel()), (Vec3{1, 2, 3}));
  EXPECT_EQ(volume->worldFromVoxel().point({2, 1.5, 1}), (Vec3{10, 20, 30}));
  EXPECT_THAT(volume->info().fields, Contains(Pair("c_ras", "10 20 30")));
  EXPECT_THAT(volume->info().fields, Contains(Pair("tkr vox2ras", "-1 0 0 2 0 0 3 -3 0 -2 0 3")));
  EXPECT_THAT(volume->info().warnings, IsEmpty());
}

TEST(MghReader, WithoutAGoodFlagTheSlicesAreCoronal) {
  for (const std::int16_t flag : {std::int16_t{0}, std::int16_t{-1}}) {
    const auto volume = read(volumeOf<std::int16_t>(4, flag));
    ASSERT_TRUE(volume);
    EXPECT_EQ(orientationCode(volume->worldFromVoxel()), "LIA");
    EXPECT_EQ(volume->worldFromVoxel().point({2, 1.5, 1}), (Vec3{0, 0, 0}));
    EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("no orientation")));
  }
}

template <class T>
void expectType(std::int32_t type) {
  for (const bool compressed : {false, true}) {
    const Bytes plain = volumeOf<T>(type);
    const auto volume = read(compressed ? gzipped(plain) : plain);
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_EQ(volume->info().type, voxelTypeOf<T>());
    EXPECT_EQ(volume->info().format, compressed ? "MGZ" : "MGH");
    EXPECT_EQ(volume->value(3, 2, 1), 23);
  }
}

TEST(MghReader, AllTypesAreReadPlainAndCompressed) {
  expectType<std::uint8_t>(0);
  expectType<std::int32_t>(1);
  expectType<float>(3);
  expectType<std::int16_t>(4);
  expectType<std::uint16_t>(10);
  const auto rgb = read(volumeOf<std::int32_t>(9));
  ASSERT_FALSE(rgb);
  EXPECT_EQ(rgb.error().code, ErrorCode::unsupported);
}

TEST(MghReader, FramesAreTimePoints) {
  Bytes file = volumeOf<std::int16_t>(4, 1, 3);
  appendScan(file);
  const auto volume = read(file);
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->info().timePoints, 3);
  EXPECT_EQ(volume->value(1, 0, 0, 2), 49);
  EXPECT_EQ(volume->info().timeStepSeconds, 2.5);
  EXPECT_THAT(volume->info().fields, Contains(Pair("echo time (ms)", "30")));
}

TEST(MghReader, OneFrameOfAPlainFileIsReadAlone) {
  const Bytes file = volumeOf<std::int16_t>(4, 1, 3);
  testing::CountingSink sink;
  ReadOptions options;
  options.timePoint = 2;
  const std::vector<InputFile> files{{"a.mgh", file}};
  const auto image = reader.read(files, options, sink);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->firstTimePoint, 2);
  EXPECT_EQ(sink.memory.bytes()[image->voxelOffset], std::byte{48});
}

TEST(MghReader, TheVersionMayCarryAnIntent) {
  EXPECT_TRUE(read(volumeOf<std::int16_t>(4, 1, 1, 0x201)));
  EXPECT_FALSE(read(volumeOf<std::int16_t>(4, 1, 1, 2)));
}

Bytes withColours(bool secondVersion, const std::string& lastName = "Left-Hippocampus") {
  Bytes file = volumeOf<std::int32_t>(1);
  appendScan(file);
  append<std::int32_t>(file, {31});
  append<std::int64_t>(file, {4});
  append<std::uint8_t>(file, {'x', 'f', 'm', 0});
  append<std::int32_t>(file, {1});
  if (secondVersion) append<std::int32_t>(file, {-2, 18});
  if (!secondVersion) append<std::int32_t>(file, {2});
  appendText(file, "lut.txt");
  if (secondVersion) append<std::int32_t>(file, {2, 0});
  appendText(file, "Unknown");
  append<std::int32_t>(file, {0, 0, 0, 255});
  if (secondVersion) append<std::int32_t>(file, {17});
  appendText(file, lastName);
  append<std::int32_t>(file, {220, 216, 20, 0});
  return file;
}

TEST(MghReader, AColourTableBehindTheVoxelsMakesLabels) {
  for (const bool second : {false, true}) {
    for (const bool compressed : {false, true}) {
      const Bytes plain = withColours(second);
      const auto volume = read(compressed ? gzipped(plain) : plain);
      ASSERT_TRUE(volume);
      EXPECT_EQ(volume->info().intent, "label");
      ASSERT_TRUE(volume->info().labels);
      const Label* label = volume->info().labels->find(second ? 17 : 1);
      ASSERT_NE(label, nullptr);
      EXPECT_EQ(label->name, "Left-Hippocampus");
      EXPECT_EQ(label->rgba, (std::array<std::uint8_t, 4>{220, 216, 20, 255}));
      EXPECT_EQ(volume->info().labels->labels()[0].rgba[3], 0);
      EXPECT_THAT(volume->info().fields, Contains(Pair("transform", "xfm")));
    }
  }
}

TEST(MghReader, ADamagedColourTableCostsOnlyItself) {
  Bytes file = withColours(true);
  file.resize(file.size() - 30);
  const auto volume = read(file);
  ASSERT_TRUE(volume);
  EXPECT_FALSE(volume->info().labels);
  EXPECT_THAT(volume->info().warnings, ElementsAre(HasSubstr("colour table")));
}

TEST(MghReader, NamesOfSegmentationsMakeWholeNumbersLabels) {
  const Bytes whole = volumeOf<std::int32_t>(1);
  const Bytes real = volumeOf<float>(3);
  EXPECT_EQ(read(whole, "mri/aparc+aseg.mgz")->info().intent, "label");
  EXPECT_EQ(read(whole, "mri/orig.mgz")->info().intent, "");
  EXPECT_EQ(read(real, "mri/aseg.mgz")->info().intent, "");
  EXPECT_EQ(read(whole, "aseg/orig.mgz")->info().intent, "");
}

TEST(MghReader, LiesAboutTheSizeAskForNoMemory) {
  for (const std::vector<std::int32_t>& dims : {std::vector{30000, 30000, 1, 1},
                                                {2147483647, 2147483647, 2147483647, 2147483647},
                                                {0, 3, 2, 1},
                                                {4, -3, 2, 1}}) {
    Bytes plain = volumeOf<std::int16_t>(4);
    const Bytes wrong = numbers(dims, true);
    std::copy(wrong.begin(), wrong.end(), plain.begin() + 4);
    for (const Bytes& file : {plain, gzipped(plain)}) {
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.mgz", file}};
      const auto image = reader.read(files, {}, sink);
      ASSERT_FALSE(image);
      EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
      EXPECT_EQ(sink.asked, 0U);
      EXPECT_FALSE(reader.peek(files[0]));
    }
  }
}

TEST(MghReader, EveryTruncationIsAnErrorThatNamesTheFile) {
  const Bytes plain = volumeOf<std::int16_t>(4);
  testing::expectCutsAreErrors(reader, {{"a.mgh", plain}});
  const Bytes packed = gzipped(plain);
  testing::expectCutsAreErrors(reader, {{"a.mgz", packed}});
}

TEST(MghReader, MutantsAreErrorsOrImages) {
  const Bytes plain = withColours(true);
  const auto outcomes = testing::mutate(reader, {{"a.mgh", plain}}, 90, 2000);
  EXPECT_GT(outcomes.images, 300);
  EXPECT_GT(outcomes.errors, 300);
  // The tags behind the voxels, where the lengths are.
  testing::mutate(reader, {{"a.mgh", plain}}, plain.size(), 2000);
  const Bytes packed = gzipped(plain);
  testing::mutate(reader, {{"a.mgz", packed}}, packed.size(), 500);
}

}  // namespace
}  // namespace nora
