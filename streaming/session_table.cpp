#include "streaming/session_table.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::chrono::seconds loadsKept{60};  // of a session without connection

}  // namespace

std::shared_ptr<ViewerSession> StreamEngine::Link::session() const {
  const std::lock_guard lock(mutex_);
  return session_;
}

void StreamEngine::Link::setSession(std::shared_ptr<ViewerSession> session) {
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
}

std::shared_ptr<ViewerSession> StreamEngine::Link::takeSession() {
  const std::lock_guard lock(mutex_);
  isOver_ = true;
  return std::exchange(session_, nullptr);
}

void StreamEngine::Link::refuse(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (session_ != nullptr || std::exchange(isOver_, true)) return;
  }
  output_->close(webSocketCloseCode(error.code), describe(error));
}

bool StreamEngine::Link::isOver() const {
  const std::lock_guard lock(mutex_);
  return isOver_;
}

std::shared_ptr<SessionTable::Link> SessionTable::open(std::shared_ptr<SessionOutput> output, StreamVisitor visitor) {
  auto link = std::make_shared<Link>(std::move(output), std::move(visitor));
  const std::lock_guard lock(mutex_);
  links_.push_back(link);
  return link;
}

std::shared_ptr<SessionTable::Link> SessionTable::find(const Link& link) const {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(links_.begin(), links_.end(), [&](const auto& l) { return l.get() == &link; });
  return at == links_.end() ? nullptr : *at;
}

Result<SessionTable::Found> SessionTable::sessionFor(const std::string& token, const StreamVisitor& visitor,
                                                     const std::function<SessionPointer()>& make) {
  const std::lock_guard lock(mutex_);
  const auto isIt = [&](const SessionPointer& session) {
    return session->id() == token && session->visitor().key == visitor.key;
  };
  if (const auto at = std::find_if(connected_.begin(), connected_.end(), isIt); at != connected_.end()) {
    const auto link = std::find_if(links_.begin(), links_.end(), [&](const auto& l) { return l->session() == *at; });
    return Found{*at, link == links_.end() ? nullptr : *link};
  }
  if (connected_.size() >= options_.sessions)
    return fail(ErrorCode::unavailable, "too many viewers are connected; try again later");
  const auto isOfUser = [&](const SessionPointer& session) { return session->visitor().user == visitor.user; };
  const auto ofUser = std::count_if(connected_.begin(), connected_.end(), isOfUser);
  if (!visitor.user.empty() && static_cast<std::size_t>(ofUser) >= options_.sessionsPerUser)
    return fail(ErrorCode::unavailable, "you have too many viewers open: close one of the " + std::to_string(ofUser));
  const auto waiting = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return isIt(kept.session); });
  Found found;
  if (waiting != kept_.end()) {
    found.session = waiting->session;
    kept_.erase(waiting);
  } else {
    found.session = make();
  }
  connected_.push_back(found.session);
  return found;
}

SessionTable::SessionPointer SessionTable::close(const std::shared_ptr<Link>& link, const SessionPointer& session,
                                                 bool isWorthKeeping) {
  const std::lock_guard lock(mutex_);
  std::erase(links_, link);
  if (session == nullptr) return nullptr;
  std::erase(connected_, session);
  if (!isWorthKeeping || options_.keep.count() == 0) return session;
  kept_.push_back({session, Clock::now()});
  if (kept_.size() <= options_.sessions) return nullptr;
  const auto oldest = kept_.front().session;
  kept_.erase(kept_.begin());
  return oldest;
}

SessionTable::Overdue SessionTable::overdue(Clock::time_point now) {
  Overdue out;
  const std::lock_guard lock(mutex_);
  for (const auto& link : links_) {
    if (now - link->since() > options_.startTime && link->session() == nullptr) out.silent.push_back(link);
  }
  for (Kept& waiting : kept_) {
    if (now - waiting.since > options_.keep) out.over.push_back(waiting.session);
    if (now - waiting.since > loadsKept && std::exchange(waiting.isLoading, false)) out.idle.push_back(waiting.session);
  }
  std::erase_if(kept_, [&](const Kept& waiting) { return now - waiting.since > options_.keep; });
  return out;
}

std::set<std::string> SessionTable::keys() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& link : links_) out.insert(link->visitor().key);
  for (const Kept& waiting : kept_) out.insert(waiting.session->visitor().key);
  return out;
}

std::vector<std::shared_ptr<SessionTable::Link>> SessionTable::links() const {
  const std::lock_guard lock(mutex_);
  return links_;
}

std::vector<SessionTable::SessionPointer> SessionTable::forget(
    const std::function<bool(const std::string& key)>& isOver) {
  std::vector<SessionPointer> out;
  const std::lock_guard lock(mutex_);
  std::erase_if(connected_, [&](const SessionPointer& session) {
    if (!isOver(session->visitor().key)) return false;
    out.push_back(session);
    return true;
  });
  std::erase_if(kept_, [&](const Kept& waiting) {
    if (!isOver(waiting.session->visitor().key)) return false;
    out.push_back(waiting.session);
    return true;
  });
  return out;
}

std::vector<SessionTable::SessionPointer> SessionTable::connected() const {
  const std::lock_guard lock(mutex_);
  return connected_;
}

std::vector<SessionTable::SessionPointer> SessionTable::kept() const {
  const std::lock_guard lock(mutex_);
  std::vector<SessionPointer> out;
  for (const Kept& waiting : kept_) out.push_back(waiting.session);
  return out;
}

std::size_t SessionTable::connectedCount() const {
  const std::lock_guard lock(mutex_);
  return connected_.size();
}

std::size_t SessionTable::keptCount() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace nora
