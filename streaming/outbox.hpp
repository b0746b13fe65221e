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
  explicit Outbox(std::shared_ptr<SessionOutput> output) : output_(std::move(output)) {}

  void text(std::string message) { post(std::move(message)); }
  void frame(std::vector<std::byte> message) { post(std::move(message)); }
  /// The last message; later ones are dropped.
  void close(int code, std::string reason) { post(Close{code, std::move(reason)}); }
  /// Nothing more is delivered: the transport is gone.
  void shut();

  void flush();

 private:
  struct Close {
    int code = 0;
    std::string reason;
  };
  using Item = std::variant<std::string, std::vector<std::byte>, Close>;

  void post(Item item);
  void deliver(SessionOutput& output, Item item);

  std::mutex mutex_;
  std::shared_ptr<SessionOutput> output_;
  std::deque<Item> items_;
  bool closed_ = false;
  bool delivering_ = false;
};

}  // namespace nora
