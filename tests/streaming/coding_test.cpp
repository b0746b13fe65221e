#include "streaming/coding.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t pixels = 1280 * 720;
constexpr auto wire = 33'000us;

CodecChoice allCodecs() {
  CodecChoice choice;
  choice.usable = {Codec::jpeg, Codec::png, Codec::webp, Codec::h264};
  return choice;
}

/// As measured: bytes a picture, and microseconds.
void teach(CodingModel& model, Codec codec, std::size_t bytes, std::chrono::microseconds encode) {
  for (int i = 0; i < 20; ++i) {
    model.encoded({codec, {.quality = isLossless(codec) ? 100 : 80}}, pixels, bytes, encode);
    model.decoded(codec, pixels, 3ms);
  }
}

TEST(Coding, WithoutKnowledgeOfTheWayItIsJpegAsConfigured) {
  CodingModel model;
  CodecChoice choice = allCodecs();
  choice.jpegQuality = 77;
  const auto coding = model.moving(choice, pixels, std::nullopt, wire);
  EXPECT_EQ(coding.codec, Codec::jpeg);
  EXPECT_EQ(coding.settings.quality, 77);
  EXPECT_EQ(model.largestScale(choice, pixels, std::nullopt, wire), 1);
}

TEST(Coding, AFastWayHasJpegAndASlowOneVideo) {
  CodingModel model;
  teach(model, Codec::jpeg, 40'000, 1500us);
  EXPECT_EQ(model.moving(allCodecs(), pixels, 100, wire).codec, Codec::jpeg);
  const auto slow = model.moving(allCodecs(), pixels, 0.25, wire);
  EXPECT_EQ(slow.codec, Codec::h264);
  EXPECT_GT(slow.settings.bytesPerFrame, 0);
  EXPECT_LT(slow.settings.bytesPerFrame, 20'000);
  EXPECT_EQ(model.moving(allCodecs(), pixels, 100, wire).codec, Codec::jpeg) << "and back";
}

TEST(Coding, BetweenTwoEqualCodecsItDoesNotSwing) {
  CodingModel model;
  teach(model, Codec::jpeg, 30'000, 2000us);
  teach(model, Codec::h264, 10'000, 5000us);
  Codec last = model.moving(allCodecs(), pixels, 5, wire).codec;
  int changes = 0;
  for (int i = 0; i < 100; ++i) {
    const Codec now = model.moving(allCodecs(), pixels, i % 2 == 0 ? 4.5 : 5.5, wire).codec;
    changes += now != last;
    last = now;
  }
  EXPECT_LE(changes, 1);
}

TEST(Coding, JpegGetsSmallerUntilItIsInTimeAndThenThePictureDoes) {
  CodecChoice choice;  // no video
  int lastQuality = 101;
  for (const double bandwidth : {10.0, 2.0, 1.5, 1.0, 0.7, 0.4, 0.1, 0.02}) {
    CodingModel model;
    teach(model, Codec::jpeg, 50'000, 1500us);
    const auto coding = model.moving(choice, pixels, bandwidth, wire);
    EXPECT_EQ(coding.codec, Codec::jpeg);
    EXPECT_LE(coding.settings.quality, lastQuality);
    lastQuality = coding.settings.quality;
    const double scale = model.largestScale(choice, pixels, bandwidth, wire);
    EXPECT_LE(0.37 * 50'000 * scale * scale / bandwidth, 33'001);
  }
  EXPECT_EQ(lastQuality, 25);
}

TEST(Coding, AQualityIsFinerOnlyWithEase) {
  CodingModel model;
  CodecChoice choice;
  teach(model, Codec::jpeg, 50'000, 1500us);
  EXPECT_LT(model.moving(choice, pixels, 1.4, wire).settings.quality, 80);
  EXPECT_LT(model.moving(choice, pixels, 1.6, wire).settings.quality, 80) << "just enough";
  EXPECT_EQ(model.moving(choice, pixels, 2.5, wire).settings.quality, 80);
  EXPECT_EQ(model.moving(choice, pixels, 1.6, wire).settings.quality, 80) << "it holds";
}

TEST(Coding, WhatIsAskedForByHandIsTakenIfItIsThere) {
  CodingModel model;
  CodecChoice choice = allCodecs();
  choice.moving = Codec::h264;
  choice.still = Codec::webp;
  EXPECT_EQ(model.moving(choice, pixels, 1000, wire).codec, Codec::h264);
  EXPECT_EQ(model.lossless(choice, 1000).codec, Codec::webp);
  choice.usable = {Codec::jpeg, Codec::png};  // it failed
  EXPECT_EQ(model.moving(choice, pixels, 1000, wire).codec, Codec::jpeg);
  EXPECT_EQ(model.lossless(choice, 1000).codec, Codec::png);
}

TEST(Coding, TheLosslessPictureIsPngWhereBytesAreCheapAndWebpWhereTheyAreNot) {
  CodingModel model;
  teach(model, Codec::png, 500'000, 10ms);
  teach(model, Codec::webp, 350'000, 45ms);
  EXPECT_EQ(model.lossless(allCodecs(), 1000).codec, Codec::png);
  EXPECT_EQ(model.lossless(allCodecs(), 0.25).codec, Codec::webp);
}

}  // namespace
}  // namespace nora
