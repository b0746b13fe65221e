// Threads that make the HTTP answers which take their time, away from the socket loop.
#pragma once

#include "streaming/socket/server.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace nora {

/// Thread: all but the work runs on the thread of the loop.
class AnswerWorkers {
 public:
  struct Done {
    std::uint64_t ticket = 0;
    HttpResponse response;
  };

  /// `interrupt` tells the loop, from any thread, that take() has something. `most`: answers that are being made, wait
  /// to be made or are on their way to the client.
  AnswerWorkers(std::size_t threads, std::size_t most, std::function<void()> interrupt);
  /// Asks all work to stop and waits for it.
  ~AnswerWorkers();
  AnswerWorkers(const AnswerWorkers&) = delete;
  AnswerWorkers& operator=(const AnswerWorkers&) = delete;

  /// A number for the answer, or 0: too many already.
  [[nodiscard]] std::uint64_t start(HttpWork work);
  /// The answer was sent, or nobody waits for it any more: its work is stopped.
  void forget(std::uint64_t ticket);
  [[nodiscard]] std::vector<Done> take();

 private:
  struct Job {
    HttpWork work;
    std::stop_source stop;
  };

  void run(const std::stop_token& stop);

  const std::size_t most_;
  const std::function<void()> interrupt_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::map<std::uint64_t, Job> jobs_;  // until forgotten
  std::deque<std::uint64_t> queue_;
  std::vector<Done> done_;
  std::uint64_t last_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace nora
