// DicomHeader as JSON: it crosses from a reader process that may lie.
#include "image/io/dicom_header.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

DicomHeader full() {
  DicomHeader h;
  h.patientName = "Müller^Änne";
  h.seriesUid = "1.2.3";
  h.imageType = "ORIGINAL\\PRIMARY";
  h.instanceNumber = -3;
  h.rows = 512;
  h.columns = 65535;
  h.frames = 2;
  h.kinds = {{h.orientationLps, {}, 3, 4, 4.92, "M", "1"}, {}};
  h.places = {{1, Vec3{1, 2, 3}, -1, 7, "120000"}, {0, {}, 0, 0, ""}};
  h.damage = "cut";
  h.frameTimeMs = 40;
  h.hasPixels = h.mosaic = true;
  h.positionLps = {1.5, -2, 1e-9};
  h.orientationLps = {1, 0, 0, 0, 1, 0};
  h.pixelSpacing = {0.7, 0.8};
  h.echoTime = 4.92;
  h.triggerTime = 0;
  h.temporalPosition = 12;
  h.repetitionTimeMs = 2000;
  h.acquisitionTime = "120000.5";
  return h;
}

TEST(DicomHeader, SurvivesJson) {
  for (const DicomHeader& h : {full(), DicomHeader{}}) {
    const auto back = dicomHeaderFromJson(nlohmann::json::parse(toJson(h).dump()));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, h);
  }
}

TEST(DicomHeader, ChecksEveryField) {
  using nlohmann::json;
  const std::pair<const char*, json> lies[] = {
      {"rows", -1},
      {"rows", 65536},
      {"columns", "512"},
      {"frames", 1e300},
      {"frames", 1ULL << 63},
      {"patientName", 3},
      {"seriesUid", std::string(5000, '1')},
      {"hasPixels", 1},
      {"positionLps", {1, 2}},
      {"positionLps", {1, 2, nullptr}},
      {"pixelSpacing", "1"},
      {"echoTime", "x"},
      {"temporalPosition", 1.5},
      {"sliceThickness", nullptr},
      {"places", {{2, 0, 0, "", 1, 2, 3}, {0, 0, 0, ""}}},
      {"places", {{0, 0, 0, ""}}},
      {"places", {{0, 0, 0, "", 1, 2}, {0, 0, 0, ""}}},
      {"places", {{0, 0, -1, ""}, {0, 0, 0, ""}}},
      {"places", {{0, 0, 0, 3}, {0, 0, 0, ""}}},
      {"kinds", {1}},
      {"kinds", "none"},
      {"kinds", {{{"orientation", {1, 2}}}, {{"type", 7}}}},
      {"orientationLps", {1, 0, 0, 0, 1, std::numeric_limits<double>::infinity()}},
  };
  for (const auto& [key, value] : lies) {
    json object = toJson(full());
    object[key] = value;
    EXPECT_FALSE(dicomHeaderFromJson(object)) << key << " " << value;
  }
  EXPECT_FALSE(dicomHeaderFromJson(json::array()));
  EXPECT_FALSE(dicomHeaderFromJson(nullptr));
}

}  // namespace
}  // namespace nora
