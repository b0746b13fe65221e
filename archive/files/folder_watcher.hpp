// FolderWatcher: says that something has changed below a folder, so that somebody looks what.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"

namespace nora {

/// By inotify. Where that cannot tell (disks of other machines) or is not allowed enough watches: at regular times,
/// whether something has changed or not. Changes behind symbolic links are not noticed.
class FolderWatcher {
 public:
  struct Options {
    std::chrono::milliseconds quiet{1500};      // without further changes, before it is told
    std::chrono::milliseconds longest{15'000};  // after the first change it is told, however many follow
    std::chrono::milliseconds poll{300'000};
    std::size_t mostWatches = 500'000;
  };

  /// `changed` is called on the watcher's thread, one call at a time. A folder that is not there is polled for.
  FolderWatcher(std::string folder, Options options, std::function<void()> changed);
  ~FolderWatcher();
  FolderWatcher(const FolderWatcher&) = delete;
  FolderWatcher& operator=(const FolderWatcher&) = delete;

  /// Waits until watches are set, or it is known that it polls. Empty: it watches; else why it polls.
  [[nodiscard]] std::string whyPolling() const;

 private:
  using Clock = std::chrono::steady_clock;

  void run(const std::stop_token& stop);
  [[nodiscard]] std::string begin();
  [[nodiscard]] bool addTree(const std::string& folder);
  [[nodiscard]] bool add(const std::string& folder);
  void forgetTree(const std::string& folder);
  /// Reads what there is. False: it cannot watch any more.
  [[nodiscard]] bool readEvents();
  void pollOn(const std::stop_token& stop);
  [[nodiscard]] bool waitFor(int fd, std::chrono::milliseconds time) const;

  const std::string folder_;
  const Options options_;
  const std::function<void()> changed_;
  UniqueFd inotify_, wake_;
  std::map<int, std::string> folderOf_;  // by watch
  bool isDirty_ = false;
  std::atomic<bool> isSettled_{false};
  std::string why_;  // written before isSettled_
  std::jthread thread_;
};

}  // namespace nora
