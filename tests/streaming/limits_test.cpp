// The book of connections and the bucket of rates, with a clock of the test's own.
#include "streaming/socket/peer_book.hpp"
#include "streaming/socket/token_bucket.hpp"

#include <array>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

std::array<char, 16> keys;
PeerBook::Key key(std::size_t i) {
  return &keys[i];
}
IpAddress from(const char* text) {
  return IpAddress::parse(text).value();
}
const PeerBook::Clock::time_point begin{};

TEST(PeerBook, TheOldestThatAsksNothingMakesRoom) {
  PeerBook book({.all = 3, .perAddress = 100});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(book.ask(from("10.0.0.1"), false).refusal.empty());
    book.add(key(i), from("10.0.0.1"), false, begin + i * 1s);
  }
  book.is(key(0), PeerBook::State::stream, begin + 5s);
  const auto verdict = book.ask(from("10.0.0.2"), false);
  EXPECT_TRUE(verdict.refusal.empty());
  EXPECT_EQ(verdict.instead, key(1));
  EXPECT_EQ(book.size(), 2U);
}

TEST(PeerBook, WhoDoesLeastGoesFirst) {
  PeerBook book({.all = 3, .perAddress = 100});
  for (std::size_t i = 0; i < 3; ++i) book.add(key(i), from("10.0.0.1"), false, begin + i * 1s);
  book.is(key(0), PeerBook::State::answered, begin + 3s);
  book.is(key(1), PeerBook::State::unheard, begin + 3s);
  EXPECT_EQ(book.ask(from("10.0.0.2"), false).instead, key(2));
  EXPECT_TRUE(book.ask(from("10.0.0.2"), false).refusal.empty());
  book.add(key(3), from("10.0.0.2"), false, begin + 4s);
  book.is(key(3), PeerBook::State::stream, begin + 4s);
  EXPECT_EQ(book.ask(from("10.0.0.2"), false).instead, key(1));
  book.add(key(4), from("10.0.0.2"), false, begin + 5s);
  book.is(key(4), PeerBook::State::stream, begin + 5s);
  EXPECT_EQ(book.ask(from("10.0.0.2"), false).instead, key(0));
  book.add(key(5), from("10.0.0.2"), false, begin + 6s);
  book.is(key(5), PeerBook::State::stream, begin + 6s);
  const auto verdict = book.ask(from("10.0.0.3"), false);
  EXPECT_EQ(verdict.refusal, "too many connections");
  EXPECT_FALSE(verdict.instead);
}

TEST(PeerBook, WhoFillsTheServerLosesHisOwn) {
  PeerBook book({.all = 4, .perAddress = 100});
  book.add(key(0), from("10.0.0.1"), false, begin);  // the oldest of all
  for (std::size_t i = 1; i < 4; ++i) book.add(key(i), from("10.0.0.66"), false, begin + i * 1s);
  EXPECT_EQ(book.ask(from("10.0.0.2"), false).instead, key(1));
}

TEST(PeerBook, AnAddressHasItsOwnLimitAndAProxyHasNone) {
  PeerBook book({.all = 10, .perAddress = 2});
  book.add(key(0), from("10.0.0.1"), false, begin);
  book.add(key(1), from("10.0.0.1"), false, begin + 1s);
  book.add(key(2), from("10.0.0.5"), false, begin - 1s);
  book.is(key(0), PeerBook::State::stream, begin);
  EXPECT_EQ(book.ask(from("10.0.0.1"), false).instead, key(1));
  book.add(key(1), from("10.0.0.1"), false, begin + 1s);
  book.is(key(1), PeerBook::State::stream, begin);
  EXPECT_EQ(book.ask(from("10.0.0.1"), false).refusal, "too many connections from this address");
  EXPECT_TRUE(book.ask(from("10.0.0.2"), false).refusal.empty());
  EXPECT_TRUE(book.ask(from("10.0.0.1"), true).refusal.empty());
}

TEST(TokenBucket, LetsARateThroughForEverAndABurstOnce) {
  TokenBucket bucket(300, 1000, begin);
  int taken = 0;
  while (bucket.take(1, begin)) ++taken;
  EXPECT_EQ(taken, 1000);
  for (int i = 1; i <= 3000; ++i) EXPECT_TRUE(bucket.take(1, begin + i * 3334us)) << i;
  EXPECT_FALSE(bucket.take(2, begin + 3000 * 3334us));
  EXPECT_TRUE(bucket.take(300, begin + 3000 * 3334us + 1s));
  EXPECT_TRUE(bucket.take(1000, begin + 1h));
  EXPECT_FALSE(bucket.take(1, begin + 1h)) << "no more than the burst gathers";
}

}  // namespace
}  // namespace nora
