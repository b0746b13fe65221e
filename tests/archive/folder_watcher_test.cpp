#include "archive/files/folder_watcher.hpp"

#include "tests/archive/temporary_folder.hpp"

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <sys/time.h>

#include <gtest/gtest.h>

namespace nora {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class FolderWatcherTest : public testing::Test {
 protected:
  void watch(FolderWatcher::Options options = {.quiet = 40ms, .longest = 400ms, .poll = 60s}) {
    watcher_ = std::make_unique<FolderWatcher>(folder_.path(), options, [this] {
      const std::lock_guard lock(mutex_);
      ++told_;
      news_.notify_all();
    });
    why_ = watcher_->whyPolling();
  }
  /// Waits until it was told more often than `before`.
  bool isToldAfter(int before) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, 10s, [&] { return told_ > before; });
  }
  int told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  /// It is told of what `change` does.
  bool notices(const std::function<void()>& change) {
    std::this_thread::sleep_for(100ms);  // what came before is told by now
    const int before = told();
    change();
    return isToldAfter(before);
  }

  TemporaryFolder folder_, elsewhere_;
  std::mutex mutex_;
  std::condition_variable news_;
  int told_ = 0;
  std::string why_;
  std::unique_ptr<FolderWatcher> watcher_;
};

TEST_F(FolderWatcherTest, NoticesFilesThatComeChangeAndGo) {
  fs::create_directories(folder_ / "a/b");
  watch();
  ASSERT_EQ(why_, "");
  EXPECT_TRUE(notices([&] { folder_.file("a/b/new.nii", "1"); }));
  EXPECT_TRUE(notices([&] { folder_.file("a/b/new.nii", "22"); }));
  EXPECT_TRUE(notices([&] { EXPECT_EQ(::utimes((folder_ / "a/b/new.nii").c_str(), nullptr), 0); })) << "as touch does";
  EXPECT_TRUE(notices([&] { fs::rename(folder_ / "a/b/new.nii", folder_ / "a/old.nii"); }));
  EXPECT_TRUE(notices([&] { fs::remove(folder_ / "a/old.nii"); }));
}

TEST_F(FolderWatcherTest, NoticesWhatHappensInFoldersThatCameLater) {
  watch();
  EXPECT_TRUE(notices([&] { fs::create_directories(folder_ / "x/y/z"); }));
  EXPECT_TRUE(notices([&] { folder_.file("x/y/z/1", "1"); }));
  fs::create_directories(elsewhere_ / "t/u");
  EXPECT_TRUE(notices([&] { fs::rename(elsewhere_ / "t", folder_ / "t"); }));
  EXPECT_TRUE(notices([&] { folder_.file("t/u/1", "1"); }));
  EXPECT_TRUE(notices([&] { fs::rename(folder_ / "t", folder_ / "x/t"); }));
  EXPECT_TRUE(notices([&] { folder_.file("x/t/u/2", "1"); }));
}

TEST_F(FolderWatcherTest, HasNothingToDoWithFoldersThatWereMovedAway) {
  fs::create_directories(folder_ / "a/b");
  watch();
  EXPECT_TRUE(notices([&] { fs::rename(folder_ / "a", elsewhere_ / "a"); }));
  std::this_thread::sleep_for(100ms);
  const int before = told();
  elsewhere_.file("a/b/1", "1");
  folder_.file(".hidden", "1");
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(told(), before);
}

TEST_F(FolderWatcherTest, ManyChangesAreToldOnceOrNowAndThen) {
  watch({.quiet = 100ms, .longest = 60s, .poll = 60s});
  for (int n = 0; n < 500; ++n) folder_.file("f" + std::to_string(n), "1");
  EXPECT_TRUE(isToldAfter(0));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(told(), 1);
  watch({.quiet = 60s, .longest = 100ms, .poll = 60s});
  const int before = told();
  for (int n = 0; n < 40; ++n) {
    folder_.file("g" + std::to_string(n), "1");
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(isToldAfter(before)) << "though changes never ended for long";
}

TEST_F(FolderWatcherTest, PollsWhereThereAreTooFewWatches) {
  for (int n = 0; n < 5; ++n) fs::create_directories(folder_ / ("d" + std::to_string(n)));
  watch({.quiet = 10ms, .longest = 100ms, .poll = 50ms, .mostWatches = 3});
  EXPECT_NE(why_.find("max_user_watches"), std::string::npos) << why_;
  EXPECT_TRUE(isToldAfter(told() + 1));
}

TEST_F(FolderWatcherTest, PollsForAFolderThatIsNotThere) {
  fs::remove_all(folder_.path());
  watch({.quiet = 10ms, .longest = 100ms, .poll = 50ms});
  EXPECT_NE(why_, "");
  EXPECT_TRUE(isToldAfter(told()));
}

TEST_F(FolderWatcherTest, EndsAtOnce) {
  for (int n = 0; n < 20; ++n) watch({.quiet = 60s, .longest = 60s, .poll = 60s});
}

}  // namespace
}  // namespace nora
