// Outbox: the messages of one session on their way to its output, in order, called with no lock held.
#pragma once

#include "streaming/session.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace nora {

/// Any number of threads may post while they hold the session's lock, and flush after they have let go of it. One of
/// them delivers at a time; the others leave their messages to it. An output may call back into the engine.
class Outbox {
 public:
  /// What is posted from now on goes there; nothing of before does.
  void attach(std::shared_ptr<SessionOutput> output);
  /// The transport is gone: what is posted before the next attach() is lost.
  void detach();

  void text(std::string message) { post(std::move(message)); }
  void frame(std::uint32_t number, std::vector<std::byte> message, FrameHaste haste) {
    post(Picture{number, std::move(message), haste});
  }
  /// True if that frame will not arrive as a whole.
  [[nodiscard]] bool withdraw(std::uint32_t frame);
  /// The last message; later ones are dropped.
  void close(int code, std::string reason) { post(Close{code, std::move(reason)}); }
  void flush();

 private:
  struct Close {
    int code = 0;
    std::string reason;
  };
  struct Picture {
    std::uint32_t number = 0;
    std::vector<std::byte> message;
    FrameHaste haste = FrameHaste::urgent;
  };
  using Item = std::variant<std::string, Picture, Close>;

  void post(Item item);
  void deliver(SessionOutput& output, Item item);

  std::mutex mutex_;
  std::shared_ptr<SessionOutput> output_;
  std::deque<Item> items_;
  bool closed_ = true;  // nothing is attached, or the end was posted
  bool delivering_ = false;
};

}  // namespace nora
