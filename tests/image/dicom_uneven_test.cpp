// DicomReader on instances made here: slices that lie unevenly, impossible directions, a slope of 0, files cut short.
#include "image/io/dicom_reader.hpp"
#include "image/volume.hpp"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

using Bytes = std::vector<std::byte>;

/// An element with a short length, explicit little endian.
void put(std::string& out, std::uint32_t tag, const char* vr, std::string value) {
  if (value.size() % 2 != 0) value += vr == std::string_view("UI") ? '\0' : ' ';
  for (const std::uint32_t half : {tag >> 16, tag & 0xFFFF}) {
    out += static_cast<char>(half & 0xFF);
    out += static_cast<char>(half >> 8);
  }
  out += vr;
  if (vr == std::string_view("OW")) out += std::string(2, '\0');
  const auto size = static_cast<std::uint32_t>(value.size());
  for (int i = 0; i < (vr == std::string_view("OW") ? 4 : 2); ++i) out += static_cast<char>(size >> 8 * i & 0xFF);
  out += value;
}

std::string word(int value) {
  return {static_cast<char>(value & 0xFF), static_cast<char>(value >> 8)};
}

struct Slice {
  int number = 1;
  double z = 0;
  int value = 0;  // of the first and the last pixel
  int ramp = 1;   // that much more in the other two
  std::string orientation = "1\\0\\0\\0\\1\\0";
  int padding = 0;   // 0: none is stated
  int temporal = 0;  // position; 0: not stated
  std::string slope = "1", intercept = "0", spacing = "1\\1";
};

Bytes fileOf(const Slice& s) {
  std::string out(128, '\0');
  out += "DICM";
  put(out, 0x00020010, "UI", "1.2.840.10008.1.2.1");
  put(out, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
  put(out, 0x00080018, "UI", "1.2.3." + std::to_string(s.number));
  put(out, 0x00080060, "CS", "CT");
  put(out, 0x0020000D, "UI", "1.2");
  put(out, 0x0020000E, "UI", "1.2.3");
  put(out, 0x00200013, "IS", std::to_string(s.number));
  put(out, 0x00200032, "DS", "-5\\-7\\" + std::to_string(s.z));
  if (!s.orientation.empty()) put(out, 0x00200037, "DS", s.orientation);
  if (s.temporal > 0) put(out, 0x00200100, "IS", std::to_string(s.temporal));
  put(out, 0x00280002, "US", word(1));
  put(out, 0x00280004, "CS", "MONOCHROME2");
  put(out, 0x00280010, "US", word(2));
  put(out, 0x00280011, "US", word(2));
  put(out, 0x00280030, "DS", s.spacing);
  put(out, 0x00280100, "US", word(16));
  put(out, 0x00280101, "US", word(16));
  put(out, 0x00280102, "US", word(15));
  put(out, 0x00280103, "US", word(1));
  if (s.padding != 0) put(out, 0x00280120, "US", word(s.padding));
  put(out, 0x00281052, "DS", s.intercept);
  put(out, 0x00281053, "DS", s.slope);
  put(out, 0x7FE00010, "OW", word(s.value) + word(s.value + s.ramp) + word(s.value + s.ramp) + word(s.value));
  const auto* data = reinterpret_cast<const std::byte*>(out.data());
  return {data, data + out.size()};
}

class VectorSink : public MemorySink {
 public:
  Result<std::span<std::byte>> allocate(std::size_t size) override {
    bytes.assign(size, {});
    return std::span(bytes);
  }
  Bytes bytes;
};

Result<Volume> readFiles(const std::vector<Bytes>& contents, const std::string& suffix = ".dcm") {
  std::vector<InputFile> inputs;
  for (std::size_t i = 0; i < contents.size(); ++i) inputs.push_back({std::to_string(i) + suffix, contents[i]});
  VectorSink sink;
  auto image = DicomReader().read(inputs, {}, sink);
  if (!image) return tl::make_unexpected(image.error());
  return Volume::copyOf(image->info, std::span(sink.bytes).first(sink.bytes.size() - Volume::paddingBytes), "test");
}

Result<Volume> readAt(const std::vector<double>& places) {
  std::vector<Bytes> files;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    files.push_back(fileOf({.number = number, .z = places[i], .value = 100 * number}));
  }
  return readFiles(files);
}

TEST(DicomUneven, SlicesKeepTheirValuesAndPlacesAndPlanesBetweenAreInterpolated) {
  const std::vector<double> places{0, 3, 6, 10, 15, 21};
  const auto volume = readAt(places);
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->info().type, VoxelType::int16);
  EXPECT_THAT(volume->dims(), ElementsAre(2, 2, 22));
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(probeAtMm(*volume, {5, 7, places[i]}, 0).value, 100 * static_cast<double>(i + 1));
  }
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 1}, 0).value, 133);
  EXPECT_EQ(probeAtMm(*volume, {4, 6, 18}, 0).value, 550);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("slice spacing varies from 3 to 6 mm")));
  EXPECT_THAT(volume->info().fields, Contains(std::pair<std::string, std::string>("interpolated planes", "16 of 22")));
}

TEST(DicomUneven, ALargeGapIsEmptyAndTheSlicesBesideItAreNot) {
  const auto volume = readAt({-99.48, 103.02, 104.27, 105.52});
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->dims()[2], 165);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, -99.48}, 0).value, 100);
  EXPECT_TRUE(std::isnan(probeAtMm(*volume, {5, 7, 0}, 0).value));
  EXPECT_TRUE(std::isnan(probeAtMm(*volume, {5, 7, 101.77}, 0).value));
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 103.02}, 0).value, 200);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 105.52}, 0).value, 400);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("161 slices are missing")));
}

TEST(DicomUneven, PaddingIsNotMixedWithTissue) {
  std::vector<Bytes> files;
  const std::vector<double> places{0, 3, 6, 10, 15, 21};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    const int value = number == 3 ? -2000 : 100 * number;
    files.push_back(fileOf({.number = number, .z = places[i], .value = value, .padding = -2000}));  // written as US
  }
  const auto volume = readFiles(files);
  ASSERT_TRUE(volume) << volume.error().what;
  const auto at = [&](double z) { return probeAtMm(*volume, {5, 7, z}, 0).value; };
  EXPECT_EQ(at(1), 133);
  EXPECT_EQ(at(4), 200);  // not 200 - 2200 / 3
  EXPECT_EQ(at(5), -2000);
  EXPECT_EQ(at(7), -2000);
  EXPECT_EQ(at(8), 400);
  EXPECT_EQ(at(9), 400);
}

TEST(DicomUneven, PlanesBetweenLabelsAreCopiesOfTheNearest) {
  std::vector<Bytes> files;
  const std::vector<double> places{0, 3, 6, 10, 15, 21};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    files.push_back(fileOf({.number = number, .z = places[i], .value = number < 4 ? 0 : 17, .ramp = 0}));
  }
  const auto volume = readFiles(files);
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 7}, 0).value, 0);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 8}, 0).value, 17);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 9}, 0).value, 17);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("copies of the nearest slice")));
  EXPECT_THAT(volume->info().fields, Contains(std::pair<std::string, std::string>("copied planes", "16 of 22")));
}

TEST(DicomUneven, ALostSliceOfATimeSeriesIsEmptyAndTheTimesStay) {
  std::vector<Bytes> files;
  for (int t = 0; t < 4; ++t) {
    for (int z = 0; z < 3; ++z) {
      const int number = t * 3 + z + 1;
      if (number == 5) continue;
      files.push_back(fileOf({.number = number, .z = 2.0 * z, .value = 100 * number, .temporal = t + 1}));
    }
  }
  const auto volume = readFiles(files);
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->info().timePoints, 4);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 2}, 0).value, 200);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 0}, 1).value, 400);
  EXPECT_TRUE(std::isnan(probeAtMm(*volume, {5, 7, 2}, 1).value));
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 4}, 1).value, 600);
  EXPECT_EQ(probeAtMm(*volume, {5, 7, 2}, 2).value, 800);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("volume 2 has 2 of 3 slices")));
}

TEST(DicomUneven, ADirectionThatIsNoneIsRefusedWithItsValue) {
  const auto reason = [](const std::string& orientation) {
    const auto volume = readFiles({fileOf({.orientation = orientation})});
    return volume ? std::string("read") : volume.error().where + ": " + volume.error().what;
  };
  EXPECT_THAT(reason("nan\\0\\0\\0\\1\\0"), HasSubstr("0.dcm: ImageOrientationPatient (0020,0037) is \"nan"));
  EXPECT_THAT(reason("1\\0\\0"), HasSubstr("not 6 numbers"));
  EXPECT_THAT(reason("0\\0\\0\\0\\0\\0"), HasSubstr("direction cosines do not have length 1"));
  EXPECT_THAT(reason("1\\0\\0\\1\\0\\0"), HasSubstr("not at right angles"));
  EXPECT_EQ(reason(""), "read");  // as ultrasound and photographs are
}

TEST(DicomUneven, APixelSpacingThatIsNoneIsRefusedWithItsText) {
  const auto reason = [](const std::string& spacing) {
    const auto volume = readFiles({fileOf({.spacing = spacing})});
    return volume ? std::string("read") : volume.error().where + ": " + volume.error().what;
  };
  EXPECT_THAT(reason("nan\\1"), HasSubstr("0.dcm: PixelSpacing (0028,0030) is \"nan\\1\", not 2 numbers"));
  EXPECT_THAT(reason("1"), HasSubstr("is \"1\", not 2 numbers"));
  EXPECT_THAT(reason("0\\0"), HasSubstr("PixelSpacing (0028,0030) is 0\\0"));
  EXPECT_EQ(reason("0.5\\0.5"), "read");
}

TEST(DicomUneven, ASlopeOfZeroLeavesTheValuesAsStored) {
  const auto volume = readFiles({fileOf({.value = 7, .slope = "0", .intercept = "100"})});
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->value(0, 0, 0), 7);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("RescaleSlope (0028,1053) is 0")));
}

TEST(DicomUneven, AFileCutShortSaysSo) {
  const Bytes whole = fileOf({});
  const auto reason = [&](std::size_t size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(DicomReader().recognises({"0.dcm", part})) << size;
    const auto volume = readFiles({part});
    return volume ? std::string("read") : volume.error().what;
  };
  EXPECT_THAT(reason(0), HasSubstr("only 0 bytes"));
  EXPECT_THAT(reason(100), HasSubstr("only 100 bytes"));
  EXPECT_THAT(reason(140), HasSubstr("cut off within its meta header"));
  EXPECT_THAT(reason(whole.size() - 20), HasSubstr("ends before its pixel data"));
  EXPECT_THAT(reason(whole.size() - 2), HasSubstr("the pixel data is cut off: 6 bytes are there, 8 are needed; copy"));
}

}  // namespace
}  // namespace nora
