#include "image/io/trk_reader.hpp"
#include "image/io/tract_content.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::Bytes;
using ::testing::Contains;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pointOf;
using testing::readTracts;
using testing::refusal;

const TrkReader reader;

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// One streamline of one point, stored at (5, 7, 9) voxel millimetres, in an image of 10 x 20 x 30 voxels of 2 mm.
Bytes onePoint(const char* order, const std::array<float, 16>& matrix) {
  Bytes bytes(1000 + 4 + 12);
  std::memcpy(bytes.data(), "TRACK", 5);
  for (std::size_t i = 0; i < 3; ++i) put(bytes, 6 + 2 * i, static_cast<std::int16_t>(10 * (i + 1)));
  for (std::size_t i = 0; i < 3; ++i) put(bytes, 12 + 4 * i, 2.0f);
  for (std::size_t i = 0; i < 16; ++i) put(bytes, 440 + 4 * i, matrix[i]);
  std::memcpy(bytes.data() + 948, order, std::strlen(order));
  put(bytes, 988, std::int32_t{1});
  put(bytes, 992, std::int32_t{2});
  put(bytes, 996, std::int32_t{1000});
  put(bytes, 1000, std::int32_t{1});
  put(bytes, 1004, 5.0f);
  put(bytes, 1008, 7.0f);
  put(bytes, 1012, 9.0f);
  return bytes;
}

constexpr std::array<float, 16> twoMillimetres{2, 0, 0, 100, 0, 2, 0, 200, 0, 0, 2, 300, 0, 0, 0, 1};

TEST(TrkReader, PointsAreMovedByHalfAVoxelFromTheCorner) {
  const auto tracts = readTracts(reader, {{"a.trk", onePoint("RAS", twoMillimetres)}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(104, 206, 308));  // 5 / 2 - 0.5 = 2 voxels of 2 mm from 100
  EXPECT_EQ(tracts->info().worldFromVoxel->column(3), (Vec3{100, 200, 300}));
  EXPECT_THAT(*tracts->info().dims, ElementsAre(10, 20, 30));
  EXPECT_THAT(tracts->info().warnings, ElementsAre("1 streamline has one point only"));
}

TEST(TrkReader, AxesStoredTheOtherWayAreTurnedWithinTheImage) {
  const auto tracts = readTracts(reader, {{"a.trk", onePoint("LPS", twoMillimetres)}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(114, 232, 308));  // voxel 9 - 2, 19 - 3
}

TEST(TrkReader, WithoutAMatrixThePointsAreVoxelsAndTheFileSaysSo) {
  const auto tracts = readTracts(reader, {{"a.trk", onePoint("", {})}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(7, 16, 4));  // taken as LPS, turned to the identity
  EXPECT_FALSE(tracts->info().worldFromVoxel);
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("vox_to_ras")));
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("LPS")));
}

TEST(TrkReader, AWrongOrientationIsRefusedNotGuessed) {
  EXPECT_THAT(refusal(reader, {{"a.trk", onePoint("XYZ", twoMillimetres)}}), HasSubstr("voxel order"));
  EXPECT_THAT(refusal(reader, {{"a.trk", onePoint("RRS", twoMillimetres)}}), HasSubstr("voxel order"));
  auto singular = twoMillimetres;
  singular[0] = 0;
  EXPECT_THAT(refusal(reader, {{"a.trk", onePoint("RAS", singular)}}), HasSubstr("matrix"));
  Bytes noSize = onePoint("LAS", twoMillimetres);
  put(noSize, 6, std::int16_t{0});
  EXPECT_THAT(refusal(reader, {{"a.trk", noSize}}), HasSubstr("size of the image"));
}

TEST(TrkReader, ValuesOfPointsAndStreamlinesKeepTheirNames) {
  const auto tracts = readTracts(reader, {{"a.trk", dataFile("tracts/values.trk")}});
  ASSERT_TRUE(tracts);
  const auto& info = tracts->info();
  ASSERT_EQ(info.perPoint.size(), 2u);
  EXPECT_EQ(info.perPoint[0].name, "dir");
  EXPECT_EQ(tracts->arrays().arrays()[info.perPoint[0].array].components, 3);
  EXPECT_EQ(info.perPoint[1].name, "fa");
  EXPECT_EQ(info.perPoint[1].max, 1);
  ASSERT_EQ(info.perStreamline.size(), 2u);
  EXPECT_EQ(info.perStreamline[0].name, "colour");
  EXPECT_EQ(tracts->arrays().value(info.perStreamline[0].array, 11, 2), 33);
}

TEST(TrkReader, BigEndianAndGzippedFilesGiveTheSame) {
  const auto first = readTracts(reader, {{"a.trk", dataFile("tracts/values.trk")}});
  ASSERT_TRUE(first);
  for (const char* name : {"tracts/big_endian.trk", "tracts/values.trk.gz"}) {
    const auto other = readTracts(reader, {{name, dataFile(name)}});
    ASSERT_TRUE(other) << name;
    EXPECT_TRUE(std::ranges::equal(first->positions(), other->positions())) << name;
    EXPECT_EQ(first->info().perPoint[0].max, other->info().perPoint[0].max) << name;
  }
}

TEST(TrkReader, GzipOfSeveralMembersIsOneFile) {
  const Bytes whole = dataFile("tracts/values.trk");
  Bytes members = testing::gzipped(std::span(whole).first(1500));
  const Bytes rest = testing::gzipped(std::span(whole).subspan(1500));
  members.insert(members.end(), rest.begin(), rest.end());
  const auto tracts = readTracts(reader, {{"a.trk.gz", members}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_EQ(tracts->info().streamlines, 12);
}

TEST(TrkReader, CountsThatLieAreErrorsAndAskForNoMemory) {
  for (const std::int32_t points : {2, 1 << 30, -1}) {
    Bytes bytes = onePoint("RAS", twoMillimetres);
    put(bytes, 1000, points);
    testing::CountingSink sink;
    const std::vector<InputFile> files{{"a.trk", bytes}};
    EXPECT_FALSE(reader.read(files, {}, sink));
    EXPECT_EQ(sink.asked, 0u);
  }
  Bytes more = onePoint("RAS", twoMillimetres);
  put(more, 988, std::int32_t{2});
  EXPECT_THAT(refusal(reader, {{"a.trk", more}}), HasSubstr("1 of 2 streamlines"));
  Bytes fewer = onePoint("RAS", twoMillimetres);
  testing::append(fewer, std::string(20, 'x'));
  const auto tracts = readTracts(reader, {{"a.trk", fewer}});
  ASSERT_TRUE(tracts);
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("20 bytes")));
}

TEST(TrkReader, AGzipBombIsRefusedBeforeItFillsTheMemory) {
  Bytes bomb = dataFile("tracts/no_count.trk");
  bomb.resize(bomb.size() + TractContent::freeBytes + (1 << 20));
  EXPECT_THAT(refusal(reader, {{"a.trk.gz", testing::gzipped(bomb, 1)}}), HasSubstr("inflates"));
}

TEST(TrkReader, DamagedFilesAreErrorsOrStreamlines) {
  for (const char* name : {"tracts/values.trk", "tracts/big_endian.trk", "tracts/values.trk.gz"}) {
    testing::expectEveryCutIsAnError(reader, dataFile(name), "a.trk");
    testing::expectMutantsSurvive(reader, dataFile(name), "a.trk", 300);
  }
}

}  // namespace
}  // namespace nora
