// A child process with one socket: how the server starts the programs that do its risky or foreign work.
#pragma once

#include "base/error.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace nora {

/// A running child. Owned: the destructor kills it and waits for it, so no zombie stays.
class ChildProcess {
 public:
  ChildProcess() = default;
  explicit ChildProcess(pid_t id) : id_(id) {}
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t id() const { return id_; }

  /// Ends it by SIGKILL, if it has not ended by itself, and waits. Says how it ended: "signal 11", "exit status 1".
  std::string killAndWait();

 private:
  pid_t id_ = -1;
};

/// Starts children from one thread of its own. A child that asks to die with its parent (PR_SET_PDEATHSIG) in truth
/// dies with the thread that started it; this thread lives until the starter is destroyed.
class ChildStarter {
 public:
  ChildStarter();
  ~ChildStarter();
  ChildStarter(const ChildStarter&) = delete;
  ChildStarter& operator=(const ChildStarter&) = delete;

  /// Runs `program arguments...` with `socket` as descriptor 3, nothing on 0 and 1, our standard error on 2 and no
  /// other descriptor; in a process group of its own, with default signals. Thread: any. Errors: internal (no such
  /// program, no more processes).
  [[nodiscard]] Result<ChildProcess> start(const std::string& program, const std::vector<std::string>& arguments,
                                           int socket);

 private:
  void serve(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> work_;
  std::jthread thread_;  // last: stops before what it uses
};

}  // namespace nora
