// Connection: what waits to be written to one WebSocket. Any thread adds; the socket thread takes.
#pragma once

#include "streaming/session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nora {

class Connection;

/// How other threads tell the socket loop that a connection has something to write.
class LoopWaker {
 public:
  /// `interrupt` makes the loop call take() soon; from any thread.
  explicit LoopWaker(std::function<void()> interrupt) : interrupt_(std::move(interrupt)) {}

  void wake(std::weak_ptr<Connection> connection);
  /// Wakes the loop for no connection.
  void interrupt();
  [[nodiscard]] std::vector<std::weak_ptr<Connection>> take();
  /// The loop ends: nobody is woken any more.
  void detach();

 private:
  std::mutex mutex_;
  std::function<void()> interrupt_;
  std::vector<std::weak_ptr<Connection>> waiting_;
};

class Connection : public SessionOutput, public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t maxQueuedText = std::size_t{4} << 20;  // of a client that does not read

  struct Close {
    int code = 0;
    std::string reason;
  };
  using Item = std::variant<std::string, std::vector<std::byte>, Close>;
  /// What is written of a patient frame at a time: others can pass after that.
  static constexpr std::size_t partBytes = std::size_t{16} << 10;

  explicit Connection(std::shared_ptr<LoopWaker> waker) : waker_(std::move(waker)) {}

  void sendText(std::string message) override;
  void sendFrame(std::uint32_t number, std::vector<std::byte> message, FrameHaste haste) override;
  bool withdraw(std::uint32_t number) override;
  void close(int code, std::string reason) override;

  /// The loop has heard of what was added; the next addition wakes it again.
  void noticed();
  struct Next {
    Item item;
    bool isPatient = false;  // a patient picture, or a part of one
  };
  /// What is written next: texts, then the end, then pictures, then, if it may be, a part of a patient one.
  [[nodiscard]] std::optional<Next> next(bool mayBePatient = true);
  [[nodiscard]] bool hasMore(bool mayBePatient = true) const;
  [[nodiscard]] bool isClosing() const;

 private:
  struct Picture {
    std::uint32_t number = 0;
    std::vector<std::byte> message;
    Clock::time_point queuedAt;
    FrameHaste haste = FrameHaste::urgent;
    std::size_t sent = 0;  // bytes, in parts
  };

  [[nodiscard]] std::vector<std::byte> nextPart();
  void wakeOnce(std::unique_lock<std::mutex>& lock);

  const std::shared_ptr<LoopWaker> waker_;
  mutable std::mutex mutex_;
  std::deque<std::string> texts_;
  std::size_t textBytes_ = 0;
  std::deque<Picture> pictures_;  // with the patient ones at most two: the session waits for acknowledgements
  std::deque<Picture> patient_;   // the one that has begun, patient ones, spare ones
  std::optional<Close> end_;
  bool closing_ = false;
  bool woken_ = false;  // the loop was told and has not yet noticed
};

}  // namespace nora
