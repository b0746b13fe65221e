// LoaderPool: the threads on which sessions wait for images.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace nora {

/// Runs jobs of many owners fairly: the owner with the fewest running jobs is next, then the oldest job.
/// Jobs in the background never take the last thread, so that what is waited for can start.
/// A job whose stop was requested before it starts is dropped. Destruction drops what waits and waits for what runs.
class LoaderPool {
 public:
  explicit LoaderPool(std::size_t threads);
  ~LoaderPool();

  enum class Haste : std::uint8_t { waitedFor, background };
  void submit(const void* owner, std::stop_token stop, std::function<void()> job, Haste haste = Haste::waitedFor);

 private:
  struct Job {
    const void* owner = nullptr;
    std::stop_token stop;
    std::function<void()> run;
    Haste haste = Haste::waitedFor;
  };

  void work(const std::stop_token& stop);
  [[nodiscard]] bool mayRun(const Job& job) const;
  [[nodiscard]] bool anyMayRun() const;
  [[nodiscard]] Job takeNext();

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Job> jobs_;
  std::map<const void*, int> running_;
  std::size_t background_ = 0;  // running
  std::size_t threadCount_;
  std::vector<std::jthread> threads_;
};

}  // namespace nora
