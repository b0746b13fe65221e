// DicomReader on real, re-encoded and synthetic files, against what pydicom and numpy say of them
// (dicom_reference/make_reference.py).
#include "image/io/dicom_reader.hpp"
#include "image/io/dicom_header.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;

using Bytes = std::vector<std::byte>;

const std::filesystem::path folder = std::filesystem::path(NORA_TEST_DATA) / "dicom";

Bytes bytesOf(const std::string& file) {
  std::ifstream stream(folder / file, std::ios::binary);
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

Result<Volume> readBytes(const std::vector<Bytes>& contents) {
  std::vector<InputFile> inputs;
  for (std::size_t i = 0; i < contents.size(); ++i) inputs.push_back({"file" + std::to_string(i), contents[i]});
  VectorSink sink;
  auto image = DicomReader().read(inputs, {}, sink);
  if (!image) return tl::make_unexpected(image.error());
  const std::size_t size = sink.bytes.size() - Volume::paddingBytes;
  return Volume::copyOf(image->info, std::span(sink.bytes).first(size), "test");
}

Result<Volume> readFiles(const std::vector<std::string>& files) {
  std::vector<Bytes> contents;
  for (const auto& file : files) contents.push_back(bytesOf(file));
  return readBytes(contents);
}

Result<DicomHeader> peekHeader(const std::string& file) {
  const Bytes bytes = bytesOf(file);
  const auto summary = DicomReader().peek({file, bytes});
  if (!summary) return tl::make_unexpected(summary.error());
  EXPECT_EQ(summary->kind, "dicom");
  return dicomHeaderFromJson(summary->header);
}

const json& reference() {
  static const json answer = json::parse(std::ifstream(folder / "reference.json"));
  return answer;
}

class DicomStacks : public testing::TestWithParam<std::size_t> {
 protected:
  const json& stack() const { return reference()["stacks"][GetParam()]; }
};

TEST_P(DicomStacks, HaveTheValuesThatPydicomGivesAtTheSamePlaces) {
  const auto volume = readFiles(stack()["files"]);
  ASSERT_TRUE(volume) << volume.error().what;
  const ImageInfo& info = volume->info();
  EXPECT_EQ(info.format, "DICOM");
  EXPECT_EQ(info.affineSource, "dicom");
  EXPECT_EQ(info.dims, (std::array<std::int64_t, 3>{stack()["columns"], stack()["rows"], stack()["slices"]}));
  EXPECT_EQ(info.timePoints, stack()["timePoints"]);
  EXPECT_GT(determinant(info.worldFromVoxel), 0);
  const double tolerance = stack()["tolerance"].get<double>() + 1e-9;
  for (const auto& probe : stack()["probes"]) {
    const Vec3 at = volume->voxelFromWorld().point(probe["mm"]);
    for (const double v : at) EXPECT_NEAR(v, std::round(v), 1e-4) << probe;
    const auto x = std::lround(at[0]), y = std::lround(at[1]), z = std::lround(at[2]);
    const std::int64_t t = probe["time"];
    if (probe["value"].is_array()) {
      const std::byte* rgb = volume->frame(t) + ((z * info.dims[1] + y) * info.dims[0] + x) * 3;
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(static_cast<double>(rgb[c]), probe["value"][c].get<double>(), tolerance) << probe;
    } else {
      EXPECT_NEAR(volume->value(x, y, z, t), probe["value"].get<double>(), tolerance) << probe;
    }
  }
}

TEST_P(DicomStacks, HaveTheSumOfAllPixels) {
  const auto volume = readFiles(stack()["files"]);
  ASSERT_TRUE(volume) << volume.error().what;
  const ImageInfo& info = volume->info();
  double sum = 0;
  const std::size_t voxels = static_cast<std::size_t>(info.dims[0] * info.dims[1] * info.dims[2]);
  for (std::int64_t t = 0; t < info.timePoints; ++t) {
    if (isColour(info.type)) {
      for (std::size_t i = 0; i < voxels * 3; ++i) sum += static_cast<double>(volume->frame(t)[i]);
    } else {
      for (std::size_t i = 0; i < voxels; ++i)
        sum += volume->value(static_cast<std::int64_t>(i) % info.dims[0],
                             static_cast<std::int64_t>(i) / info.dims[0] % info.dims[1],
                             static_cast<std::int64_t>(i) / info.dims[0] / info.dims[1], t);
    }
  }
  const double tolerance = stack()["tolerance"].get<double>() * static_cast<double>(voxels) * 3 + 1e-3;
  EXPECT_NEAR(sum, stack()["sum"].get<double>(), tolerance);
}

INSTANTIATE_TEST_SUITE_P(Reference, DicomStacks, testing::Range(std::size_t{0}, reference()["stacks"].size()),
                         [](const auto& param) {
                           std::string name = reference()["stacks"][param.param]["name"];
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

TEST(DicomReader, HeadersAreWhatPydicomSays) {
  for (const auto& expected : reference()["headers"]) {
    const auto header = peekHeader(expected["file"]);
    ASSERT_TRUE(header) << header.error().what;
    const json actual = toJson(*header);
    for (const auto& [key, value] : expected.items()) {
      if (key == "file") continue;
      EXPECT_EQ(actual[key], value) << expected["file"] << " " << key;
    }
  }
}

TEST(DicomReader, TheMarkedLeftSideIsAtNegativeX) {
  const auto volume = readFiles({"made/left/0.dcm", "made/left/1.dcm", "made/left/2.dcm", "made/left/3.dcm"});
  ASSERT_TRUE(volume) << volume.error().what;
  // The block lies at LPS x from 5 to 11, y from -5 to 2.5; its brightness rises towards the head.
  EXPECT_EQ(probeAtMm(*volume, {-8, 1, 0}, 0).value, 100);
  EXPECT_EQ(probeAtMm(*volume, {-8, 1, 9}, 0).value, 250);
  EXPECT_EQ(probeAtMm(*volume, {8, 1, 9}, 0).value, 10);
  EXPECT_EQ(orientationCode(volume->worldFromVoxel()), "LPS");
  EXPECT_THAT(spacingMm(volume->worldFromVoxel()), testing::ElementsAre(2, 2.5, 3));
}

TEST(DicomReader, CtIsInHounsfieldUnitsWithItsFirstWindow) {
  const auto volume = readFiles({"made/sheared/0.dcm", "made/sheared/1.dcm", "made/sheared/2.dcm"});
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->info().type, VoxelType::uint16);
  EXPECT_EQ(volume->info().inter, -1024);
  EXPECT_EQ(volume->info().windowLow, -160);
  EXPECT_EQ(volume->info().windowHigh, 240);
  EXPECT_EQ(volume->info().modality, "CT");
  EXPECT_NEAR(volume->worldFromVoxel()(1, 2), -0.8, 1e-9);
}

TEST(DicomReader, ScaleThatDiffersBySliceIsApplied) {
  const auto volume = readFiles({"made/pet/0.dcm", "made/pet/1.dcm", "made/pet/2.dcm"});
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_EQ(volume->info().type, VoxelType::float32);
  EXPECT_EQ(volume->info().slope, 1);
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("scale differs")));
}

TEST(DicomReader, Monochrome1KeepsItsValuesAndTurnsTheWindowRound) {
  const auto volume = readFiles({"made/monochrome1.dcm"});
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_GT(volume->info().windowLow.value(), volume->info().windowHigh.value());
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("MONOCHROME1")));
}

TEST(DicomReader, TimeStepIsTheRepetitionTime) {
  const auto volume = readFiles(reference()["stacks"][4]["files"]);
  ASSERT_TRUE(volume) << volume.error().what;
  EXPECT_NEAR(volume->info().timeStepSeconds, 2.0, 1e-5);
  EXPECT_EQ(volume->info().description, "func_task-oneback_run-1");
}

TEST(DicomReader, AMissingSliceHasNoValues) {
  const auto volume =
      readFiles({"made/sheared/0.dcm", "made/sheared/1.dcm", "made/sheared/2.dcm", "made/sheared/4.dcm"});
  const auto whole = readFiles(
      {"made/sheared/0.dcm", "made/sheared/1.dcm", "made/sheared/2.dcm", "made/sheared/3.dcm", "made/sheared/4.dcm"});
  ASSERT_TRUE(volume && whole);
  EXPECT_EQ(volume->dims(), whole->dims());
  EXPECT_EQ(volume->worldFromVoxel(), whole->worldFromVoxel());
  EXPECT_EQ(volume->value(3, 3, 4), whole->value(3, 3, 4));
  EXPECT_TRUE(std::isnan(volume->value(3, 3, 3)));
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("1 slice is missing")));
}

TEST(DicomReader, RefusesWhatItCannotShowAndNamesIt) {
  const auto what = [](const std::vector<std::string>& files) {
    const auto volume = readFiles(files);
    return volume ? std::string("read") : std::string(toString(volume.error().code)) + ": " + volume.error().what;
  };
  EXPECT_THAT(what({"small/test-SR.dcm"}), HasSubstr("unsupported: structured report"));
  EXPECT_THAT(what({"small/CT_small.dcm", "small/MR_small.dcm"}), HasSubstr("invalidInput: the files make 2 images"));
  EXPECT_THAT(what({}), HasSubstr("invalidInput"));
}

TEST(DicomReader, RecognisesByContentOnly) {
  const auto recognises = [](const std::string& file) {
    const Bytes bytes = bytesOf(file);
    return DicomReader().recognises({file, bytes});
  };
  EXPECT_TRUE(recognises("small/CT_small.dcm"));
  EXPECT_TRUE(recognises("made/mr_without_preamble.dcm"));
  EXPECT_TRUE(recognises("fileset/DICOMDIR"));
  EXPECT_FALSE(recognises("LICENCES.md"));
  EXPECT_FALSE(recognises("reference.json"));
  Bytes nifti(400);
  nifti[0] = std::byte{0x5C};
  nifti[1] = std::byte{0x01};
  EXPECT_FALSE(DicomReader().recognises({"a.dcm", nifti}));
  EXPECT_FALSE(DicomReader().recognises({"empty.nii", {}}));
  const Bytes zeros(1000);
  EXPECT_FALSE(DicomReader().recognises({"zeros.dcm", zeros}));
}

TEST(DicomReader, ADicomdirIsNoImage) {
  const Bytes bytes = bytesOf("fileset/DICOMDIR");
  const auto summary = DicomReader().peek({"DICOMDIR", bytes});
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->kind, "other");
  EXPECT_EQ(summary->format, "DICOMDIR");
  EXPECT_TRUE(summary->header.is_null());
}

TEST(DicomReader, PixelDataThatIsCutOffNamesTheFile) {
  for (const std::string file : {"small/CT_small.dcm", "made/ct_jpeg_lossless.dcm", "made/ct_rle.dcm"}) {
    std::vector<Bytes> contents{bytesOf(file)};
    contents[0].resize(contents[0].size() - 200);
    const auto volume = readBytes(contents);
    ASSERT_FALSE(volume) << file;
    EXPECT_EQ(volume.error().code, ErrorCode::invalidInput);
    EXPECT_THAT(volume.error().what, HasSubstr("cut off"));
    EXPECT_EQ(volume.error().where, "file0");
    const auto summary = DicomReader().peek({file, contents[0]});
    ASSERT_TRUE(summary) << "the header is whole";
    EXPECT_THAT(dicomHeaderFromJson(summary->header)->damage, HasSubstr("cut off"));
  }
}

TEST(DicomReader, RubbishBehindThePixelsIsIgnored) {
  std::vector<Bytes> contents{bytesOf("small/MR_small.dcm")};
  contents[0].resize(contents[0].size() + 100'000);
  EXPECT_TRUE(readBytes(contents));
}

TEST(DicomReader, BottomlessNestingIsRefused) {
  Bytes bytes = bytesOf("made/left/0.dcm");
  bytes.resize(bytes.size() - 512 - 12);  // the pixel data
  const unsigned char level[] = {0x40, 0,    0x75, 2,    'S', 'Q',  0,    0,    0xFF, 0xFF,
                                 0xFF, 0xFF, 0xFE, 0xFF, 0,   0xE0, 0xFF, 0xFF, 0xFF, 0xFF};
  for (int i = 0; i < 100'000; ++i) {
    for (const unsigned char c : level) bytes.push_back(std::byte{c});
  }
  const auto summary = DicomReader().peek({"deep", bytes});
  ASSERT_FALSE(summary);
  EXPECT_THAT(summary.error().what, HasSubstr("too deeply"));
}

TEST(DicomReader, ATransferSyntaxOfRubbishStillMakesAValidHeader) {
  Bytes bytes = bytesOf("made/left/0.dcm");
  const std::string syntax = "1.2.840.10008.1.2.1";
  const auto text = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bytes[text.find(syntax) + 3] = std::byte{0xFF};
  const auto summary = DicomReader().peek({"a", bytes});
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_NO_THROW((void)summary->header.dump());
}

TEST(DicomReader, EveryTruncationEndsInAnAnswer) {
  for (const std::string file :
       {"made/ct_deflated.dcm", "made/ct_rle.dcm", "made/rgb_jpeg_baseline.dcm", "made/mr_without_preamble.dcm"}) {
    const Bytes whole = bytesOf(file);
    for (std::size_t sixteenths = 0; sixteenths < 16; ++sixteenths) {
      const std::vector<Bytes> contents{
          Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenths / 16))};
      EXPECT_FALSE(readBytes(contents)) << file << " " << sixteenths;
      const auto summary = DicomReader().peek({file, contents[0]});
      if (!summary) {
        EXPECT_FALSE(summary.error().what.empty());
      }
    }
  }
}

}  // namespace
}  // namespace nora
