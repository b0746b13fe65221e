#include "streaming/socket/connection.hpp"

#include <utility>

namespace nora {
namespace {

constexpr int policyViolation = 1008;

}  // namespace

void LoopWaker::wake(std::weak_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (!interrupt_) return;
  waiting_.push_back(std::move(connection));
  interrupt_();
}

void LoopWaker::interrupt() {
  const std::lock_guard lock(mutex_);
  if (interrupt_) interrupt_();
}

std::vector<std::weak_ptr<Connection>> LoopWaker::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void LoopWaker::detach() {
  const std::lock_guard lock(mutex_);
  interrupt_ = nullptr;
  waiting_.clear();
}

void Connection::sendText(std::string message) {
  std::unique_lock lock(mutex_);
  if (closing_) return;
  if (textBytes_ + message.size() > maxQueuedText) {
    closing_ = true;
    texts_.clear();
    pictures_.clear();
    end_ = Close{policyViolation, "the client does not read its messages"};
  } else {
    textBytes_ += message.size();
    texts_.push_back(std::move(message));
  }
  wakeOnce(lock);
}

void Connection::sendFrame(std::vector<std::byte> message) {
  std::unique_lock lock(mutex_);
  if (closing_) return;
  pictures_.push_back({std::move(message), Clock::now()});
  wakeOnce(lock);
}

void Connection::close(int code, std::string reason) {
  std::unique_lock lock(mutex_);
  if (closing_) return;
  closing_ = true;
  pictures_.clear();
  end_ = Close{code, std::move(reason)};
  wakeOnce(lock);
}

void Connection::wakeOnce(std::unique_lock<std::mutex>& lock) {
  if (std::exchange(woken_, true)) return;
  lock.unlock();
  waker_->wake(weak_from_this());
}

void Connection::noticed() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
}

std::optional<Connection::Item> Connection::next() {
  const std::lock_guard lock(mutex_);
  if (!texts_.empty()) {
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    textBytes_ -= text.size();
    return text;
  }
  if (end_) return *std::exchange(end_, std::nullopt);
  if (pictures_.empty()) return std::nullopt;
  Picture picture = std::move(pictures_.front());
  pictures_.pop_front();
  return picture;
}

bool Connection::hasMore() const {
  const std::lock_guard lock(mutex_);
  return !texts_.empty() || end_ || !pictures_.empty();
}

bool Connection::isClosing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

}  // namespace nora
