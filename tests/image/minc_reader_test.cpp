// MINC files of both versions and bad ones. Values of files by minc-tools: images_b.json.
#include "image/io/minc_reader.hpp"

#include "format_file.hpp"
#include "image/io/minc_chunks.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::formatFile;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::numbers;

const MincReader reader;

/// A classic netCDF file made by hand.
class Netcdf {
 public:
  struct Variable {
    std::string name;
    std::vector<std::uint32_t> dimensions;
    Bytes attributes;  // with their list's head
    std::uint32_t type = 1;
    Bytes data;
  };

  std::vector<std::pair<std::string, std::uint32_t>> dimensions;
  std::vector<Variable> variables;
  std::uint32_t records = 0;
  Bytes recordData;  // behind all others; variables along the record dimension begin here

  static void put(Bytes& out, std::uint32_t n) {
    const Bytes raw = numbers<std::uint32_t>({n}, true);
    out.insert(out.end(), raw.begin(), raw.end());
  }
  static void put(Bytes& out, const std::string& text) {
    put(out, static_cast<std::uint32_t>(text.size()));
    const Bytes raw = bytesOf(text);
    out.insert(out.end(), raw.begin(), raw.end());
    out.resize((out.size() + 3) / 4 * 4);
  }
  static Bytes attributes(const std::vector<std::pair<std::string, std::string>>& texts,
                          const std::vector<std::pair<std::string, std::vector<double>>>& reals) {
    Bytes out;
    put(out, texts.empty() && reals.empty() ? 0 : 12);
    put(out, static_cast<std::uint32_t>(texts.size() + reals.size()));
    for (const auto& [name, value] : texts) {
      put(out, name);
      put(out, 2);
      put(out, value);
    }
    for (const auto& [name, value] : reals) {
      put(out, name);
      put(out, 6);
      put(out, static_cast<std::uint32_t>(value.size()));
      const Bytes raw = numbers(value, true);
      out.insert(out.end(), raw.begin(), raw.end());
    }
    return out;
  }

  /// The file; offsets are found by building it twice.
  [[nodiscard]] Bytes bytes() const { return build(build(0).size()); }

 private:
  [[nodiscard]] Bytes build(std::size_t headerBytes) const {
    Bytes out = bytesOf(std::string("CDF\1", 4));
    put(out, records);
    put(out, 10);
    put(out, static_cast<std::uint32_t>(dimensions.size()));
    for (const auto& [name, length] : dimensions) {
      put(out, name);
      put(out, length);
    }
    put(out, 0);  // no attributes of the file
    put(out, 0);
    put(out, 11);
    put(out, static_cast<std::uint32_t>(variables.size()));
    std::size_t at = headerBytes;
    for (const Variable& v : variables) {
      put(out, v.name);
      put(out, static_cast<std::uint32_t>(v.dimensions.size()));
      for (const std::uint32_t d : v.dimensions) put(out, d);
      out.insert(out.end(), v.attributes.begin(), v.attributes.end());
      put(out, v.type);
      put(out, static_cast<std::uint32_t>(v.data.size()));
      put(out, static_cast<std::uint32_t>(at));
      at += (v.data.size() + 3) / 4 * 4;
    }
    if (headerBytes == 0) return out;
    for (const Variable& v : variables) {
      out.insert(out.end(), v.data.begin(), v.data.end());
      out.resize((out.size() + 3) / 4 * 4);
    }
    out.insert(out.end(), recordData.begin(), recordData.end());
    return out;
  }
};

Netcdf::Variable space(const std::string& name, double start, double step) {
  return {
      name, {}, Netcdf::attributes({{"spacing", "regular__"}}, {{"start", {start}}, {"step", {step}}}), 4, Bytes(4)};
}

/// Bytes 0 to 7 as zspace, yspace, xspace of 2 x 2 x 2.
Netcdf cube(Bytes imageAttributes) {
  Netcdf file;
  file.dimensions = {{"zspace", 2}, {"yspace", 2}, {"xspace", 2}};
  file.variables = {space("xspace", 1, -2), space("yspace", 3, 4), space("zspace", 5, 6)};
  file.variables.push_back(
      {"image", {0, 1, 2}, std::move(imageAttributes), 1, numbers(testing::counting<std::uint8_t>(8))});
  return file;
}

void addRange(Netcdf& file, const std::vector<std::uint32_t>& dimensions, const std::vector<double>& low,
              const std::vector<double>& high) {
  file.variables.push_back({"image-min", dimensions, Netcdf::attributes({}, {}), 6, numbers(low, true)});
  file.variables.push_back({"image-max", dimensions, Netcdf::attributes({}, {}), 6, numbers(high, true)});
}

Result<Volume> readOne(const Bytes& bytes, const std::string& name = "a.mnc") {
  return testing::readVolume(reader, {{name, bytes}});
}

TEST(MincReader, OneRangeStaysASlopeAndManyBecomeFloat) {
  Netcdf file = cube(Netcdf::attributes({}, {{"valid_range", {0, 255}}}));
  addRange(file, {}, {0}, {510});
  auto volume = readOne(file.bytes());
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::uint8);
  EXPECT_DOUBLE_EQ(volume->value(1, 0, 1), 10);
  EXPECT_EQ(volume->worldFromVoxel().point({1, 1, 1}), (Vec3{-1, 7, 11}));

  file = cube(Netcdf::attributes({}, {{"valid_range", {0, 255}}}));
  addRange(file, {0}, {0, 100}, {510, 100 + 255});
  volume = readOne(gzipped(file.bytes()), "a.mnc.gz");
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::float32);
  EXPECT_DOUBLE_EQ(volume->value(1, 1, 0), 6);
  EXPECT_DOUBLE_EQ(volume->value(1, 0, 1), 105);
}

TEST(MincReader, ValuesBeyondTheValidRangeAreHeldWithin) {
  Netcdf file = cube(Netcdf::attributes({}, {{"valid_range", {2, 4}}}));
  addRange(file, {}, {10}, {20});
  const auto volume = readOne(file.bytes());
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_DOUBLE_EQ(volume->value(0, 0, 0), 10);
  EXPECT_DOUBLE_EQ(volume->value(1, 1, 0), 15);
  EXPECT_DOUBLE_EQ(volume->value(1, 1, 1), 20);
}

TEST(MincReader, RangesOfVoxelsOrOfOtherDimensionsAreRefused) {
  Netcdf file = cube(Netcdf::attributes({}, {}));
  addRange(file, {2}, {0, 0}, {1, 2});  // along x
  EXPECT_FALSE(readOne(file.bytes()));
  file = cube(Netcdf::attributes({}, {}));
  addRange(file, {}, {0}, {std::numeric_limits<double>::quiet_NaN()});
  EXPECT_FALSE(readOne(file.bytes()));
}

TEST(MincReader, WithoutRangesTheStoredValuesAreShownAndSaidSo) {
  const auto volume = readOne(cube(Netcdf::attributes({{"signtype", "signed__"}}, {})).bytes());
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().type, VoxelType::int8);
  EXPECT_EQ(volume->value(1, 1, 1), 7);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("stored values")));
}

TEST(MincReader, RecordsOfSeveralVariablesInterleave) {
  // time is the record dimension; image (5 bytes, padded to 8) and image-min, image-max (a double each) take turns.
  Netcdf file;
  file.records = 2;
  file.dimensions = {{"time", 0}, {"xspace", 5}};
  file.variables = {space("xspace", 0, 1)};
  file.variables.push_back({"image", {0, 1}, Netcdf::attributes({}, {{"valid_range", {0, 255}}}), 1, {}});
  addRange(file, {0}, {}, {});
  for (const std::uint8_t t : {0, 1}) {
    Bytes record = numbers<std::uint8_t>({t, 1, 2, 3, 4, 0, 0, 0});
    const Bytes range = numbers<double>({0, 255.0 * (t + 1)}, true);
    record.insert(record.end(), range.begin(), range.end());
    file.recordData.insert(file.recordData.end(), record.begin(), record.end());
  }
  // Each record variable begins behind the one before it.
  Bytes bytes = file.bytes();
  const auto begin = static_cast<std::uint32_t>(bytes.size() - file.recordData.size());
  std::uint32_t behind = 0;
  for (std::size_t i = 0; i + 4 <= begin; i += 4) {
    const Bytes wanted = numbers<std::uint32_t>({begin}, true);
    if (!std::equal(wanted.begin(), wanted.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i))) continue;
    const Bytes moved = numbers<std::uint32_t>({begin + behind}, true);
    std::copy(moved.begin(), moved.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i));
    behind += 8;
  }
  ASSERT_EQ(behind, 24U);
  const auto volume = readOne(bytes);
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().timePoints, 2);
  EXPECT_DOUBLE_EQ(volume->value(4, 0, 0, 0), 4);
  EXPECT_DOUBLE_EQ(volume->value(0, 0, 0, 1), 2);
  EXPECT_DOUBLE_EQ(volume->value(4, 0, 0, 1), 8);
}

TEST(MincReader, DimensionsThatMakeNoSenseAreRefused) {
  Netcdf file = cube(Netcdf::attributes({}, {}));
  file.dimensions[0].first = "xspace";
  EXPECT_THAT(readOne(file.bytes()).error().what, HasSubstr("twice"));
  file.dimensions[0].first = "user";
  EXPECT_EQ(readOne(file.bytes()).error().code, ErrorCode::unsupported);
  file = cube(Netcdf::attributes({}, {}));
  file.variables[2].attributes = Netcdf::attributes({{"spacing", "irregular"}}, {});
  EXPECT_THAT(readOne(file.bytes()).error().what, HasSubstr("irregularly along zspace"));
}

TEST(MincReader, HugeClaimsAskForNoMemory) {
  for (const std::uint32_t length : {100000U, 0xffffffffU}) {
    Netcdf file = cube(Netcdf::attributes({}, {}));
    for (auto& dimension : file.dimensions) dimension.second = length;
    for (const Bytes& bytes : {file.bytes(), gzipped(file.bytes())}) {
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.mnc", bytes}};
      EXPECT_FALSE(reader.read(files, {}, sink));
      EXPECT_EQ(sink.asked, 0U);
    }
  }
}

TEST(MincReader, OtherFilesAreToldApart) {
  EXPECT_EQ(readOne({}).error().what, "the file is empty");
  EXPECT_THAT(readOne(bytesOf("what is this")).error().what, HasSubstr("neither netCDF nor HDF5"));
  const auto packed = readOne(gzipped(formatFile("minc/short_2.mnc")), "a.mnc.gz");
  ASSERT_FALSE(packed);
  EXPECT_THAT(packed.error().what, HasSubstr("gunzip"));
}

TEST(MincReader, Minc2InChunksIsAsInOnePiece) {
  // chunks.mnc: the same voxels as short_2.mnc but for the rows that were never written, in big-endian ragged chunks.
  const auto whole = readOne(formatFile("minc/short_2.mnc"));
  const auto chunks = readOne(formatFile("minc/chunks.mnc"));
  ASSERT_TRUE(whole && chunks);
  EXPECT_EQ(chunks->dims(), whole->dims());
  const auto& dims = whole->dims();
  std::int64_t same = 0;
  for (std::int64_t z = 0; z < dims[2]; ++z) {
    for (std::int64_t x = 0; x < dims[0]; ++x) same += chunks->value(x, 1, z) == whole->value(x, 1, z) ? 1 : 0;
  }
  EXPECT_EQ(same, dims[0] * dims[2]);
}

TEST(MincReader, CutFilesAreErrors) {
  for (const char* name : {"minc/tiny.mnc.gz", "minc/short_1.mnc", "minc/short_2.mnc", "minc/chunks.mnc"}) {
    const Bytes whole = formatFile(name);
    testing::expectCutsAreErrors(reader, {{name, whole}});
  }
}

TEST(MincReader, MutantsOfMinc1AreErrorsOrImages) {
  const Bytes plain = formatFile("minc/reshaped_1.mnc");
  const auto outcomes = testing::mutate(reader, {{"a.mnc", plain}}, plain.size(), 600);
  EXPECT_GT(outcomes.images, 50);
  EXPECT_GT(outcomes.errors, 20);
  const Bytes packed = gzipped(plain, 0);
  testing::mutate(reader, {{"a.mnc.gz", packed}}, 2048, 200);
}

TEST(ChunkGrid, AChunkThatInflatesBeyondItsSizeIsDamaged) {
  ChunkGrid grid{{8, 8}, {4, 4}, 1, {1}};
  uLongf size = 4096;
  Bytes bomb(size);
  const Bytes zeros(100000);
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(bomb.data()), &size, reinterpret_cast<const Bytef*>(zeros.data()),
                      zeros.size(), 9),
            Z_OK);
  bomb.resize(size);
  Bytes out(64);
  const auto find = [&](const auto&) { return ChunkPlace{0, bomb.size(), 0}; };
  const auto read = grid.read(
      bomb, find, out, [](double) {}, "a.mnc");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("damaged"));
}

TEST(ChunkGrid, ClaimsBeyondTheFileAreRefused) {
  EXPECT_TRUE((ChunkGrid{{8, 8}, {4, 4}, 1, {1, 2, 3}}.check(100, "a")));
  EXPECT_FALSE((ChunkGrid{{8, 8}, {4, 4}, 1, {4}}.check(100, "a")));             // szip
  EXPECT_FALSE((ChunkGrid{{1 << 20, 1 << 20}, {4, 4}, 1, {}}.check(100, "a")));  // voxels
  EXPECT_FALSE((ChunkGrid{{100, 100}, {1, 1}, 1, {}}.check(100, "a")));          // chunks
  EXPECT_FALSE((ChunkGrid{{8, 8}, {1 << 20, 1 << 20}, 1, {}}.check(100, "a")));  // size of one chunk
  EXPECT_FALSE((ChunkGrid{{8, 8}, {0, 4}, 1, {}}.check(100, "a")));
}

}  // namespace
}  // namespace nora
