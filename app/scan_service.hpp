// Keeps the index of the projects that are served as their folders are: one scan at a time, on a thread of its own.
#pragma once

#include "app/project_scan.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace nora {

/// Thread: any.
class ScanService {
 public:
  struct State {
    bool scanning = false;
    std::int64_t files = 0;  // looked at, in the scan that runs or was the last one
    std::string problem;     // why the last scan of a project failed; empty: it did not
  };

  /// `changed` is told, on the service's thread, whenever the index may have got news or the state is another.
  ScanService(Archive& archive, ReaderPool& pool, std::function<void()> changed);
  /// Stops the scan that runs; the next one goes on.
  ~ScanService();
  ScanService(const ScanService&) = delete;
  ScanService& operator=(const ScanService&) = delete;

  /// As soon as it can be; once, if it waits already.
  void request(std::int64_t projectId);
  [[nodiscard]] State state() const;

 private:
  void run(const std::stop_token& stop);
  void scan(std::int64_t projectId, const std::stop_token& stop);
  void learn(std::int64_t projectId, const std::stop_token& stop);
  void set(const std::function<void(State&)>& change);

  Archive& archive_;
  ReaderPool& pool_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<std::int64_t> waiting_;
  State state_;
  std::jthread thread_;
};

}  // namespace nora
