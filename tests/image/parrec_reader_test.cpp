// Philips PAR/REC pairs and bad ones. Values of real headers: images_b.json.
#include "image/io/parrec_reader.hpp"

#include "format_file.hpp"
#include "image/io/parrec_header.hpp"
#include "image/io/parrec_volumes.hpp"
#include "image_reader_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using testing::formatFile;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

const ParrecReader reader;

std::string textOf(const std::string& name) {
  const Bytes bytes = formatFile(name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the test file has no " + from);
  return text.replace(at, from.size(), to);
}

Result<Volume> readPair(const std::string& par, const Bytes& rec) {
  const Bytes bytes = bytesOf(par);
  return testing::readVolume(reader, {{"a.PAR", bytes}, {"a.REC", rec}});
}

TEST(ParrecReader, DynamicsAreTimePoints) {
  const auto volume = readPair(textOf("parrec/v42.PAR"), formatFile("parrec/v42.REC"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->info().timePoints, 3);
  EXPECT_DOUBLE_EQ(volume->info().timeStepSeconds, 2);
  EXPECT_EQ(volume->info().type, VoxelType::uint16);
  EXPECT_DOUBLE_EQ(volume->info().slope, 1.29035);
  EXPECT_THAT(volume->info().fields, Contains(Pair("dynamic of each volume", "1, 2, 3")));
  EXPECT_TRUE(volume->info().warnings.empty());
}

TEST(ParrecReader, OneTimePointHasItsOwnScales) {
  const Bytes par = formatFile("parrec/varscale.PAR");
  const Bytes rec = formatFile("parrec/varscale.REC");
  const std::vector<InputFile> files{{"a.PAR", par}, {"a.REC", rec}};
  const auto whole = testing::readVolume(reader, files);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->info().type, VoxelType::float32);
  testing::CountingSink sink;
  ReadOptions options;
  options.timePoint = 2;
  const auto image = reader.read(files, options, sink);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->firstTimePoint, 2);
  EXPECT_EQ(image->timePointsRead, 1);
  EXPECT_EQ(std::memcmp(sink.memory.bytes().data(), whole->frame(2), whole->frameBytes()), 0);
}

TEST(ParrecReader, GradientsAreInThePatientsAxes) {
  const auto volume = readPair(textOf("parrec/dti.PAR"), formatFile("parrec/dti.REC"));
  ASSERT_TRUE(volume && volume->info().diffusion) << describe(volume.error());
  const DiffusionScheme& scheme = *volume->info().diffusion;
  ASSERT_THAT(scheme.bValues, SizeIs(8));
  EXPECT_EQ(scheme.bValues[1], 1000);
  // As dcm2niix 1.0.20220720 gives it, turned from image axes into the world.
  EXPECT_NEAR(scheme.directions[1][0], 0.3329, 1e-3);
  EXPECT_NEAR(scheme.directions[1][1], 0.6668, 1e-3);
  EXPECT_NEAR(scheme.directions[1][2], -0.6668, 1e-3);
}

TEST(ParrecReader, AMissingSliceIsAnErrorThatSaysSo) {
  std::string par = textOf("parrec/v42.PAR");
  const auto last = par.rfind("\n  9   1    3");
  ASSERT_NE(last, std::string::npos);
  par.erase(last, par.find('\n', last + 1) - last);
  auto volume = readPair(par, formatFile("parrec/v42.REC"));
  ASSERT_FALSE(volume);
  EXPECT_THAT(volume.error().what, HasSubstr("slice 9 is missing"));
  volume = readPair(replaced(textOf("parrec/v42.PAR"), "dynamics            :   3", "dynamics            :   4"),
                    formatFile("parrec/v42.REC"));
  ASSERT_FALSE(volume);
  EXPECT_THAT(volume.error().what, HasSubstr("announces 4 dynamics but lists 3"));
}

TEST(ParrecReader, StacksOfDifferentOrientationAreRefused) {
  const std::string par = textOf("parrec/v42.PAR");
  const auto row = par.find("6.000  2.000 0 1 0 2");
  ASSERT_NE(row, std::string::npos);
  std::string mixed = par;
  mixed.replace(row, 20, "6.000  2.000 0 2 0 2");
  const auto volume = readPair(mixed, formatFile("parrec/v42.REC"));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
}

TEST(ParrecReader, AnIndexThatCannotBeGivesWayToTheOrderOfLines) {
  const auto straight = readPair(textOf("parrec/v42.PAR"), formatFile("parrec/v42.REC"));
  const auto volume = readPair(replaced(textOf("parrec/v42.PAR"), "1  1 0 2     0  16", "1  1 0 2     7  16"),
                               formatFile("parrec/v42.REC"));
  ASSERT_TRUE(volume && straight) << describe(volume.error());
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("order of the lines")));
  EXPECT_EQ(std::memcmp(volume->frame(0), straight->frame(0), straight->frameBytes()), 0);
}

TEST(ParrecReader, SlicesElsewhereThanTheVolumeAreTold) {
  const auto volume =
      readPair(replaced(textOf("parrec/v42.PAR"), "30.339  -16.032", "30.339   16.032"), formatFile("parrec/v42.REC"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_THAT(volume->info().warnings, Contains(HasSubstr("disagrees")));
}

TEST(ParrecReader, OlderVersionsAreRefused) {
  const auto volume = readPair(replaced(textOf("parrec/v42.PAR"), "V4.2", "V2.0"), formatFile("parrec/v42.REC"));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
}

TEST(ParrecReader, HalvesOfThePairAskForTheOther) {
  const Bytes par = formatFile("parrec/v42.PAR");
  const Bytes rec = formatFile("parrec/v42.REC");
  auto volume = testing::readVolume(reader, {{"a.PAR", par}});
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::notFound);
  volume = testing::readVolume(reader, {{"a.rec", rec}});
  ASSERT_FALSE(volume);
  EXPECT_THAT(volume.error().what, HasSubstr(".PAR"));
}

TEST(ParrecReader, CutFilesAreErrors) {
  const Bytes par = formatFile("parrec/v3.PAR");
  const Bytes rec = formatFile("parrec/v3.REC");
  testing::expectCutsAreErrors(reader, {{"a.PAR", par}, {"a.REC", rec}}, 0);
  testing::expectCutsAreErrors(reader, {{"a.PAR", par}, {"a.REC", rec}}, 1);
}

TEST(ParrecReader, MutantsAreErrorsOrImages) {
  const Bytes par = formatFile("parrec/shuffled.PAR");
  const Bytes rec = formatFile("parrec/shuffled.REC");
  const auto outcomes = testing::mutate(reader, {{"a.PAR", par}, {"a.REC", rec}}, par.size(), 400);
  EXPECT_GT(outcomes.images, 20);
  EXPECT_GT(outcomes.errors, 20);
}

}  // namespace
}  // namespace nora
