// Passes on "something changed" at most four times a second, from a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace nora {

/// Thread: `tell` from any; `pass` runs on the thread of News.
class News {
 public:
  explicit News(std::function<void()> pass)
      : pass_(std::move(pass)), thread_([this](std::stop_token stop) { run(stop); }) {}

  void tell() {
    {
      const std::lock_guard lock(mutex_);
      told_ = true;
    }
    ready_.notify_one();
  }

 private:
  static constexpr std::chrono::milliseconds interval{250};

  void run(std::stop_token stop) {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        if (!ready_.wait(lock, stop, [&] { return told_; })) return;
        told_ = false;
      }
      pass_();
      std::unique_lock lock(mutex_);
      quiet_.wait_for(lock, stop, interval, [] { return false; });
      if (stop.stop_requested()) return;
    }
  }

  std::function<void()> pass_;
  std::mutex mutex_;
  std::condition_variable_any ready_, quiet_;
  bool told_ = false;
  std::jthread thread_;
};

}  // namespace nora
