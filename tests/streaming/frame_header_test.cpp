#include "streaming/protocol/frame_header.hpp"
#include "streaming/encoder/encoder.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

const json& fixtures() {
  static const json loaded = json::parse(std::ifstream(NORA_TEST_DATA "/protocol/frames.json"));
  return loaded;
}

std::vector<std::byte> bytesOf(const std::string& hex) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::vector<std::byte> bytesOf(const json& hex) {
  return bytesOf(hex.get<std::string>());
}

FrameHeader headerOf(const json& j) {
  FrameHeader h;
  h.frame = j["frame"];
  h.codec = static_cast<Codec>(j["codec"].get<int>());
  h.quality = static_cast<FrameQuality>(j["quality"].get<int>());
  h.width = j["width"];
  h.height = j["height"];
  h.viewportWidth = j["viewportWidth"];
  h.viewportHeight = j["viewportHeight"];
  h.input = j["input"];
  h.geometry = {j["origin"], j["right"], j["down"], j["forward"]};
  h.queueUs = j["queueUs"];
  h.renderUs = j["renderUs"];
  h.encodeUs = j["encodeUs"];
  h.waitUs = j["waitUs"];
  h.hash = std::stoull(j["hash"].get<std::string>(), nullptr, 16);
  h.revision = j["revision"];
  h.readBackUs = j["readBackUs"];
  h.ahead = j["ahead"];
  h.key = j["key"];
  h.encoderQuality = j["encoderQuality"];
  h.bandwidthKbit = j["bandwidthKbit"];
  h.roundTripUs = j["roundTripUs"];
  h.view = j["view"];
  return h;
}

TEST(FrameHeader, FixturesAreReadFieldByField) {
  ASSERT_GE(fixtures()["frames"].size(), 4U);
  for (const auto& fixture : fixtures()["frames"]) {
    SCOPED_TRACE(fixture["name"]);
    const auto message = bytesOf(fixture["hex"]);
    std::span<const std::byte> payload;
    const auto header = parseFrameHeader(message, payload);
    ASSERT_TRUE(header) << header.error().what;
    EXPECT_EQ(*header, headerOf(fixture["header"]));
    const auto expected = bytesOf(fixture["payload"]);
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), expected.begin(), expected.end()));
  }
}

TEST(FrameHeader, WritesTheVeryBytesOfTheFixtures) {
  for (const auto& fixture : fixtures()["frames"]) {
    if (!fixture["canonical"].get<bool>()) continue;
    SCOPED_TRACE(fixture["name"]);
    std::vector<std::byte> out;
    appendFrameHeader(headerOf(fixture["header"]), out);
    for (const std::byte b : bytesOf(fixture["payload"])) out.push_back(b);
    EXPECT_EQ(out, bytesOf(fixture["hex"]));
  }
}

TEST(FrameHeader, AppendsBehindWhatIsThere) {
  std::vector<std::byte> out(3, std::byte{7});
  FrameHeader header;
  header.view = "axial";
  appendFrameHeader(header, out);
  ASSERT_EQ(out.size(), 3 + FrameHeader::sizeBytes + 5);
  EXPECT_EQ(out[2], std::byte{7});
  EXPECT_EQ(out[3], std::byte{'N'});
}

TEST(FrameHeader, MalformedFramesAreRefused) {
  for (const auto& fixture : fixtures()["malformed"]) {
    const auto message = bytesOf(fixture["hex"]);
    std::span<const std::byte> payload;
    const auto header = parseFrameHeader(message, payload);
    ASSERT_FALSE(header) << fixture["name"];
    EXPECT_EQ(header.error().code, ErrorCode::invalidInput);
  }
}

TEST(FrameHeader, WaitTimeIsSetInPlace) {
  std::vector<std::byte> message;
  FrameHeader header;
  header.encodeUs = 3;
  header.hash = ~std::uint64_t{0};
  appendFrameHeader(header, message);
  setWaitUs(message, 0x01020304);
  std::span<const std::byte> payload;
  header.waitUs = 0x01020304;
  EXPECT_EQ(parseFrameHeader(message, payload).value(), header);
  std::vector<std::byte> tooShort(10);
  setWaitUs(tooShort, 1);
  EXPECT_EQ(tooShort, std::vector<std::byte>(10));
}

TEST(FramePart, HeadersAreThoseOfTheFixtures) {
  ASSERT_FALSE(fixtures()["parts"].empty());
  for (const auto& fixture : fixtures()["parts"]) {
    const auto message = bytesOf(fixture["hex"]);
    std::array<std::byte, FramePart::headerBytes> header{};
    const auto& j = fixture["header"];
    writePartHeader({j["frame"], j["offset"], j["total"]}, header);
    ASSERT_GE(message.size(), header.size());
    EXPECT_TRUE(std::equal(header.begin(), header.end(), message.begin())) << fixture["name"];
  }
}

TEST(Codecs, HaveTheNamesOfTheProtocol) {
  for (const auto& [name, number] :
       std::map<std::string, int>{{"jpeg", 1}, {"png", 2}, {"webp", 3}, {"h264", 4}, {"hevc", 5}, {"av1", 6}}) {
    EXPECT_EQ(codecNamed(name), static_cast<Codec>(number));
    EXPECT_EQ(nameOf(static_cast<Codec>(number)), name);
  }
  EXPECT_FALSE(codecNamed("gif"));
}

TEST(Fnv1a, AgreesWithTheFixtures) {
  for (const auto& fixture : fixtures()["fnv1a64"]) {
    std::vector<std::uint8_t> bytes;
    for (const std::byte b : bytesOf(fixture["bytes"])) bytes.push_back(std::to_integer<std::uint8_t>(b));
    EXPECT_EQ(fnv1a64(bytes), std::stoull(fixture["hash"].get<std::string>(), nullptr, 16));
  }
}

}  // namespace
}  // namespace nora
