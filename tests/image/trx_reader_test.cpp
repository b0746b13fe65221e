#include "image/io/trx_reader.hpp"
#include "image/io/zip_directory.hpp"
#include "tract_test_support.hpp"

#include <cmath>

#include <zlib.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pointOf;
using testing::readTracts;
using testing::refusal;

const TrxReader reader;

/// A zip archive that a test bends to its need. Source: PKWARE APPNOTE 4.3.
struct Zip {
  struct Member {
    std::string name;
    std::string content;
    std::uint16_t flags = 0, method = 0;
    std::uint32_t plainSize = 0;       // 0: as it is
    std::uint32_t local = 0xffffffff;  // as it is
  };
  std::vector<Member> members;

  [[nodiscard]] Bytes bytes() const {
    std::string out, directory;
    const auto put = [](std::string& to, auto number) {
      to.append(reinterpret_cast<const char*>(&number), sizeof number);
    };
    for (const Member& m : members) {
      const auto at = static_cast<std::uint32_t>(out.size());
      const auto size = static_cast<std::uint32_t>(m.content.size());
      const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(m.content.data()), size));
      put(out, std::uint32_t{0x04034b50});
      put(directory, std::uint32_t{0x02014b50});
      put(directory, std::uint16_t{20});
      for (std::string* to : {&out, &directory}) {
        put(*to, std::uint16_t{20});
        put(*to, m.flags);
        put(*to, m.method);
        put(*to, std::uint32_t{0});
        put(*to, crc);
        put(*to, size);
        put(*to, m.plainSize > 0 ? m.plainSize : size);
        put(*to, static_cast<std::uint16_t>(m.name.size()));
        put(*to, std::uint16_t{0});
      }
      out.append(m.name).append(m.content);
      directory.append(10, '\0');
      put(directory, m.local == 0xffffffff ? at : m.local);
      directory.append(m.name);
    }
    const auto start = static_cast<std::uint32_t>(out.size());
    out += directory;
    put(out, std::uint32_t{0x06054b50});
    put(out, std::uint32_t{0});
    put(out, static_cast<std::uint16_t>(members.size()));
    put(out, static_cast<std::uint16_t>(members.size()));
    put(out, static_cast<std::uint32_t>(directory.size()));
    put(out, start);
    put(out, std::uint16_t{0});
    return bytesOf(out);
  }
};

template <class T>
std::string raw(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// Two streamlines of two points and one.
Zip small() {
  Zip zip;
  zip.members.push_back({"header.json", R"({"NB_VERTICES": 3, "NB_STREAMLINES": 2, "DIMENSIONS": [4, 5, 6]})"});
  zip.members.push_back({"positions.3.float32", raw<float>({1, 2, 3, 4, 5, 6, 7, 8, 9})});
  zip.members.push_back({"offsets.uint32", raw<std::uint32_t>({0, 2, 3})});
  return zip;
}

TEST(TrxReader, ReadsPositionsInRasMillimetres) {
  const auto tracts = readTracts(reader, {{"a.trx", small().bytes()}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ElementsAre(0u, 2u, 3u));
  EXPECT_THAT(pointOf(*tracts, 1), ElementsAre(4, 5, 6));
  EXPECT_THAT(*tracts->info().dims, ElementsAre(4, 5, 6));
}

TEST(TrxReader, StoredDeflatedAndZip64FilesHoldTheSame) {
  for (const char* name : {"tracts/stored.trx", "tracts/deflated.trx", "tracts/zip64.trx"}) {
    const auto tracts = readTracts(reader, {{name, dataFile(name)}});
    ASSERT_TRUE(tracts) << describe(tracts.error());
    const auto& info = tracts->info();
    ASSERT_EQ(info.perPoint.size(), 2u);
    EXPECT_EQ(info.perPoint[0].name, "fa");
    EXPECT_EQ(info.perPoint[1].role, DataRole::colour);
    ASSERT_EQ(info.perStreamline.size(), 2u);
    EXPECT_EQ(tracts->arrays().arrays()[info.perStreamline[1].array].type, VoxelType::int16);
    EXPECT_EQ(info.perStreamline[1].min, -5);
    ASSERT_EQ(info.groups.size(), 2u);
    EXPECT_EQ(info.groups[0].name, "left");
    EXPECT_THAT(*info.groups[0].rgb, ElementsAre(255, 128, 0));
    EXPECT_THAT(tracts->arrays().as<std::uint32_t>(info.groups[1].array), ElementsAre(11u));
    EXPECT_THAT(info.fields, Contains(std::pair<std::string, std::string>("left: mean_fa", "0.5")));
    EXPECT_EQ(info.worldFromVoxel->column(3), (Vec3{-90, -126, -72}));
    EXPECT_TRUE(info.warnings.empty());
  }
}

TEST(TrxReader, HalfFloatsOfEveryKindComeOutRight) {
  Zip zip = small();
  // 1, -2, smallest denormal; 65504, smallest normal, -0; 0.333, 0, infinity
  zip.members[1] = {"positions.3.float16",
                    raw<std::uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff, 0x0400, 0x8000, 0x3555, 0x0000, 0x7c00})};
  const auto tracts = readTracts(reader, {{"a.trx", zip.bytes()}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(pointOf(*tracts, 0), ElementsAre(1.0f, -2.0f, 0x1p-24f));
  EXPECT_THAT(pointOf(*tracts, 1), ElementsAre(65504.0f, 0x1p-14f, 0.0f));
  EXPECT_FLOAT_EQ(pointOf(*tracts, 2)[0], 0.33325195f);
  EXPECT_TRUE(std::isinf(pointOf(*tracts, 2)[2]));
}

template <class T>
std::string ramp(std::size_t count) {
  std::vector<T> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(static_cast<T>(i));
  return raw(numbers);
}

TEST(TrxReader, PointsOfManyBlocksAreAllThereAndMeasured) {
  constexpr std::size_t points = 20'000;  // more than two blocks
  Zip zip = small();
  zip.members[0] = {"header.json", R"({"NB_VERTICES": 20000, "NB_STREAMLINES": 2})"};
  zip.members[2] = {"offsets.uint32", raw<std::uint32_t>({0, 12'345, points})};
  for (const bool wide : {false, true}) {
    zip.members[1] = {wide ? "positions.3.float64" : "positions.3.float32",
                      wide ? ramp<double>(3 * points) : ramp<float>(3 * points)};
    const auto tracts = readTracts(reader, {{"a.trx", zip.bytes()}});
    ASSERT_TRUE(tracts) << describe(tracts.error());
    for (std::size_t i = 0; i < 3 * points; ++i) ASSERT_EQ(tracts->positions()[i], static_cast<float>(i));
    const auto& info = tracts->info();
    EXPECT_EQ(info.boundsLow, (Vec3{0, 1, 2}));
    EXPECT_EQ(info.boundsHigh, (Vec3{59'997, 59'998, 59'999}));
    const double step = std::sqrt(27.0);
    EXPECT_NEAR(info.lengthMaxMm, 12'344 * step, 0.1);
    EXPECT_NEAR(info.lengthMinMm, 7'654 * step, 0.1);
    EXPECT_TRUE(info.warnings.empty());
  }
}

TEST(TrxReader, TheLastOffsetMayBeMissing) {
  Zip zip = small();
  zip.members[2] = {"offsets.uint64", raw<std::uint64_t>({0, 2})};
  const auto tracts = readTracts(reader, {{"a.trx", zip.bytes()}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->offsets(), ElementsAre(0u, 2u, 3u));
}

TEST(TrxReader, CountsAndOffsetsThatLieAreErrors) {
  const auto with = [](std::size_t i, Zip::Member member) {
    Zip zip = small();
    if (i < zip.members.size())
      zip.members[i] = std::move(member);
    else
      zip.members.push_back(std::move(member));
    return refusal(reader, {{"a.trx", zip.bytes()}});
  };
  EXPECT_THAT(with(0, {"header.json", R"({"NB_VERTICES": 4, "NB_STREAMLINES": 2})"}), HasSubstr("4 points"));
  EXPECT_THAT(with(0, {"header.json", R"({"NB_VERTICES": 3, "NB_STREAMLINES": 1000000000})"}), HasSubstr("offsets"));
  EXPECT_THAT(with(0, {"header.json", R"({"NB_VERTICES": 3, "NB_STREAMLINES": -1})"}), HasSubstr("no count"));
  EXPECT_THAT(with(0, {"header.json", std::string(5000, '[')}), HasSubstr("JSON"));
  EXPECT_THAT(with(0, {"other.json", "{}"}), HasSubstr("header.json"));
  EXPECT_THAT(with(1, {"positions.3.float32", "12345"}), HasSubstr("cut short"));
  EXPECT_THAT(with(2, {"offsets.uint64", raw<std::uint64_t>({0, 2, 3}) + "1234567"}), HasSubstr("cut short"));
  EXPECT_THAT(with(3, {"groups/a.uint32", "12345"}), HasSubstr("cut short"));
  EXPECT_THAT(with(2, {"offsets.uint32", raw<std::uint32_t>({0, 3, 2})}), HasSubstr("offsets"));
  EXPECT_THAT(with(2, {"offsets.uint32", raw<std::uint32_t>({1, 2, 3})}), HasSubstr("ascend"));
  EXPECT_THAT(with(2, {"offsets.uint32", raw<std::uint32_t>({0, 7, 3})}), HasSubstr("ascend"));
  EXPECT_THAT(with(3, {"dpv/fa.float32", raw<float>({1, 2})}), HasSubstr("dpv/fa.float32"));
  EXPECT_THAT(with(3, {"groups/a.uint32", raw<std::uint32_t>({2})}), HasSubstr("group \"a\""));
  EXPECT_THAT(with(3, {"groups/a.int32", raw<std::int32_t>({-1})}), HasSubstr("group \"a\""));
}

TEST(TrxReader, ArchivesThatCannotBeReadSayWhy) {
  const auto with = [](Zip::Member member) {
    Zip zip = small();
    zip.members.push_back(std::move(member));
    return refusal(reader, {{"a.trx", zip.bytes()}});
  };
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 1}), HasSubstr("encrypted"));
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 0, 12}), HasSubstr("method 12"));
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 0, 8, 5000}), HasSubstr("claims 5000 bytes"));
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 0, 0, 4}), HasSubstr("claims 4 bytes"));
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 0, 8, 3}), HasSubstr("damaged"));
  EXPECT_THAT(with({"dpv/a.uint8", "abc", 0, 0, 0, 7}), HasSubstr("damaged"));
  Zip twice = small();
  twice.members.push_back(twice.members[1]);
  twice.members.back().local = static_cast<std::uint32_t>(41 + twice.members[0].content.size());  // where [1] lies
  EXPECT_THAT(refusal(reader, {{"a.trx", twice.bytes()}}), HasSubstr("overlap"));
}

TEST(TrxReader, AWrongChecksumOfStoredNumbersIsTold) {
  Bytes bytes = small().bytes();
  const auto at = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find("float32") + 7;
  bytes[at] ^= std::byte{1};
  const auto tracts = readTracts(reader, {{"a.trx", bytes}});
  ASSERT_TRUE(tracts) << describe(tracts.error());
  EXPECT_THAT(tracts->info().warnings, Contains(HasSubstr("checksum")));
}

TEST(TrxReader, DamagedFilesAreErrorsOrStreamlines) {
  for (const char* name : {"tracts/stored.trx", "tracts/deflated.trx", "tracts/zip64.trx"}) {
    testing::expectEveryCutIsAnError(reader, dataFile(name), "a.trx");
    testing::expectMutantsSurvive(reader, dataFile(name), "a.trx", 300);
  }
  testing::expectMutantsSurvive(reader, small().bytes(), "a.trx", 600);  // its directory is a third of it
}

}  // namespace
}  // namespace nora
