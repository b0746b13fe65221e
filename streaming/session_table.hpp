// SessionTable: who is connected, with which session, and the sessions that wait for somebody to come back.
#pragma once

#include "streaming/session.hpp"
#include "streaming/viewer_session.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nora {

/// One connection. Until its first message it has no session, and none any more when another one has taken it over.
class StreamEngine::Link {
 public:
  Link(std::shared_ptr<SessionOutput> output, StreamVisitor visitor)
      : output_(std::move(output)), visitor_(std::move(visitor)) {}

  [[nodiscard]] const std::shared_ptr<SessionOutput>& output() const { return output_; }
  [[nodiscard]] const StreamVisitor& visitor() const { return visitor_; }
  [[nodiscard]] Clock::time_point since() const { return since_; }
  [[nodiscard]] std::shared_ptr<ViewerSession> session() const;
  void setSession(std::shared_ptr<ViewerSession> session);
  /// Takes it away for good.
  std::shared_ptr<ViewerSession> takeSession();
  /// Closes it, unless it has a session or is over already.
  void refuse(const Error& error);
  [[nodiscard]] bool isOver() const;

 private:
  const std::shared_ptr<SessionOutput> output_;
  const StreamVisitor visitor_;
  const Clock::time_point since_ = Clock::now();
  mutable std::mutex mutex_;
  std::shared_ptr<ViewerSession> session_;
  bool isOver_ = false;
};

/// Thread: any. Its lock is never held while a session's is taken.
class SessionTable {
 public:
  using Link = StreamEngine::Link;
  using SessionPointer = std::shared_ptr<ViewerSession>;
  struct Options {
    std::size_t sessions = 64;         // connected ones; of others as many are kept
    std::size_t sessionsPerUser = 16;  // connected ones
    std::chrono::seconds keep{600};
    std::chrono::milliseconds startTime{10'000};
  };

  explicit SessionTable(Options options) : options_(options) {}

  [[nodiscard]] std::shared_ptr<Link> open(std::shared_ptr<SessionOutput> output, StreamVisitor visitor);
  /// The same link, owned; nothing if it is not in the table.
  [[nodiscard]] std::shared_ptr<Link> find(const Link& link) const;

  struct Found {
    SessionPointer session;
    std::shared_ptr<Link> before;  // the connection that it still has
  };
  /// The session of a token, if it is of the visitor with that key, now among the connected ones; one that `make` makes
  /// if there is none. Errors: unavailable (there are too many).
  [[nodiscard]] Result<Found> sessionFor(const std::string& token, const StreamVisitor& visitor,
                                         const std::function<SessionPointer()>& make);

  /// The connection is gone; `session`: what it had, to be kept for a while if `isWorthKeeping`. Gives back the session
  /// that is over now, if any.
  [[nodiscard]] SessionPointer close(const std::shared_ptr<Link>& link, const SessionPointer& session,
                                     bool isWorthKeeping);

  struct Overdue {
    std::vector<std::shared_ptr<Link>> silent;  // said nothing in time
    std::vector<SessionPointer> idle;           // shall load no more
    std::vector<SessionPointer> over;           // forgotten
  };
  [[nodiscard]] Overdue overdue(Clock::time_point now);

  /// Whom links and sessions are for, each once.
  [[nodiscard]] std::set<std::string> keys() const;
  [[nodiscard]] std::vector<std::shared_ptr<Link>> links() const;
  /// Takes sessions out, connected and kept ones, by the keys of their visitors; they are given back.
  [[nodiscard]] std::vector<SessionPointer> forget(const std::function<bool(const std::string& key)>& isOver);
  [[nodiscard]] std::vector<SessionPointer> connected() const;
  [[nodiscard]] std::vector<SessionPointer> kept() const;
  [[nodiscard]] std::size_t connectedCount() const;
  [[nodiscard]] std::size_t keptCount() const;

 private:
  struct Kept {
    SessionPointer session;
    Clock::time_point since;
    bool isLoading = true;
  };

  const Options options_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Link>> links_;
  std::vector<SessionPointer> connected_;
  std::vector<Kept> kept_;  // the oldest first
};

}  // namespace nora
