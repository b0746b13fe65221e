// LatestSlot: a hand-off between two threads where the newest value wins.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace nora {

/// Holds at most one value; `put` replaces what was not taken yet.
/// Thread: any number of producers and consumers.
template <class T>
class LatestSlot {
 public:
  /// True if an older value was replaced.
  bool put(T value) {
    bool replaced = false;
    {
      const std::lock_guard lock(mutex_);
      replaced = value_.has_value();
      value_ = std::move(value);
    }
    ready_.notify_one();
    return replaced;
  }

  [[nodiscard]] std::optional<T> tryTake() {
    const std::lock_guard lock(mutex_);
    return std::exchange(value_, std::nullopt);
  }

  /// Blocks until there is a value or a stop is requested (then empty).
  [[nodiscard]] std::optional<T> take(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, stop, [&] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::optional<T> value_;
};

}  // namespace nora
