#include "archive/access/login_limiter.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

class Limiter : public ::testing::Test {
 protected:
  LoginLimiter make(std::size_t keys = 20000) {
    LoginLimits limits;
    limits.window = 10min;
    limits.name = {3, 1s, 30s};
    limits.address = {6, 2s, 5min};
    limits.mostKeys = keys;
    return LoginLimiter(limits, [this] { return now_; });
  }
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1000)};
};

TEST_F(Limiter, LetsAFewFailuresPassAndThenGrowsTheDelay) {
  auto limiter = make();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms) << i;
  for (const auto delay : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    // Another address each time, so that only the name counts.
    const std::string address = "10.0.1." + std::to_string(delay.count());
    EXPECT_EQ(limiter.admit("alice", address), delay);
    EXPECT_EQ(limiter.admit("ALICE", address), delay) << "case does not make another name";
    now_ += delay - 1ms;
    EXPECT_EQ(limiter.admit("alice", address), 1ms);
    now_ += 1ms;
    EXPECT_EQ(limiter.admit("alice", address), 0ms);
  }
  EXPECT_EQ(limiter.admit("bob", "10.0.9.9"), 0ms) << "others are not kept waiting";
}

TEST_F(Limiter, CountsAnAddressOverAllNames) {
  auto limiter = make();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(limiter.admit("user" + std::to_string(i), "10.0.0.1"), 0ms);
  EXPECT_EQ(limiter.admit("user7", "10.0.0.1"), 2s);
  EXPECT_EQ(limiter.admit("user7", "::ffff:10.0.0.1"), 2s) << "the same address in IPv6's form";
  EXPECT_EQ(limiter.admit("user7", "10.0.0.2"), 0ms);
}

TEST_F(Limiter, TakesTheMachinesOfOneIpv6NetworkAsOne) {
  EXPECT_EQ(addressGroup("2001:db8:1:2::1"), addressGroup("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(addressGroup("2001:db8:1:2::1"), addressGroup("2001:db8:1:3::1"));
  EXPECT_EQ(addressGroup("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(addressGroup("192.0.2.1"), "192.0.2.1");
}

TEST_F(Limiter, ForgetsFailuresThatLeaveTheWindow) {
  auto limiter = make();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
    now_ += 4min;
  }
  EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms) << "the first was 12 minutes ago";
  now_ += 1h;
  EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
}

TEST_F(Limiter, SuccessClearsTheNameButNotTheAddress) {
  auto limiter = make();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(limiter.admit("user" + std::to_string(i), "10.0.0.1"), 0ms);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
    limiter.succeeded("alice", "10.0.0.1");
  }
  EXPECT_EQ(limiter.admit("bob", "10.0.0.1"), 0ms);
  EXPECT_EQ(limiter.admit("bob", "10.0.0.1"), 0ms);
  EXPECT_EQ(limiter.admit("bob", "10.0.0.1"), 2s) << "six failures: logging in oneself does not give new guesses";
}

TEST_F(Limiter, GuessingFromElsewhereDoesNotKeepAUserOut) {
  auto limiter = make();
  EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
  limiter.succeeded("alice", "10.0.0.1");
  for (int i = 0; i < 200; ++i) {
    (void)limiter.admit("alice", "192.0.2." + std::to_string(i));
    now_ += 1s;
  }
  EXPECT_GT(limiter.admit("alice", "192.0.2.201"), 0ms);
  EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
}

TEST_F(Limiter, AttemptsThatDecidedNothingDoNotCount) {
  auto limiter = make();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(limiter.admit("alice", "10.0.0.1"), 0ms);
    limiter.undecided("alice", "10.0.0.1");
  }
}

TEST_F(Limiter, AttemptsAtOnceDoNotSlipThrough) {
  auto limiter = make();
  std::atomic<int> admitted = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&, i] {
      if (limiter.admit("alice", "10.0.0." + std::to_string(i)) == 0ms) ++admitted;
    });
  }
  threads.clear();
  EXPECT_EQ(admitted, 3);
}

TEST_F(Limiter, RemembersNoMoreThanItMay) {
  auto limiter = make(100);
  for (int i = 0; i < 5000; ++i)
    (void)limiter.admit("name" + std::to_string(i), "10.1." + std::to_string(i / 250) + ".1");
  EXPECT_EQ(limiter.keys(), 100U);
  (void)limiter.admit(std::string(1000000, 'x'), std::string(1000000, 'y'));
  EXPECT_EQ(limiter.keys(), 100U);
}

TEST(LoginLimiter, CountsTheSpellingsOfAName) {
  LoginLimiter limiter({}, [] { return std::chrono::steady_clock::time_point(); });
  for (const char* name : {"j\xC3\xB6rg", "J\xC3\x96RG", " j\xC3\xB6rg ", "jo\xCC\x88rg", "\xEF\xBD\x8A\xC3\xB6rg"})
    EXPECT_EQ(limiter.admit(name, "10.0.0.1").count(), 0) << name;
  EXPECT_GT(limiter.admit("j\xC3\xB6rg", "10.0.0.2").count(), 0);
  EXPECT_EQ(limiter.admit("jorg", "10.0.0.2").count(), 0);
}

}  // namespace
}  // namespace nora
