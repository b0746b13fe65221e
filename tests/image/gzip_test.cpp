#include "image/io/gzip.hpp"

#include "nifti_test_support.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using testing::gzipped;

Bytes ramp(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>((i * i) >> 7);
  return out;
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

Result<Bytes> inflated(const Bytes& compressed, std::size_t room, std::size_t expected) {
  Bytes out(room);
  const auto made = inflateGzip(compressed, out, expected, "a.gz");
  if (!made) return tl::make_unexpected(made.error());
  out.resize(*made);
  return out;
}

TEST(Gzip, InflatesWhatZlibDeflated) {
  for (const std::size_t size : {1UL, 100UL, 70000UL}) {
    const auto out = inflated(gzipped(ramp(size)), size, size);
    ASSERT_TRUE(out) << describe(out.error());
    EXPECT_EQ(*out, ramp(size));
  }
}

TEST(Gzip, TakesManyMembersAsOneStream) {
  const Bytes content = ramp(30000);
  Bytes compressed = gzipped({});  // an empty member, as bgzip writes
  for (std::size_t at = 0; at < content.size(); at += 7000) {
    const auto part = std::span(content).subspan(at, std::min<std::size_t>(7000, content.size() - at));
    compressed = joined(compressed, gzipped(part));
  }
  const auto out = inflated(compressed, content.size(), content.size());
  ASSERT_TRUE(out) << describe(out.error());
  EXPECT_EQ(*out, content);
  EXPECT_EQ(inflatePrefix(compressed, 10000), Bytes(content.begin(), content.begin() + 10000));
}

TEST(Gzip, IgnoresBytesBehindTheMembers) {
  const Bytes content = ramp(5000);
  for (const Bytes& tail : {Bytes(512), ramp(77), Bytes{std::byte{0x1f}, std::byte{0x8b}, std::byte{8}}}) {
    const auto out = inflated(joined(gzipped(content), tail), content.size() + 64, content.size());
    ASSERT_TRUE(out) << describe(out.error());
    EXPECT_EQ(*out, content);
  }
}

TEST(Gzip, StopsWhenEnoughIsThereThoughTheFileHoldsMore) {
  const Bytes content = ramp(50000);
  const auto out = inflated(gzipped(content), 20000, 20000);
  ASSERT_TRUE(out) << describe(out.error());
  EXPECT_EQ(*out, Bytes(content.begin(), content.begin() + 20000));
}

TEST(Gzip, ABombFillsNoMoreThanTheMemoryItWasGiven) {
  const Bytes bomb = gzipped(Bytes(std::size_t{1} << 24), 9);
  ASSERT_LT(bomb.size(), std::size_t{20000});
  Bytes out(4096 + 16, std::byte{0x55});
  const auto made = inflateGzip(bomb, std::span(out).first(4096), 4096, "bomb.gz");
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, 4096U);
  for (std::size_t i = 4096; i < out.size(); ++i) EXPECT_EQ(out[i], std::byte{0x55});
}

TEST(Gzip, ACutFileIsAnErrorThatSaysSo) {
  const Bytes whole = gzipped(ramp(20000));
  for (std::size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenth / 16));
    const auto out = inflated(cut, 20000, 20000);
    ASSERT_FALSE(out) << sixteenth;
    EXPECT_EQ(out.error().code, ErrorCode::invalidInput);
    EXPECT_NE(out.error().what.find("cut short"), std::string::npos) << out.error().what;
    EXPECT_EQ(out.error().where, "a.gz");
  }
}

TEST(Gzip, ShorterContentThanExpectedIsAnError) {
  const auto out = inflated(gzipped(ramp(100)), 200, 101);
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().what.find("100 of 101"), std::string::npos) << out.error().what;
}

TEST(Gzip, AWrongChecksumIsAnError) {
  Bytes file = gzipped(ramp(20000));
  file[file.size() - 8] ^= std::byte{1};
  const auto out = inflated(file, 20000, 20000);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::invalidInput);
  EXPECT_NE(out.error().what.find("checksum"), std::string::npos) << out.error().what;
}

TEST(Gzip, DamagedDataAreAnError) {
  Bytes file = gzipped(ramp(20000));
  for (std::size_t i = file.size() / 2; i < file.size() / 2 + 40; ++i) file[i] = std::byte{0xff};
  const auto out = inflated(file, 20000, 20000);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::invalidInput);
}

TEST(Gzip, DamageIsFoundEvenIfTheFileHoldsMoreThanIsWanted) {
  Bytes file = gzipped(ramp(60000));
  file[file.size() - 8] ^= std::byte{1};
  EXPECT_FALSE(inflated(file, 20000, 20000));
  file.resize(file.size() - 8);
  EXPECT_FALSE(inflated(file, 20000, 20000));
}

TEST(Gzip, APrefixOfWhatIsNoGzipIsEmpty) {
  EXPECT_TRUE(inflatePrefix(ramp(100), 10).empty());
  EXPECT_TRUE(inflatePrefix({}, 10).empty());
  EXPECT_EQ(inflatePrefix(gzipped(ramp(5)), 10), ramp(5));
}

}  // namespace
}  // namespace nora
