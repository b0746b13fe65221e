// Cut, damaged and lying NIfTI files: each must give an Error or an image, and never ask for memory it cannot fill.
#include "image/io/nifti_reader.hpp"
#include "image/statistics.hpp"
#include "nifti_test_support.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::gzipped;
using ::testing::HasSubstr;
using testing::NiftiFile;
using testing::smallInt16;

const NiftiReader reader;

/// Whatever the bytes: an error with a text, or an image that holds together. True if it was an image.
bool survives(const std::vector<InputFile>& files) {
  static_cast<void>(reader.recognises(files[0]));
  static_cast<void>(reader.peek(files[0]));
  testing::CountingSink sink(std::size_t{1} << 24);
  auto image = reader.read(files, {}, sink);
  if (!image) {
    EXPECT_FALSE(image.error().what.empty());
    EXPECT_NE(image.error().code, ErrorCode::internal) << image.error().what;
    return false;
  }
  const auto statistics = computeStatistics(image->info, sink.memory.bytes().subspan(image->voxelOffset));
  EXPECT_LE(statistics.min, statistics.max);
  auto volume = Volume::create(std::move(image->info), std::move(sink.memory), image->voxelOffset, "mutant");
  EXPECT_TRUE(volume) << describe(volume.error());
  return volume.has_value();
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> out;
  for (const int version : {1, 2}) {
    for (const bool bigEndian : {false, true}) {
      out.push_back(smallInt16(version, bigEndian).bytes());
      out.push_back(gzipped(out.back()));
    }
  }
  NiftiFile complex(1, false, 32, 64, {3, 2, 2});
  for (int i = 0; i < 24; ++i) complex.append(static_cast<float>(i));
  out.push_back(complex.bytes());
  out.push_back(gzipped(complex.bytes()));
  NiftiFile floats(1, true, 16, 32, {3, 2, 2, 2});
  for (int i = 0; i < 24; ++i) floats.append(static_cast<float>(i));
  floats.setForms(1, 0);
  out.push_back(floats.bytes());
  return out;
}

TEST(NiftiHostile, EveryTruncationIsAnErrorThatSaysSo) {
  for (const Bytes& whole : seeds()) {
    ASSERT_TRUE(survives({{"a.nii", whole}}));
    for (std::size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenth / 16));
      testing::CountingSink sink;
      const std::vector<InputFile> files{{"a.nii.gz", cut}};
      const auto image = reader.read(files, {}, sink);
      ASSERT_FALSE(image) << sixteenth;
      EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
      EXPECT_EQ(image.error().where, "a.nii.gz");
    }
  }
}

TEST(NiftiHostile, ThousandsOfMutantsAreErrorsOrImages) {
  std::mt19937 random(20240229);  // fixed: the same mutants in every run
  std::size_t images = 0;
  std::size_t errors = 0;
  for (const Bytes& seed : seeds()) {
    for (int round = 0; round < 500; ++round) {
      Bytes mutant = seed;
      const std::size_t changes = 1 + random() % 4;
      for (std::size_t i = 0; i < changes; ++i) {
        // Three quarters of the changes hit the header, where the decisions are.
        const std::size_t reach = random() % 4 == 0 ? mutant.size() : std::min<std::size_t>(mutant.size(), 544);
        std::byte& victim = mutant[random() % reach];
        victim =
            random() % 2 == 0 ? victim ^ static_cast<std::byte>(1U << random() % 8) : static_cast<std::byte>(random());
      }
      (survives({{"a.nii", mutant}}) ? images : errors) += 1;
    }
  }
  EXPECT_GT(images, 500U);  // both outcomes are really reached
  EXPECT_GT(errors, 500U);
}

TEST(NiftiHostile, MutantsOfThePlainHeaderInsideGzipAreErrorsOrImages) {
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    Bytes mutant = smallInt16(round % 2 + 1, round % 4 > 1).bytes();
    for (int i = 0; i < 3; ++i) mutant[random() % mutant.size()] = static_cast<std::byte>(random());
    survives({{"a.nii.gz", gzipped(mutant)}});
  }
}

TEST(NiftiHostile, MutantsOfAPairAreErrorsOrImages) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    NiftiFile file = smallInt16();
    file.setPairMagic();
    file.setOffset(0);
    Bytes header(file.bytes().begin(), file.bytes().begin() + 348);
    const Bytes data(file.bytes().begin() + 352, file.bytes().end());
    for (int i = 0; i < 2; ++i) header[random() % header.size()] = static_cast<std::byte>(random());
    survives({{"a.hdr", header}, {"a.img", data}});
  }
}

TEST(NiftiHostile, AClaimBeyondThePlainFileAsksForNoMemory) {
  NiftiFile file = smallInt16();
  file.setDim(1, 30000);
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.nii", file.bytes()}};
  const auto image = reader.read(files, {}, sink);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
  EXPECT_EQ(image.error().what, "the header claims 360000 bytes of voxels, the file holds 48");
  EXPECT_EQ(sink.asked, 0U);
  EXPECT_FALSE(reader.peek(files[0]));
}

TEST(NiftiHostile, AClaimBeyondWhatDeflateCanHoldAsksForNoMemory) {
  NiftiFile file = smallInt16(2);
  file.setDim(1, std::int64_t{1} << 36);
  const Bytes compressed = gzipped(file.bytes());
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.nii.gz", compressed}};
  const auto image = reader.read(files, {}, sink);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::invalidInput);
  EXPECT_EQ(sink.asked, 0U);
  EXPECT_FALSE(reader.peek(files[0]));
}

TEST(NiftiHostile, AnHonestVolumeBeyondTheLimitIsRefused) {
  const Bytes file = smallInt16().bytes();
  testing::CountingSink sink(10);
  const std::vector<InputFile> files{{"a.nii", file}};
  const auto image = reader.read(files, {}, sink);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::limitExceeded);
}

TEST(NiftiHostile, DamagedCompressionIsToldFromATruncatedFile) {
  Bytes file = gzipped(smallInt16().bytes());
  file[file.size() - 6] ^= std::byte{0x40};
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.nii.gz", file}};
  const auto image = reader.read(files, {}, sink);
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().what, HasSubstr("damaged"));
}

TEST(NiftiHostile, NoFileAtAllIsAnError) {
  testing::CountingSink sink;
  EXPECT_FALSE(reader.read({}, {}, sink));
}

}  // namespace
}  // namespace nora
