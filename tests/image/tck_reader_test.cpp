#include "image/io/tck_reader.hpp"
#include "tract_test_support.hpp"

#include <limits>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::pointOf;
using testing::readTracts;
using testing::refusal;

const TckReader reader;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

Bytes tck(const std::string& header, const std::vector<float>& numbers) {
  Bytes bytes = bytesOf("mrtrix tracks\n" + header + "END\n");
  bytes.resize(128, std::byte{'\n'});
  testing::append(bytes, numbers);
  return bytes;
}

/// Two points, nothing, one point.
const std::vector<float> threeLines{1,   2, 3, 4, 5,   6,   nan, nan, nan, nan, nan,
                                    nan, 7, 8, 9, nan, nan, nan, inf, inf, inf};

TEST(TckReader, StreamlinesOfNoAndOnePointStay) {
  const auto tracts = readTracts(reader, {{"a.tck", tck("file: . 128\ndatatype: Float32LE\ncount: 3\n", threeLines)}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ElementsAre(0u, 2u, 2u, 3u));
  EXPECT_THAT(pointOf(*tracts, 2), ElementsAre(7, 8, 9));
  EXPECT_THAT(tracts->info().warnings, ElementsAre("1 streamline has no points", "1 streamline has one point only"));
  EXPECT_EQ(tracts->info().space, "RAS mm");
}

TEST(TckReader, BlocksOfManyPointsAreCopiedWholeAndInOrder) {
  std::vector<float> numbers;
  std::vector<std::uint64_t> starts{0};
  float value = 0;
  for (int line = 0; line < 40; ++line) {
    for (int i = 0; i < 3 * (line * 7 % 50); ++i) numbers.push_back(value++);
    starts.push_back(static_cast<std::uint64_t>(value) / 3);
    numbers.insert(numbers.end(), 3, nan);
  }
  numbers.insert(numbers.end(), 3, inf);
  const auto tracts = readTracts(reader, {{"a.tck", tck("file: . 128\ndatatype: Float32LE\n", numbers)}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ::testing::ElementsAreArray(starts));
  ASSERT_EQ(tracts->positions().size(), static_cast<std::size_t>(value));
  for (std::size_t i = 0; i < tracts->positions().size(); ++i) ASSERT_EQ(tracts->positions()[i], static_cast<float>(i));
}

TEST(TckReader, AllTypesAndByteOrdersGiveTheSame) {
  const auto first = readTracts(reader, {{"a.tck", dataFile("tracts/be32.tck")}});
  ASSERT_TRUE(first);
  for (const char* name : {"tracts/be64.tck", "tracts/le64.tck"}) {
    const auto other = readTracts(reader, {{name, dataFile(name)}});
    ASSERT_TRUE(other) << name;
    EXPECT_TRUE(std::ranges::equal(first->positions(), other->positions())) << name;
    EXPECT_TRUE(std::ranges::equal(first->offsets(), other->offsets())) << name;
  }
}

TEST(TckReader, TheCountOfTheHeaderIsAHint) {
  for (const char* count : {"", "count: 0\n", "count: 7\n"}) {
    const auto bytes = tck(std::string("file: . 128\ndatatype: Float32LE\n") + count, threeLines);
    const auto tracts = readTracts(reader, {{"a.tck", bytes}});
    ASSERT_TRUE(tracts);
    EXPECT_EQ(tracts->info().streamlines, 3);
    const auto& warnings = tracts->info().warnings;
    EXPECT_EQ(std::ranges::count_if(warnings, [](const auto& w) { return w.find("claims") != std::string::npos; }),
              *count == 0 ? 0 : 1);
  }
}

TEST(TckReader, WithoutItsEndMarkAFileIsWholeOnlyIfTheCountSaysSo) {
  std::vector<float> numbers = threeLines;
  numbers.resize(numbers.size() - 3);
  const std::string header = "file: . 128\ndatatype: Float32LE\n";
  EXPECT_THAT(refusal(reader, {{"a.tck", tck(header, numbers)}}), HasSubstr("cut short"));
  EXPECT_THAT(refusal(reader, {{"a.tck", tck(header + "count: 4\n", numbers)}}), HasSubstr("3 streamlines of 4"));
  const auto tracts = readTracts(reader, {{"a.tck", tck(header + "count: 3\n", numbers)}});
  ASSERT_TRUE(tracts);
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("end mark")));
}

TEST(TckReader, PointsThatAreNoNumbersAreTold) {
  const auto tracts =
      readTracts(reader, {{"a.tck", tck("file: . 128\n", {1, nan, 3, 4, 5, 6, nan, nan, nan, inf, inf, inf})}});
  ASSERT_TRUE(tracts);
  EXPECT_EQ(tracts->info().points, 2);
  EXPECT_THAT(tracts->info().warnings, Contains("1 of 2 points are not finite numbers"));
}

TEST(TckReader, ValuesBesideItAreAttached) {
  const Bytes main = dataFile("tracts/be32.tck"), tsf = dataFile("tracts/be32.tsf"), txt = dataFile("tracts/be32.txt");
  const auto tracts = readTracts(reader, {{"a/b.tck", main}, {"a/b.tsf", tsf}, {"a/b.txt", txt}});
  ASSERT_TRUE(tracts);
  ASSERT_EQ(tracts->info().perPoint.size(), 1u);
  EXPECT_EQ(tracts->info().perPoint[0].name, "b");
  EXPECT_EQ(
      tracts->arrays().value(tracts->info().perPoint[0].array, static_cast<std::int64_t>(tracts->offsets()[3]) + 1),
      301);
  ASSERT_EQ(tracts->info().perStreamline.size(), 1u);
  EXPECT_EQ(tracts->info().perStreamline[0].max, 5.5);
}

TEST(TckReader, ValuesOfOtherStreamlinesAreLeftOutAndTold) {
  const Bytes main = dataFile("tracts/simple.tck"), tsf = dataFile("tracts/be32.tsf"),
              txt = dataFile("tracts/be32.txt");
  const auto tracts = readTracts(reader, {{"b.tck", main}, {"b.tsf", tsf}, {"b.txt", txt}});
  ASSERT_TRUE(tracts);
  EXPECT_THAT(tracts->info().perPoint, IsEmpty());
  EXPECT_THAT(tracts->info().perStreamline, IsEmpty());
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("b.tsf")));
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("b.txt")));
  EXPECT_THAT(refusal(reader, {{"b.tsf", tsf}}), HasSubstr(".tck"));
}

TEST(TckReader, ValuesWithAnotherTimestampAreOfOtherStreamlines) {
  const auto read = [](const std::string& stamp) {
    const auto main = tck("timestamp: 1445000000.1\nfile: . 128\ndatatype: Float32LE\ncount: 1\n",
                          {1, 2, 3, 4, 5, 6, nan, nan, nan, inf, inf, inf});
    Bytes tsf = bytesOf("mrtrix track scalars\ntimestamp: " + stamp + "\nfile: . 128\ndatatype: Float32LE\nEND\n");
    tsf.resize(128, std::byte{'\n'});
    testing::append(tsf, std::vector<float>{7, 8, nan, inf});
    return readTracts(reader, {{"a.tck", main}, {"a.tsf", tsf}});
  };
  const auto same = read("1445000000.1"), other = read("1445000000.2");
  ASSERT_TRUE(same && other);
  EXPECT_EQ(same->info().perPoint.size(), 1U);
  EXPECT_THAT(same->info().warnings, IsEmpty());
  EXPECT_THAT(other->info().perPoint, IsEmpty());
  EXPECT_THAT(other->info().warnings, ElementsAre(HasSubstr("their timestamp (1445000000.2) is not that")));
}

TEST(TckReader, ProseOfTheSameNameIsNoDamagedValues) {
  const Bytes main = tck("file: . 128\ndatatype: Float32LE\n", threeLines);
  const Bytes prose = bytesOf("Made on 3 May from 12 subjects, see the wiki.\n"), numbers = bytesOf("1 2 3 4\n");
  EXPECT_THAT(readTracts(reader, {{"a.tck", main}, {"a.txt", prose}})->info().warnings,
              Not(Contains(HasSubstr("a.txt"))));
  EXPECT_THAT(readTracts(reader, {{"a.tck", main}, {"a.txt", numbers}})->info().warnings,
              Contains(HasSubstr("a.txt were left out")));
}

TEST(TckReader, OddHeadersAreReadOrRefusedWithTheReason) {
  EXPECT_THAT(refusal(reader, {{"a.tck", tck("file: other.dat 0\n", threeLines)}}), HasSubstr("another file"));
  EXPECT_THAT(refusal(reader, {{"a.tck", tck("file: . 128\ndatatype: Int16LE\n", threeLines)}}), HasSubstr("Int16LE"));
  EXPECT_THAT(refusal(reader, {{"a.tck", tck("file: . 4\n", threeLines)}}), HasSubstr("begin at"));
  EXPECT_THAT(refusal(reader, {{"a.tck", tck("file: . 99999999999\n", threeLines)}}), HasSubstr("cut short"));
  EXPECT_THAT(refusal(reader, {{"a.tck", bytesOf("mrtrix tracks\ncount: 1\n")}}), HasSubstr("END"));
  EXPECT_THAT(refusal(reader, {{"a.tck", Bytes{}}}), HasSubstr("empty"));
}

TEST(TckReader, DamagedFilesAreErrorsOrStreamlines) {
  for (const char* name : {"tracts/be32.tck", "tracts/le64.tck", "tracts/tract.SLF1_R.tck"}) {
    testing::expectEveryCutIsAnError(reader, dataFile(name), "a.tck");
    testing::expectMutantsSurvive(reader, dataFile(name), "a.tck", 300);
  }
  testing::expectEveryCutIsAnError(reader, testing::gzipped(dataFile("tracts/be32.tck")), "a.tck.gz");
}

}  // namespace
}  // namespace nora
