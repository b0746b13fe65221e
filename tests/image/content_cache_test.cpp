#include "image/content_cache.hpp"

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

Result<Content> volumeOf(std::size_t bytes) {
  ImageInfo info;
  info.dims = {static_cast<std::int64_t>(bytes), 1, 1};
  return Content(Volume::copyOf(info, std::vector<std::byte>(bytes), "v").value());
}

constexpr std::size_t size = 1000;
constexpr std::size_t counted = size + Volume::paddingBytes;

/// A load that counts how often it was called.
struct Counter {
  int calls = 0;
  ContentCache::Load load = [this](std::stop_token) {
    ++calls;
    return volumeOf(size);
  };
};

TEST(ContentCache, LoadsAKeyOnce) {
  ContentCache cache(10 * counted);
  Counter counter;
  const auto first = cache.get("a", counter.load, {});
  const auto second = cache.get("a", counter.load, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(counter.calls, 1);
  EXPECT_EQ(cache.bytes(), counted);
}

TEST(ContentCache, DropsTheLeastRecentlyUsed) {
  ContentCache cache(2 * counted);
  Counter counter;
  (void)cache.get("a", counter.load, {});
  (void)cache.get("b", counter.load, {});
  (void)cache.get("a", counter.load, {});
  (void)cache.get("c", counter.load, {});  // b goes
  EXPECT_EQ(counter.calls, 3);
  EXPECT_EQ(cache.bytes(), 2 * counted);
  (void)cache.get("a", counter.load, {});
  EXPECT_EQ(counter.calls, 3);
  (void)cache.get("b", counter.load, {});
  EXPECT_EQ(counter.calls, 4);
}

TEST(ContentCache, KeepsWhatSomebodyHolds) {
  ContentCache cache(2 * counted);
  Counter counter;
  const auto held = cache.get("a", counter.load, {});
  (void)cache.get("b", counter.load, {});
  (void)cache.get("c", counter.load, {});  // b goes though a is older
  (void)cache.get("a", counter.load, {});
  EXPECT_EQ(counter.calls, 3);
  EXPECT_EQ(cache.bytes(), 2 * counted);
}

TEST(ContentCache, RefusesWhatFindsNoRoomBesideTheVolumesInUse) {
  ContentCache cache(2 * counted);
  Counter counter;
  {
    const auto a = cache.get("a", counter.load, {});
    const auto b = cache.get("b", counter.load, {});
    ASSERT_TRUE(a && b);
    const auto c = cache.get("c", counter.load, {});
    ASSERT_FALSE(c);
    EXPECT_EQ(c.error().code, ErrorCode::limitExceeded);
    EXPECT_EQ(cache.bytes(), 2 * counted);
    EXPECT_TRUE(cache.get("a", counter.load, {})) << "what is in use is shared as before";
  }
  EXPECT_TRUE(cache.get("c", counter.load, {})) << "the others are free now";
  EXPECT_EQ(cache.bytes(), 2 * counted);
}

TEST(ContentCache, VolumeLargerThanTheBudgetIsReturnedNotKept) {
  ContentCache cache(counted - 1);
  Counter counter;
  {
    const auto volume = cache.get("a", counter.load, {});
    ASSERT_TRUE(volume);
    EXPECT_EQ(cache.bytes(), counted);
    EXPECT_EQ(*cache.get("a", counter.load, {}), *volume) << "shared while it is held";
    EXPECT_EQ(counter.calls, 1);
  }
  EXPECT_EQ(cache.bytes(), 0u);
  (void)cache.get("a", counter.load, {});
  EXPECT_EQ(counter.calls, 2);
}

TEST(ContentCache, FailureIsNotKept) {
  ContentCache cache(10 * counted);
  const ContentCache::Load failing = [](std::stop_token) -> Result<Content> { return fail(ErrorCode::notFound, "gone"); };
  const auto failed = cache.get("a", failing, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::notFound);
  Counter counter;
  EXPECT_TRUE(cache.get("a", counter.load, {}));
}

/// A load that starts, says so, and ends when it is told to or stopped.
struct SlowLoad {
  std::latch started{1};
  std::latch mayEnd{1};
  std::atomic<int> calls = 0;
  std::atomic<bool> stopped = false;
  ContentCache::Load load = [this](std::stop_token stop) -> Result<Content> {
    ++calls;
    const std::stop_callback onStop(stop, [this] {
      stopped = true;
      mayEnd.count_down();
    });
    started.count_down();
    mayEnd.wait();
    if (stopped) return fail(ErrorCode::cancelled, "cancelled");
    return volumeOf(size);
  };
};

TEST(ContentCache, CallersOfOneKeyShareALoad) {
  ContentCache cache(10 * counted);
  SlowLoad slow;
  std::vector<std::shared_ptr<const Content>> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& place : found) threads.emplace_back([&] { place = *cache.get("a", slow.load, {}); });
    slow.started.wait();
    slow.mayEnd.count_down();
  }
  EXPECT_EQ(slow.calls, 1);
  for (const auto& place : found) EXPECT_EQ(place, found.front());
}

TEST(ContentCache, OtherKeysDoNotWait) {
  ContentCache cache(10 * counted);
  SlowLoad slow;
  std::jthread loading([&] { (void)cache.get("slow", slow.load, {}); });
  slow.started.wait();
  Counter counter;
  EXPECT_TRUE(cache.get("quick", counter.load, {}));
  slow.mayEnd.count_down();
}

TEST(ContentCache, StoppedWaiterLeavesAndTheLoadGoesOn) {
  ContentCache cache(10 * counted);
  SlowLoad slow;
  Result<std::shared_ptr<const Content>> first = fail(ErrorCode::internal, "");
  std::jthread loading([&] { first = cache.get("a", slow.load, {}); });
  slow.started.wait();
  std::stop_source stop;
  std::jthread stopping([&] { stop.request_stop(); });
  const auto waiter = cache.get("a", slow.load, stop.get_token());
  ASSERT_FALSE(waiter);
  EXPECT_EQ(waiter.error().code, ErrorCode::cancelled);
  EXPECT_FALSE(slow.stopped);
  slow.mayEnd.count_down();
  loading.join();
  EXPECT_TRUE(first);
}

TEST(ContentCache, LoadGoesOnForTheWaiterWhenItsFirstCallerIsStopped) {
  ContentCache cache(10 * counted);
  SlowLoad slow;
  std::stop_source stop;
  std::jthread loading([&] { (void)cache.get("a", slow.load, stop.get_token()); });
  slow.started.wait();
  Result<std::shared_ptr<const Content>> second = fail(ErrorCode::internal, "");
  Counter counter;
  std::atomic<bool> waiting = false;
  std::jthread waiter([&] {
    waiting = true;
    second = cache.get("a", counter.load, {});
  });
  while (!waiting) std::this_thread::yield();
  stop.request_stop();  // before or after the waiter has come: it gets its volume either way
  if (!slow.stopped) slow.mayEnd.count_down();
  waiter.join();
  EXPECT_TRUE(second);
}

TEST(ContentCache, LoadIsStoppedWhenNobodyWantsItAnyMore) {
  ContentCache cache(10 * counted);
  SlowLoad slow;
  std::stop_source stop;
  Result<std::shared_ptr<const Content>> result = fail(ErrorCode::internal, "");
  std::jthread loading([&] { result = cache.get("a", slow.load, stop.get_token()); });
  slow.started.wait();
  stop.request_stop();
  loading.join();
  EXPECT_TRUE(slow.stopped);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
  Counter counter;
  EXPECT_TRUE(cache.get("a", counter.load, {})) << "who asks later starts anew";
}

TEST(ContentCache, WhatIsKeptWhileHeldGoesWithItsLastHolder) {
  ContentCache cache(10 * counted);
  int calls = 0;
  const ContentCache::TellingLoad load = [&](const ContentCache::Progress&, std::stop_token) {
    ++calls;
    return volumeOf(size);
  };
  {
    const auto held = cache.get("part", load, {}, {}, ContentCache::Keep::whileHeld);
    const auto again = cache.get("part", load, {}, {}, ContentCache::Keep::whileHeld);
    ASSERT_TRUE(held && again);
    EXPECT_EQ(*held, *again);
    EXPECT_EQ(cache.bytes(), counted) << "what is held counts";
  }
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.find("part"), nullptr);
  EXPECT_EQ(calls, 1);
}

TEST(ContentCache, FindAndPutDoWithoutLoading) {
  ContentCache cache(10 * counted);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.put("a", std::make_shared<const Content>(volumeOf(size).value()));
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.bytes(), counted);
}

TEST(ContentCache, AllWhoWaitAreToldHowFarTheLoadIs) {
  ContentCache cache(10 * counted);
  std::latch started(1);
  std::latch heard(2);
  const ContentCache::TellingLoad load = [&](const ContentCache::Progress& tell, std::stop_token) {
    started.count_down();
    while (!heard.try_wait()) {
      tell(0.5);
      std::this_thread::yield();
    }
    return volumeOf(size);
  };
  const auto caller = [&] {
    std::atomic<bool> first{true};
    EXPECT_TRUE(cache.get("a", load,
                          [&](double fraction) {
                            EXPECT_EQ(fraction, 0.5);
                            if (first.exchange(false)) heard.count_down();
                          },
                          {}));
  };
  std::jthread leader(caller);
  started.wait();
  caller();
}

}  // namespace
}  // namespace nora
