#include "image/io/tt_reader.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::append;
using testing::Bytes;
using ::testing::Contains;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pointOf;
using testing::readTracts;
using testing::refusal;

const TtReader reader;

/// One matrix of a MATLAB 4 file.
template <class T>
void addMatrix(Bytes& bytes, const std::string& name, std::uint32_t type, const std::vector<T>& numbers) {
  append(bytes, std::vector<std::uint32_t>{type, 1, static_cast<std::uint32_t>(numbers.size()), 0,
                                           static_cast<std::uint32_t>(name.size() + 1)});
  append(bytes, name + '\0');
  append(bytes, numbers);
}

constexpr std::uint32_t float32 = 10, int32 = 20, uint8 = 50;

/// A streamline of (1, 2, 3) voxels and steps of 16/32 to the right and 32/32 back.
std::vector<std::uint8_t> track() {
  Bytes bytes;
  append(bytes, std::vector<std::uint32_t>{9, 32, 64, 96});
  append(bytes, std::vector<std::int8_t>{16, 0, 0, 0, -32, 0});
  std::vector<std::uint8_t> out(bytes.size());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

Bytes small(bool placed, std::vector<std::uint8_t> content = track()) {
  Bytes bytes;
  addMatrix(bytes, "dimension", int32, std::vector<std::int32_t>{10, 20, 30});
  addMatrix(bytes, "voxel_size", float32, std::vector<float>{2, 2, 2});
  if (placed) {
    addMatrix(bytes, "trans_to_mni", float32, std::vector<float>{-2, 0, 0, 78, 0, -2, 0, 76, 0, 0, 2, -50, 0, 0, 0, 1});
  }
  addMatrix(bytes, "track", uint8, content);
  return bytes;
}

TEST(TtReader, StepsAreAddedUpAndVoxelCentresMovedToRasMillimetres) {
  const auto tracts = readTracts(reader, {{"a.tt.gz", testing::gzipped(small(true))}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ElementsAre(0u, 3u));
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(76, 72, -44));
  EXPECT_THAT(pointOf(*tracts, 1), ElementsAre(75, 72, -44));
  EXPECT_THAT(pointOf(*tracts, 2), ElementsAre(75, 74, -44));
  EXPECT_THAT(*tracts->info().dims, ElementsAre(10, 20, 30));
}

TEST(TtReader, WithoutAMatrixLpsIsAssumedAndTold) {
  const auto tracts = readTracts(reader, {{"a.tt", small(false)}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(-2, -4, 6));
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("trans_to_mni")));
}

TEST(TtReader, FurtherBlocksFollowTheFirst) {
  Bytes bytes = small(true);
  addMatrix(bytes, "track1", uint8, track());
  const auto tracts = readTracts(reader, {{"a.tt", bytes}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ElementsAre(0u, 3u, 6u));
}

TEST(TtReader, CountsThatLieAreErrors) {
  for (const std::uint32_t numbers : {0u, 1u, 8u, 12u, 0xffffffffu}) {
    auto content = track();
    std::memcpy(content.data(), &numbers, sizeof numbers);
    EXPECT_THAT(refusal(reader, {{"a.tt", small(true, content)}}), HasSubstr("damaged")) << numbers;
  }
  Bytes none;
  addMatrix(none, "dimension", int32, std::vector<std::int32_t>{1, 1, 1});
  EXPECT_THAT(refusal(reader, {{"a.tt", none}}), HasSubstr("track"));
}

TEST(TtReader, DamagedFilesAreErrorsOrStreamlines) {
  testing::expectEveryCutIsAnError(reader, dataFile("tracts/dsi_studio.tt.gz"), "a.tt.gz");
  testing::expectEveryCutIsAnError(reader, small(true), "a.tt");
  testing::expectMutantsSurvive(reader, dataFile("tracts/dsi_studio.tt.gz"), "a.tt.gz", 200);
  testing::expectMutantsSurvive(reader, small(true), "a.tt", 800);
}

}  // namespace
}  // namespace nora
