// Threads that do what takes its time, away from the socket loop.
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

/// Thread: all but the work runs on the thread of the loop.
class LoopWorkers {
 public:
  /// What the loop does with the outcome, unless the ticket was forgotten by then.
  using Then = std::function<void()>;
  /// Must not throw.
  using Work = std::function<Then(std::stop_token stop)>;

  /// `interrupt` tells the loop, from any thread, that deliver() has something. `most`: tickets at once. `waiters`:
  /// further threads; of the work that waits for others no more than that runs at once, so that `threads` are left.
  LoopWorkers(std::size_t threads, std::size_t most, std::function<void()> interrupt, std::size_t waiters = 0);
  /// Asks all work to stop and waits for it.
  ~LoopWorkers();
  LoopWorkers(const LoopWorkers&) = delete;
  LoopWorkers& operator=(const LoopWorkers&) = delete;

  /// A number for the work, or 0: too many of its kind already. It counts until it is forgotten.
  [[nodiscard]] std::uint64_t start(Work work, bool waits = false);
  /// Nobody waits for it any more: it is stopped, and its outcome dropped. 0 is nothing.
  void forget(std::uint64_t ticket);
  /// Does it some time, without a ticket.
  void chore(std::function<void()> work);
  /// Runs what the outcomes ask for.
  void deliver();

 private:
  struct Job {
    Work work;
    std::stop_source stop;
    bool waits = false;
  };
  struct Done {
    std::uint64_t ticket = 0;
    Then then;
  };

  /// Work of one kind: what waits for others never takes the threads of what does not.
  struct Line {
    std::size_t threads = 0, most = 0;
    std::deque<std::uint64_t> queue{};
    std::size_t jobs = 0, running = 0;  // jobs: until forgotten
    [[nodiscard]] bool mayRun() const { return !queue.empty() && running < threads; }
  };

  void run(const std::stop_token& stop);
  void work(std::unique_lock<std::mutex>& lock, Line& line);

  const std::function<void()> interrupt_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::map<std::uint64_t, Job> jobs_;  // until forgotten
  Line quick_, waiting_;
  std::deque<std::function<void()>> chores_;
  std::deque<Done> done_;
  std::uint64_t last_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace nora
