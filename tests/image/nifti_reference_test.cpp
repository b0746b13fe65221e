// NIfTI files, generated and real, against what nibabel says of them (nifti_reference/make_reference.py).
#include "image/io/nifti_reader.hpp"
#include "image/statistics.hpp"
#include "nifti_test_support.hpp"

#include <cmath>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;
using testing::Bytes;

const std::string dataFolder = NORA_TEST_DATA "/nifti/";

Bytes contentOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

const json& reference() {
  static const json loaded = [] {
    std::ifstream in(NORA_SOURCE_DIR "/tests/image/nifti_reference/reference.json");
    return json::parse(in);
  }();
  return loaded;
}

/// The file, or both files of a pair, with the bytes that they show.
struct Input {
  std::vector<Bytes> bytes;
  std::vector<InputFile> files;

  explicit Input(const std::string& name) {
    std::vector<std::string> names{name};
    if (name.ends_with(".hdr")) names.push_back(name.substr(0, name.size() - 4) + ".img");
    for (const auto& each : names) bytes.push_back(contentOf(dataFolder + each));
    for (std::size_t i = 0; i < names.size(); ++i) files.push_back({names[i], bytes[i]});
  }
};

/// Complex magnitudes of single precision are rounded to float by us and not by the reference.
double tolerance(const Volume& volume) {
  return volume.info().type == VoxelType::float32 ? 1e-6 : 1e-12;
}

void expectNear(double ours, const json& theirs, double relative, const char* what) {
  if (theirs.is_null()) {
    EXPECT_FALSE(std::isfinite(ours)) << what;
    return;
  }
  const auto expected = theirs.get<double>();
  EXPECT_NEAR(ours, expected, relative * std::abs(expected) + 1e-12) << what;
}

TEST(NiftiReference, EveryFileHasTheShapeAndAffineOfNibabel) {
  ASSERT_GE(reference()["images"].size(), 60U);
  const NiftiReader reader;
  for (const json& image : reference()["images"]) {
    SCOPED_TRACE(image["file"].get<std::string>());
    const Input input(image["file"]);
    const auto volume = testing::readVolume(reader, input.files);
    ASSERT_TRUE(volume) << describe(volume.error());
    const ImageInfo& info = volume->info();
    const std::vector<std::int64_t> shape{info.dims[0], info.dims[1], info.dims[2], info.timePoints, info.components};
    EXPECT_EQ(shape, image["shape"].get<std::vector<std::int64_t>>());
    for (std::size_t i = 0; i < 16; ++i) expectNear(info.worldFromVoxel.m[i], image["affine"][i], 1e-6, "affine");
    EXPECT_EQ(orientationCode(info.worldFromVoxel), image["orientation"].get<std::string>());
  }
}

TEST(NiftiReference, EveryFileHasTheValuesOfNibabel) {
  const NiftiReader reader;
  for (const json& image : reference()["images"]) {
    SCOPED_TRACE(image["file"].get<std::string>());
    const Input input(image["file"]);
    const auto volume = testing::readVolume(reader, input.files);
    ASSERT_TRUE(volume) << describe(volume.error());
    ASSERT_GE(image["probes"].size(), 10U);
    for (const json& probe : image["probes"]) {
      const auto at = probe["voxel"].get<std::array<std::int64_t, 5>>();
      expectNear(volume->value(at[0], at[1], at[2], at[3], at[4]), probe["value"], tolerance(*volume), "probe");
    }
  }
}

TEST(NiftiReference, StatisticsAreThoseOfNumpy) {
  const NiftiReader reader;
  for (const json& image : reference()["images"]) {
    SCOPED_TRACE(image["file"].get<std::string>());
    const Input input(image["file"]);
    testing::CountingSink sink;
    const auto read = reader.read(input.files, {}, sink);
    ASSERT_TRUE(read) << describe(read.error());
    const auto found = computeStatistics(read->info, sink.memory.bytes().subspan(read->voxelOffset));
    const bool rounded = read->info.type == VoxelType::float32;
    EXPECT_EQ(found.finite, image["finite"].get<std::uint64_t>());
    expectNear(found.min, image["min"], rounded ? 1e-6 : 1e-12, "min");
    expectNear(found.max, image["max"], rounded ? 1e-6 : 1e-12, "max");
    expectNear(found.mean, image["mean"], rounded ? 1e-6 : 1e-9, "mean");
  }
}

TEST(NiftiReference, PeekSaysOfTheHeaderWhatReadSays) {
  const NiftiReader reader;
  for (const json& image : reference()["images"]) {
    SCOPED_TRACE(image["file"].get<std::string>());
    const Input input(image["file"]);
    EXPECT_TRUE(reader.recognises(input.files[0]));
    const auto summary = reader.peek(input.files[0]);
    ASSERT_TRUE(summary) << describe(summary.error());
    EXPECT_EQ(summary->kind, "image");
    const auto info = imageInfoFromJson(summary->header);
    ASSERT_TRUE(info) << describe(info.error());
    const auto volume = testing::readVolume(reader, input.files);
    ASSERT_TRUE(volume);
    EXPECT_EQ(info->dims, volume->info().dims);
    EXPECT_EQ(info->type, volume->info().type);
    EXPECT_EQ(info->affineSource, volume->info().affineSource);
  }
}

}  // namespace
}  // namespace nora
