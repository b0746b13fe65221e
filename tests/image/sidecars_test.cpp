#include "image/io/sidecars.hpp"

#include "image/io/freesurfer_labels.hpp"

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::string stored(const std::string& name) {
  std::ifstream in(std::string(NORA_TEST_DATA) + "/formats/" + name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Sidecars with their contents.
class Files {
 public:
  explicit Files(std::vector<std::pair<std::string, std::string>> files) : contents_(std::move(files)) {
    for (const auto& [name, content] : contents_) inputs_.push_back({name, std::as_bytes(std::span(content))});
  }
  [[nodiscard]] const std::vector<InputFile>& inputs() const { return inputs_; }

 private:
  std::vector<std::pair<std::string, std::string>> contents_;
  std::vector<InputFile> inputs_;
};

ImageInfo image(std::int64_t timePoints = 1) {
  ImageInfo info;
  info.format = "NIfTI-1";
  info.dims = {4, 5, 6};
  info.timePoints = timePoints;
  info.type = VoxelType::int16;
  return info;
}

ImageInfo applied(ImageInfo info, std::vector<std::pair<std::string, std::string>> files,
                  const std::string& name = "a.nii") {
  const Files sidecars(std::move(files));
  applySidecars(info, sidecars.inputs(), name);
  return info;
}

TEST(Sidecars, DirectionsAreThoseOfMrtrix) {
  const json answers = json::parse(stored("sidecars/gradients.json"));
  ASSERT_EQ(answers.size(), 5U);
  for (const json& answer : answers) {
    SCOPED_TRACE(answer["note"].get<std::string>());
    const std::string name = answer["name"];
    ImageInfo info = image(answer["timePoints"]);
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 4; ++c) info.worldFromVoxel(r, c) = answer["affine"][r][c];
    }
    const auto done = applied(info, {{name + ".bval", stored("sidecars/" + name + ".bval")},
                                     {name + ".bvec", stored("sidecars/" + name + ".bvec")}});
    EXPECT_THAT(done.warnings, IsEmpty());
    ASSERT_TRUE(done.diffusion);
    ASSERT_EQ(done.diffusion->bValues.size(), answer["rows"].size());
    EXPECT_EQ(done.diffusion->source, name + ".bval");
    for (std::size_t i = 0; i < answer["rows"].size(); ++i) {
      const json& row = answer["rows"][i];
      // mrinfo scales b by the squared length of the direction as written.
      EXPECT_NEAR(done.diffusion->bValues[i], row[3].get<double>(), 0.01) << i;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const double expected = row[axis].is_null() ? 0 : row[axis].get<double>();
        EXPECT_NEAR(done.diffusion->directions[i][axis], expected, 2e-6) << i << " " << axis;
      }
    }
  }
}

TEST(Sidecars, GradientsMayStandInRowsOrColumnsWithAnySeparator) {
  const std::string rows = "0, 1000\t700\r\n", columns = "0\n1000\n700\n";
  const std::string vectorRows = "nan 1 0\nNaN 0 1\nnan 0 0\n";
  const auto expected = applied(image(3), {{"a.bval", rows}, {"a.bvec", vectorRows}});
  ASSERT_TRUE(expected.diffusion);
  EXPECT_THAT(expected.diffusion->bValues, ElementsAre(0, 1000, 700));
  EXPECT_EQ(expected.diffusion->directions[0], (Vec3{0, 0, 0}));
  EXPECT_EQ(expected.diffusion->directions[1], (Vec3{-1, 0, 0}));
  EXPECT_EQ(expected.diffusion->directions[2], (Vec3{0, 1, 0}));
  EXPECT_EQ(applied(image(3), {{"a.bval", columns}, {"a.bvec", vectorRows}}).diffusion, expected.diffusion);
  const auto four = applied(image(4), {{"a.bval", "0 1 2 3"}, {"a.bvec", "0 0 0\n1,0,0\n0 2 0\n0 0 1\n"}});
  ASSERT_TRUE(four.diffusion);
  EXPECT_EQ(four.diffusion->directions[2], (Vec3{0, 1, 0}));
}

TEST(Sidecars, GradientsThatDoNotFitAreLeftOutWithAWarning) {
  const std::string vectors = "0 1 0\n0 0 1\n0 0 0\n";
  const auto warning = [&](const std::string& bval, const std::string& bvec, std::int64_t volumes = 3) {
    const auto done = applied(image(volumes), {{"d/a.bval", bval}, {"d/a.bvec", bvec}});
    EXPECT_FALSE(done.diffusion);
    return done.warnings.size() == 1 ? done.warnings[0] : "not one warning";
  };
  EXPECT_EQ(warning("0 1", vectors), "a.bval: 2 b-values for 3 volumes; it is left out");
  EXPECT_EQ(warning("0 1 2 3", vectors, 4), "a.bvec: 3 directions for 4 volumes; it is left out");
  EXPECT_THAT(warning("0 x 1", vectors), HasSubstr("line 1: \"x\" is no number"));
  EXPECT_THAT(warning("0 1 2", "0 1 0\n0 0 1\n0 0\n"), HasSubstr("three rows"));
  EXPECT_THAT(warning("0 1\n2 3\n", vectors), HasSubstr("one row"));
  EXPECT_THAT(warning("0 -1 2", vectors), HasSubstr("negative"));
  EXPECT_THAT(warning("", vectors), HasSubstr("no b-values"));
  const auto alone = applied(image(3), {{"a.bval", "0 1 2"}});
  EXPECT_THAT(alone.warnings, ElementsAre(HasSubstr("both")));
}

TEST(Sidecars, GradientsOfAFolderAreTakenOnlyWhereTheyFit) {
  const std::vector<std::pair<std::string, std::string>> files{{"d/bvals", "0 1 2"},
                                                               {"d/bvecs", "0 1 0\n0 0 1\n0 0 0\n"}};
  EXPECT_TRUE(applied(image(3), files).diffusion);
  const auto other = applied(image(1), files);
  EXPECT_FALSE(other.diffusion);
  EXPECT_THAT(other.warnings, IsEmpty());
}

TEST(Sidecars, GradientsOfTheImageItselfStay) {
  ImageInfo info = image(1);
  info.diffusion = DiffusionScheme{"in the image", {5}, {Vec3{}}};
  EXPECT_EQ(applied(info, {{"a.bval", "7"}, {"a.bvec", "1\n0\n0\n"}}).diffusion->bValues[0], 5);
}

TEST(Sidecars, BidsMetadataBecomeFieldsWithoutPersons) {
  const auto done = applied(image(17), {{"d/dwi.json", stored("sidecars/dwi_philips_2mm.json")}});
  EXPECT_THAT(done.fields, Contains(Pair("EchoTime", "0.069355")));
  EXPECT_THAT(done.fields, Contains(Pair("Manufacturer", "Philips")));
  EXPECT_THAT(done.fields, Contains(Pair("ImageType", "ORIGINAL, PRIMARY, M, SE, M, SE")));
  EXPECT_DOUBLE_EQ(done.timeStepSeconds, 4.17567);
  EXPECT_EQ(done.description, "DTI_Biobank_2mm_MB3S2_EPI");
  EXPECT_EQ(done.modality, "MR");
  EXPECT_THAT(done.warnings, IsEmpty());
  const auto person =
      applied(image(), {{"a.json", R"({"PatientName":"X^Y","EchoTime":1,"SliceTiming":[1,2,3,4,5,6,7,8,9]})"}});
  EXPECT_THAT(person.fields, ElementsAre(Pair("EchoTime", "1"), Pair("SliceTiming", "9 numbers")));
}

TEST(Sidecars, ARepetitionTimeThatDiffersIsAWarning) {
  ImageInfo info = image(5);
  info.timeStepSeconds = 2;
  const auto same = applied(info, {{"a.json", R"({"RepetitionTime":2.0005})"}});
  EXPECT_THAT(same.warnings, IsEmpty());
  const auto other = applied(info, {{"a.json", R"({"RepetitionTime":2.5})"}});
  EXPECT_THAT(other.warnings, ElementsAre("a.json: the repetition time is 2.5 s, but the image says 2.0 s"));
  EXPECT_EQ(other.timeStepSeconds, 2);
  EXPECT_EQ(applied(image(1), {{"a.json", R"({"RepetitionTime":2.5})"}}).timeStepSeconds, 0);
}

TEST(Sidecars, UnitsAreTakenWhereTheImageHasNone) {
  EXPECT_EQ(applied(image(), {{"a.json", R"({"Units":"Bq/mL"})"}}).unit, "Bq/mL");
  ImageInfo info = image();
  info.unit = "HU";
  EXPECT_EQ(applied(info, {{"a.json", R"({"Units":"Bq/mL"})"}}).unit, "HU");
}

TEST(Sidecars, DamagedMetadataAreAWarning) {
  EXPECT_THAT(applied(image(), {{"d/a.json", "{\"a\":1,\n\"b\":}"}}).warnings,
              ElementsAre("a.json: not valid JSON (line 2)"));
  EXPECT_THAT(applied(image(), {{"a.json", std::string(5000, '[')}}).warnings, ElementsAre(HasSubstr("nested")));
  EXPECT_THAT(applied(image(), {{"a.json", "[1]"}}).warnings, ElementsAre(HasSubstr("no metadata")));
  EXPECT_THAT(applied(image(), {{"a.json", ""}}).warnings, ElementsAre(HasSubstr("not valid")));
}

TEST(Sidecars, NamesAndColoursOfLabelsComeTogether) {
  const auto done =
      applied(image(), {{"aal.nii.txt", stored("labels/aal.nii.txt")}, {"aal.nii.lut", stored("labels/aal.nii.lut")}},
              "aal.nii.gz");
  ASSERT_TRUE(done.labels);
  EXPECT_EQ(done.labels->find(3)->name, "Frontal_Sup_L");
  EXPECT_EQ(done.labels->find(3)->rgba[0], 203);
  EXPECT_THAT(done.warnings, IsEmpty());
}

TEST(Sidecars, JsonBesideAnImageMayBeALookUpTable) {
  const auto done = applied(image(), {{"AllenAtlas.json", stored("labels/AllenAtlas.json")}});
  ASSERT_TRUE(done.labels);
  EXPECT_EQ(done.labels->source(), "AllenAtlas.json");
  EXPECT_THAT(done.fields, IsEmpty());
}

TEST(Sidecars, LabelsAreTakenOnlyByImagesOfWholeNumbers) {
  const std::vector<std::pair<std::string, std::string>> table{{"a_LUT.txt", "1 a 1 2 3 255\n2 b 3 4 5 255\n"}};
  EXPECT_TRUE(applied(image(), table).labels);
  ImageInfo real = image();
  real.type = VoxelType::float32;
  EXPECT_FALSE(applied(real, table).labels);
  real.statistics = VoxelStatistics{};
  real.statistics->integral = true;
  EXPECT_TRUE(applied(real, table).labels);
  ImageInfo colour = image();
  colour.type = VoxelType::rgb24;
  EXPECT_FALSE(applied(colour, table).labels);
  ImageInfo scaled = image();
  scaled.slope = 0.5;
  EXPECT_FALSE(applied(scaled, table).labels);
}

TEST(Sidecars, TextsThatOnlyMayBeTablesNeedANameThatSaysSo) {
  const std::string list = "1 first visit\n2 second visit\n";
  EXPECT_FALSE(applied(image(), {{"a.txt", list}}).labels);
  EXPECT_TRUE(applied(image(), {{"a.label.txt", list}}).labels);
  EXPECT_TRUE(applied(image(), {{"a.nii.txt", list}}).labels);
}

TEST(Sidecars, FreeSurferSegmentationsHaveABuiltInTable) {
  const auto done = applied(image(), {}, "mri/aparc.a2009s+aseg.mgz");
  ASSERT_TRUE(done.labels);
  EXPECT_EQ(done.labels->source(), "FreeSurfer");
  const auto expect = [&](std::int64_t value, const std::string& name, std::array<std::uint8_t, 4> rgba) {
    ASSERT_NE(done.labels->find(value), nullptr) << value;
    EXPECT_EQ(done.labels->find(value)->name, name);
    EXPECT_EQ(done.labels->find(value)->rgba, rgba) << name;
  };
  expect(17, "Left-Hippocampus", {220, 216, 20, 255});
  expect(53, "Right-Hippocampus", {220, 216, 20, 255});
  expect(2024, "ctx-rh-precentral", {60, 20, 220, 255});
  expect(3001, "wm-lh-bankssts", {230, 155, 215, 255});
  expect(4035, "wm-rh-insula", {0, 63, 223, 255});
  expect(12146, "ctx_rh_S_central", {221, 20, 10, 255});
  expect(11175, "ctx_lh_S_temporal_transverse", {221, 60, 60, 255});
  EXPECT_EQ(done.labels->find(0)->rgba[3], 0);
  EXPECT_FALSE(applied(image(), {}, "mri/norm.mgz").labels);
  const auto own = applied(image(), {{"aseg_LUT.txt", "17 mine 1 2 3 255\n18 too 1 2 3 255\n"}}, "aseg.nii.gz");
  EXPECT_EQ(own.labels->find(17)->name, "mine");
}

TEST(Sidecars, NamesOfSidecarsFollowTheImage) {
  EXPECT_THAT(sidecarsOf("d/aal.nii.gz"),
              ::testing::IsSupersetOf({"d/aal.json", "d/aal.bval", "d/aal.bvec", "d/aal.nii.txt", "d/aal.nii.lut",
                                       "d/aal.label.txt", "d/aal_LUT.txt", "d/aal.tsv", "d/bvals", "d/bvecs"}));
  EXPECT_THAT(sidecarsOf("IM0001"), IsEmpty());
  for (const char* name : {"d/a.nii", "a.mgz", "a.MIF.GZ", "x.y.nrrd"}) {
    for (const auto& sidecar : sidecarsOf(name)) EXPECT_NE(sidecar, name);
  }
  EXPECT_THAT(imagesOfSidecar("d/a.bval"), Contains("d/a.nii.gz"));
  EXPECT_THAT(imagesOfSidecar("d/a.nii.json"), Contains("d/a.nii.gz"));
  EXPECT_THAT(imagesOfSidecar("d/a.csv"), IsEmpty());
  EXPECT_TRUE(isSidecar("d/a.json"));
  EXPECT_TRUE(isSidecar("bvals"));
  EXPECT_FALSE(isSidecar("a.nii.gz"));
  EXPECT_FALSE(isSidecar("a.pdf"));
}

TEST(Sidecars, DamagedSidecarsNeverHarm) {
  std::mt19937 random(11);
  const std::vector<std::string> names{"dwi_philips_2mm.bval", "dwi_philips_2mm.bvec", "dwi_philips_2mm.json"};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string& name : names) {
      std::string content = stored("sidecars/" + name);
      for (int flip = 0; flip < 3; ++flip) content[random() % content.size()] = static_cast<char>(random());
      content.resize(content.size() * (random() % 17) / 16);
      files.emplace_back(name, std::move(content));
    }
    const auto done = applied(image(17), std::move(files));
    const auto again = imageInfoFromJson(json::parse(toJson(done).dump()));
    ASSERT_TRUE(again) << describe(again.error());
    if (!done.diffusion) continue;
    for (const Vec3& g : done.diffusion->directions) EXPECT_TRUE(std::abs(length(g) - 1) < 1e-9 || length(g) == 0);
  }
}

}  // namespace
}  // namespace nora
