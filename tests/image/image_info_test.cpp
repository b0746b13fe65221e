#include "image/image_info.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

ImageInfo fullInfo() {
  ImageInfo info;
  info.format = "NIfTI-1";
  info.dims = {91, 109, 91};
  info.timePoints = 7;
  info.components = 3;
  info.type = VoxelType::int16;
  info.slope = 0.1;
  info.inter = -1.0 / 3;
  info.worldFromVoxel.m = {-2, 0.1, 0, 90, 1e-17, 2, 0, -126, 0, 0, 2, -72.000000000000014, 0, 0, 0, 1};
  info.affineSource = "sform";
  info.description = "\xc3\xa4 \"quoted\"\nline";
  info.modality = "MR";
  info.intent = "vector";
  info.windowLow = -5e-324;
  info.windowHigh = 1.7976931348623157e308;
  info.timeStepSeconds = 2.2;
  info.warnings = {"one", "two"};
  info.statistics = VoxelStatistics{-1.1, 3.3, 0.7, 18'446'744'073'709'551'615U, 12, -1, 3, 0.25, true, 4096};
  return info;
}

/// As the server sees it: written, sent, parsed.
Result<ImageInfo> throughText(const json& written) {
  return imageInfoFromJson(json::parse(written.dump()));
}

TEST(ImageInfo, EveryFieldSurvivesJsonExactly) {
  const ImageInfo info = fullInfo();
  const auto back = throughText(toJson(info));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, info);
}

TEST(ImageInfo, LargestDimensionSurvives) {
  ImageInfo info;
  info.dims = {std::int64_t{1} << 56, 1, 1};
  const auto back = throughText(toJson(info));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dims[0], std::int64_t{1} << 56);
}

TEST(ImageInfo, JsonHasTheKeysOfNoraInfo) {
  const json out = toJson(fullInfo());
  EXPECT_EQ(out["kind"], "image");
  EXPECT_EQ(out["dims"], (json{91, 109, 91, 7, 3}));
  EXPECT_EQ(out["type"], "int16");
  EXPECT_EQ(out["affine"][0], (json{-2.0, 0.1, 0.0, 90.0}));
  EXPECT_EQ(out["affine"][3], (json{0.0, 0.0, 0.0, 1.0}));
  EXPECT_EQ(out["orientation"], "LAS");
  EXPECT_EQ(out["spacingMm"][2], 2.0);
  EXPECT_EQ(out["min"], -1.1);
  for (const char* key :
       {"format",       "affineSource",    "slope",           "inter",       "max",       "mean",
        "timePoints",   "components",      "warnings",        "description", "modality",  "intent",
        "windowLow",    "windowHigh",      "timeStepSeconds", "finite",      "notFinite", "percentile2",
        "percentile98", "backgroundLevel", "integral",        "distinct"}) {
    EXPECT_TRUE(out.contains(key)) << key;
  }
}

TEST(ImageInfo, DimsGrowWithTimeAndComponents) {
  ImageInfo info;
  info.dims = {4, 5, 6};
  EXPECT_EQ(toJson(info)["dims"], (json{4, 5, 6}));
  info.timePoints = 7;
  EXPECT_EQ(toJson(info)["dims"], (json{4, 5, 6, 7}));
  info.timePoints = 1;
  info.components = 3;
  EXPECT_EQ(toJson(info)["dims"], (json{4, 5, 6, 1, 3}));
  EXPECT_EQ(throughText(toJson(info))->components, 3);
}

TEST(ImageInfo, WithoutFiniteValuesThereIsNoMinimum) {
  ImageInfo info;
  EXPECT_TRUE(toJson(info)["min"].is_null());
  info.statistics = VoxelStatistics{};
  info.statistics->notFinite = 8;
  const json out = toJson(info);
  EXPECT_TRUE(out["min"].is_null());
  EXPECT_TRUE(out["max"].is_null());
  EXPECT_TRUE(out["mean"].is_null());
  const auto back = throughText(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->statistics, info.statistics);
}

TEST(ImageInfo, NumbersThatAreNotFiniteBecomeNull) {
  ImageInfo info = fullInfo();
  info.slope = std::numeric_limits<double>::quiet_NaN();
  info.windowLow = std::numeric_limits<double>::infinity();
  info.worldFromVoxel(0, 0) = -std::numeric_limits<double>::infinity();
  const json out = toJson(info);
  EXPECT_TRUE(out["slope"].is_null());
  EXPECT_TRUE(out["windowLow"].is_null());
  EXPECT_TRUE(out["affine"][0][0].is_null());
  EXPECT_EQ(out.dump().find("nan"), std::string::npos);
  EXPECT_FALSE(throughText(out));
}

TEST(ImageInfo, TextThatIsNotUtf8CanBeWritten) {
  ImageInfo info;
  info.description =
      "a\xff"
      "b";
  info.warnings = {"\xc3"};
  EXPECT_EQ(throughText(toJson(info))->description,
            "a\xef\xbf\xbd"
            "b");
}

struct BadField {
  const char* name;
  const char* pointer;  // JSON pointer to what is replaced
  const char* value;
};

class ImageInfoBadField : public testing::TestWithParam<BadField> {};

TEST_P(ImageInfoBadField, IsRefused) {
  json out = toJson(fullInfo());
  ASSERT_TRUE(throughText(out));
  out[json::json_pointer(GetParam().pointer)] = json::parse(GetParam().value);
  const auto back = throughText(out);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::invalidInput);
}

INSTANTIATE_TEST_SUITE_P(
    All, ImageInfoBadField,
    testing::Values(
        BadField{"kind", "/kind", "\"surface\""}, BadField{"kindNumber", "/kind", "1"},
        BadField{"dimsText", "/dims", "\"91\""}, BadField{"dimsShort", "/dims", "[1,2]"},
        BadField{"dimsLong", "/dims", "[91,109,91,7,3,1]"}, BadField{"dimsZero", "/dims/0", "0"},
        BadField{"dimsNegative", "/dims/1", "-4"}, BadField{"dimsFraction", "/dims/2", "1.5"},
        BadField{"dimsBeyondInt64", "/dims/0", "9223372036854775808"},
        BadField{"dimsOverflow", "/dims/0", "4611686018427387904"}, BadField{"dimsAgainstTime", "/dims/3", "8"},
        BadField{"timeZero", "/timePoints", "0"}, BadField{"componentsAgainstDims", "/components", "2"},
        BadField{"typeUnknown", "/type", "\"int128\""}, BadField{"typeNumber", "/type", "4"},
        BadField{"slopeNull", "/slope", "null"}, BadField{"slopeText", "/slope", "\"1\""},
        BadField{"interArray", "/inter", "[]"}, BadField{"affineShort", "/affine", "[[1,0,0,0],[0,1,0,0],[0,0,1,0]]"},
        BadField{"affineRowShort", "/affine/1", "[0,1,0]"}, BadField{"affineText", "/affine/0/0", "\"1\""},
        BadField{"affineNull", "/affine/0/0", "null"}, BadField{"affineSingular", "/affine/2", "[0,2,0,0]"},
        BadField{"affineLastRow", "/affine/3", "[0,0,0,2]"}, BadField{"format", "/format", "null"},
        BadField{"description", "/description", "{}"}, BadField{"warningsText", "/warnings", "\"w\""},
        BadField{"warningNumber", "/warnings/0", "3"}, BadField{"windowText", "/windowLow", "\"low\""},
        BadField{"timeStepNegative", "/timeStepSeconds", "-1"}, BadField{"minNull", "/min", "null"},
        BadField{"minAboveMax", "/min", "100"}, BadField{"finiteNegative", "/finite", "-1"},
        BadField{"notFiniteText", "/notFinite", "\"0\""}, BadField{"percentile", "/percentile2", "null"},
        BadField{"integralNumber", "/integral", "1"}, BadField{"distinctTooLarge", "/distinct", "4294967296"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ImageInfo, ValuesThatAreNoObjectsAreRefused) {
  for (const char* text : {"null", "[]", "3", "\"image\"", "{}", "[[]]"}) {
    EXPECT_FALSE(imageInfoFromJson(json::parse(text))) << text;
  }
}

TEST(ImageInfo, AnyMissingFieldIsRefusedOrOptional) {
  const json full = toJson(fullInfo());
  // Derived from others when read, or absent until the voxels were read.
  const std::vector<std::string> optional{"spacingMm", "orientation", "windowLow", "windowHigh", "finite"};
  for (const auto& [key, value] : full.items()) {
    json without = full;
    without.erase(key);
    const bool mayMiss = std::find(optional.begin(), optional.end(), key) != optional.end();
    EXPECT_EQ(throughText(without).has_value(), mayMiss) << key;
  }
}

}  // namespace
}  // namespace nora
