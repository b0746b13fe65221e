// DICOM objects of many frames and of odd pixels: what the reader makes of the files of tests/data/formats/dicom beyond
// places and values (those: the table test of all formats).
#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_csa.hpp"
#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_reader.hpp"
#include "image/io/dicom_rle.hpp"
#include "image/io/dicom_values.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

using Bytes = std::vector<std::byte>;

Bytes bytesOf(const std::string& file) {
  std::ifstream stream(std::filesystem::path(NORA_TEST_DATA) / "formats" / "dicom" / file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

class VectorSink : public MemorySink {
 public:
  Result<std::span<std::byte>> allocate(std::size_t size) override {
    if (size > (std::size_t{1} << 28)) return fail(ErrorCode::limitExceeded, "too large for a test");
    bytes.assign(size, {});
    return std::span(bytes);
  }
  Bytes bytes;
};

struct Read {
  ReadImage image;
  Bytes voxels;
};

Result<Read> read(const std::vector<std::string>& files, const ReadOptions& options = {}) {
  std::vector<Bytes> contents;
  std::vector<InputFile> inputs;
  for (const auto& file : files) contents.push_back(bytesOf(file));
  for (std::size_t i = 0; i < files.size(); ++i) inputs.push_back({files[i], contents[i]});
  VectorSink sink;
  auto image = DicomReader().read(inputs, options, sink);
  if (!image) return tl::make_unexpected(image.error());
  return Read{std::move(*image), std::move(sink.bytes)};
}

ImageInfo infoOf(const std::vector<std::string>& files) {
  auto result = read(files);
  EXPECT_TRUE(result) << (result ? "" : result.error().what);
  return result ? result->image.info : ImageInfo{};
}

TEST(DicomFrames, FewerFramesThanAreDescribedAreAnError) {
  Bytes bytes = bytesOf("enhanced_4d_implicit.dcm");
  constexpr std::array tag{std::byte{0x28}, std::byte{0}, std::byte{0x08}, std::byte{0}};
  const auto at = std::search(bytes.begin(), bytes.end(), tag.begin(), tag.end());
  ASSERT_NE(at, bytes.end());
  at[8] = std::byte{'1'};  // 12 of 20
  at[9] = std::byte{'2'};
  VectorSink sink;
  const InputFile file{"frames.dcm", bytes};
  const auto image = DicomReader().read(std::span(&file, 1), {}, sink);
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().what, HasSubstr("NumberOfFrames (0028,0008) is 12, but more frames are described"));
}

TEST(DicomFrames, OneTimePointIsReadAloneAndIsTheSame) {
  const auto whole = read({"enhanced_4d_implicit.dcm"});
  ReadOptions options;
  options.timePoint = 2;
  const auto part = read({"enhanced_4d_implicit.dcm"}, options);
  ASSERT_TRUE(whole && part);
  EXPECT_EQ(part->image.firstTimePoint, 2);
  EXPECT_EQ(part->image.timePointsRead, 1);
  EXPECT_EQ(part->image.info, whole->image.info);
  const std::size_t volume = 8 * 6 * 5 * 2;
  ASSERT_EQ(part->voxels.size(), volume + Volume::paddingBytes);
  EXPECT_EQ(std::memcmp(part->voxels.data(), whole->voxels.data() + 2 * volume, volume), 0);
}

TEST(DicomFrames, TimeStepAndWindowsComeFromTheFunctionalGroups) {
  const ImageInfo info = infoOf({"enhanced_4d_scaled.dcm"});
  EXPECT_NEAR(info.timeStepSeconds, 2, 1e-9);
  EXPECT_THAT(info.windowPresets, ElementsAre(WindowPreset{"brain", 0, 1000}, WindowPreset{"bone", 700, 1100}));
  EXPECT_EQ(info.windowHigh, 1000);
  EXPECT_THAT(info.warnings, Contains(HasSubstr("scale differs")));
}

TEST(DicomFrames, DiffusionDirectionsAreInRas) {
  const ImageInfo info = infoOf({"enhanced_dwi.dcm"});
  ASSERT_TRUE(info.diffusion);
  EXPECT_THAT(info.diffusion->bValues, ElementsAre(0, 1000, 1000, 1000));
  EXPECT_EQ(info.diffusion->directions[1], (Vec3{-1, 0, 0}));
  EXPECT_EQ(info.diffusion->directions[2], (Vec3{0, -0.6, 0.8}));
  EXPECT_EQ(info.diffusion->directions[3], (Vec3{0, 0.6, 0.8}));
}

TEST(DicomFrames, OneOfSeveralImagesOfAFileIsReadByItsName) {
  const std::string file = "enhanced_two_planes_two_echoes.dcm";
  EXPECT_THAT(infoOf({file}).warnings, Contains(HasSubstr("holds 4 images")));
  ReadOptions options;
  options.series = "1.2.3#2@6";
  const auto sagittal = read({file}, options);
  ASSERT_TRUE(sagittal) << sagittal.error().what;
  EXPECT_EQ(orientationCode(sagittal->image.info.worldFromVoxel), "PIR");
  options.series = "1.2.3#9@99";
  EXPECT_EQ(read({file}, options).error().code, ErrorCode::notFound);
}

TEST(DicomFrames, ACineHasAFrameTimeAndTheSpacingOfItsRegion) {
  const ImageInfo info = infoOf({"us_cine_jpeg.dcm"});
  EXPECT_EQ(info.timePoints, 4);
  EXPECT_NEAR(info.timeStepSeconds, 0.04, 1e-12);
  EXPECT_THAT(spacingMm(info.worldFromVoxel), ElementsAre(0.2, 0.3, 1));
  EXPECT_THAT(info.warnings, Contains(HasSubstr("no position in space")));
}

TEST(DicomFrames, UnitsAreTold) {
  EXPECT_EQ(infoOf({"enhanced_ct_rle.dcm"}).unit, "HU");
  EXPECT_EQ(infoOf({"modality_table.dcm"}).unit, "HU");
  EXPECT_EQ(infoOf({"dose_32_bit.dcm"}).unit, "Gy");
  const ImageInfo pet = infoOf({"pet/0.dcm", "pet/1.dcm", "pet/2.dcm"});
  EXPECT_EQ(pet.unit, "Bq/mL");
  ASSERT_EQ(pet.otherUnits.size(), 1U);
  EXPECT_EQ(pet.otherUnits[0].unit, "SUVbw");
  // 70 kg, 370 MBq injected at 23:10 the day before; the scan began at 00:10.
  EXPECT_NEAR(pet.otherUnits[0].factor, 70e3 / (370e6 * std::exp2(-3600 / 6586.2)), 1e-12);
}

/// A data set in explicit little endian, made element by element.
class MadeDataset {
 public:
  MadeDataset& text(std::uint32_t tag, const std::string& vr, std::string value) {
    if (value.size() % 2 != 0) value += ' ';
    head(tag, vr);
    number(value.size(), 2);
    append(value.data(), value.size());
    return *this;
  }
  MadeDataset& item(std::uint32_t tag, const MadeDataset& inner) {
    head(tag, "SQ");
    number(0, 2);
    number(inner.bytes_.size() + 8, 4);
    number(0xE000FFFE, 4);
    number(inner.bytes_.size(), 4);
    bytes_.insert(bytes_.end(), inner.bytes_.begin(), inner.bytes_.end());
    return *this;
  }
  [[nodiscard]] DicomItem parsed() {
    layout_.dataset = bytes_;
    layout_.explicitVr = true;
    return DicomItem(layout_);
  }

 private:
  void head(std::uint32_t tag, const std::string& vr) {
    number(tag >> 16, 2);
    number(tag & 0xFFFF, 2);
    append(vr.data(), 2);
  }
  void number(std::size_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  void append(const char* from, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(from[i]));
  }
  Bytes bytes_;
  DicomLayout layout_;
};

struct PetCase {
  const char* what;
  std::string correction, weight, dose, halfLife, injected, seriesTime;
  double expected;  // 0: none
};

TEST(DicomFrames, SuvNeedsAllThatItIsMadeOf) {
  const double start = 70e3 / (4e8 * std::exp2(-1.0));
  const PetCase cases[] = {
      {"decay to the start", "START", "70", "4e8", "3600", "100000", "110000", start},
      {"decay to administration", "ADMIN", "70", "4e8", "", "", "", 70e3 / 4e8},
      {"over midnight", "START", "70", "4e8", "3600", "233000", "003000", start},
      {"series time of a processing", "START", "70", "4e8", "3600", "100000", "180000", start},
      {"no weight", "START", "", "4e8", "3600", "100000", "110000", 0},
      {"dose in MBq", "START", "70", "400", "3600", "100000", "110000", 0},
      {"no half-life", "START", "70", "4e8", "", "100000", "110000", 0},
      {"no injection time", "START", "70", "4e8", "3600", "", "110000", 0},
      {"not corrected", "NONE", "70", "4e8", "3600", "100000", "110000", 0},
  };
  for (const PetCase& c : cases) {
    MadeDataset made, drug;
    drug.text(0x00181072, "TM", c.injected).text(0x00181074, "DS", c.dose).text(0x00181075, "DS", c.halfLife);
    made.text(0x00080021, "DA", "20240102").text(0x00080031, "TM", c.seriesTime).text(0x00101030, "DS", c.weight);
    made.item(0x00540016, drug).text(0x00541102, "CS", c.correction);
    const std::string earliest = c.seriesTime == "180000" ? "110000" : "";
    std::string why;
    const auto factor = suvFactor(made.parsed(), earliest, why);
    EXPECT_EQ(factor.has_value(), c.expected > 0) << c.what << ": " << why;
    EXPECT_NEAR(factor.value_or(0), c.expected, 1e-12) << c.what;
    EXPECT_EQ(why.empty(), factor.has_value()) << c.what;
  }
}

TEST(DicomFrames, PrivateElementsAreFoundByTheirCreator) {
  MadeDataset made;
  made.text(0x00190010, "LO", "OTHER").text(0x00190011, "LO", "SIEMENS MR HEADER").text(0x0019110C, "IS", "1000");
  const DicomItem item = made.parsed();
  EXPECT_EQ(item.privateTag(0x0019, "SIEMENS MR HEADER", 0x0C), 0x0019110CU);
  EXPECT_EQ(item.privateTag(0x0019, "OTHER", 0x0C), 0U);
  EXPECT_EQ(item.number(0x0019110C), 1000);
}

TEST(DicomFrames, FunctionalGroupsAreReadForEachFrame) {
  const Bytes bytes = bytesOf("enhanced_dwi.dcm");
  const auto layout = dicomLayout(bytes, "dwi");
  ASSERT_TRUE(layout);
  const DicomFrames groups = framesOf(DicomItem(*layout));
  ASSERT_EQ(groups.frames.size(), 12U);
  ASSERT_EQ(groups.dimensions.size(), 2U);
  EXPECT_EQ(groups.dimensions[0].pointer, 0x00209057U);
  const DicomFrame& frame = groups.frames[7];  // second place, last direction
  EXPECT_EQ(frame.positionLps, (Vec3{0, 0, 5}));
  EXPECT_EQ(frame.pixelSpacing, (std::array<double, 2>{2, 1.5}));
  EXPECT_EQ(frame.bValue, 1000);
  EXPECT_EQ(frame.gradientLps, (Vec3{0, -0.6, 0.8}));
  EXPECT_THAT(frame.dimensionIndices, ElementsAre(2, 4));
  EXPECT_EQ(frame.stackId, "1");
}

Bytes rleFrame(std::initializer_list<std::vector<int>> segments) {
  Bytes frame(64);
  std::uint32_t words[16] = {static_cast<std::uint32_t>(segments.size())};
  std::uint32_t at = 64, n = 1;
  for (const auto& segment : segments) {
    words[n++] = at;
    for (const int b : segment) frame.push_back(static_cast<std::byte>(b));
    at += static_cast<std::uint32_t>(segment.size());
  }
  std::memcpy(frame.data(), words, 64);
  return frame;
}

TEST(DicomRle, PutsTheHighByteFirstAndReadsNothingBehindASegment) {
  // Four samples of 16 bits: high bytes a run of 1, low bytes literal.
  const Bytes good = rleFrame({{253, 1}, {3, 10, 11, 12, 13}});
  Bytes target(8);
  ASSERT_TRUE(decodeRle(good, 1, 2, target, "a"));
  std::uint16_t samples[4];
  std::memcpy(samples, target.data(), 8);
  EXPECT_THAT(samples, ElementsAre(266, 267, 268, 269));
  const Bytes bad[] = {rleFrame({{253, 1}, {3, 10, 11}}),
                       rleFrame({{253}, {3, 1, 2, 3, 4}}),
                       rleFrame({{253, 1}}),
                       rleFrame({{254, 1}, {3, 1, 2, 3, 4}}),
                       Bytes(10),
                       Bytes(64)};
  for (const Bytes& frame : bad) EXPECT_FALSE(decodeRle(frame, 1, 2, target, "a"));
  Bytes outside = good;
  outside[8] = std::byte{0xFF};  // of the second offset
  EXPECT_FALSE(decodeRle(outside, 1, 2, target, "a"));
}

TEST(CsaHeader, IsEmptyWhereItIsDamaged) {
  EXPECT_TRUE(CsaHeader(std::span<const std::byte>{}).texts("B_value").empty());
  Bytes lie(200, std::byte{0xFF});
  std::memcpy(lie.data(), "SV10", 4);
  EXPECT_TRUE(CsaHeader(lie).texts("B_value").empty());
  EXPECT_EQ(infoOf({"mosaic.dcm"}).dims, (std::array<std::int64_t, 3>{8, 8, 35}));
}

TEST(CsaHeader, ProtocolNumbersAreFoundByTheirWholeName) {
  const std::string text =
      "junk\n### ASCCONV BEGIN ###\na.b[10] = 5\na.b[1]\t = \t-2.5\n### ASCCONV END ###\na.c = 1\n";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(protocolNumber(bytes, "a.b[1]"), -2.5);
  EXPECT_FALSE(protocolNumber(bytes, "a.b"));
  EXPECT_FALSE(protocolNumber(bytes, "a.c"));
}

}  // namespace
}  // namespace nora
