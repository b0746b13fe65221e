// Ctrl+C and SIGTERM as a stop token, for commands that end what they do cleanly.
#pragma once

#include <stop_token>
#include <thread>

namespace nora {

/// While one lives, SIGINT and SIGTERM stop it; a second one ends the program at once. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiting_;  // for a byte that the handler writes
};

}  // namespace nora
