#include "streaming/socket/connection.hpp"

#include "streaming/protocol/frame_header.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace nora {
namespace {

constexpr int policyViolation = 1008;

std::uint32_t waitUs(Connection::Clock::time_point since) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(Connection::Clock::now() - since).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, 0xFFFFFFFF));
}

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
    patient_.clear();
    end_ = Close{policyViolation, "the client does not read its messages"};
  } else {
    textBytes_ += message.size();
    texts_.push_back(std::move(message));
  }
  wakeOnce(lock);
}

void Connection::sendFrame(std::uint32_t number, std::vector<std::byte> message, FrameHaste haste) {
  std::unique_lock lock(mutex_);
  if (closing_) return;
  auto& queue = haste == FrameHaste::urgent ? pictures_ : patient_;
  const auto isLess = [&](const Picture& other) {
    return haste == FrameHaste::patient && other.haste == FrameHaste::spare && other.sent == 0;
  };
  queue.insert(std::ranges::find_if(queue, isLess), {number, std::move(message), Clock::now(), haste});
  wakeOnce(lock);
}

/// Of one that was sent in part the client forgets that part when the next one begins.
bool Connection::withdraw(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto isIt = [&](const Picture& picture) { return picture.number == number; };
  return std::erase_if(pictures_, isIt) + std::erase_if(patient_, isIt) > 0;
}

void Connection::close(int code, std::string reason) {
  std::unique_lock lock(mutex_);
  if (closing_) return;
  closing_ = true;
  pictures_.clear();
  patient_.clear();
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

std::optional<Connection::Next> Connection::next(bool mayBePatient) {
  const std::lock_guard lock(mutex_);
  if (!texts_.empty()) {
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    textBytes_ -= text.size();
    return Next{std::move(text)};
  }
  if (end_) return Next{*std::exchange(end_, std::nullopt)};
  if (pictures_.empty()) {
    return patient_.empty() || !mayBePatient ? std::nullopt : std::optional(Next{nextPart(), true});
  }
  Picture picture = std::move(pictures_.front());
  pictures_.pop_front();
  setWaitUs(picture.message, waitUs(picture.queuedAt));
  return Next{std::move(picture.message)};
}

/// Of the first patient picture: all of it, if it is small.
std::vector<std::byte> Connection::nextPart() {
  Picture& picture = patient_.front();
  if (picture.sent == 0) setWaitUs(picture.message, waitUs(picture.queuedAt));
  if (picture.message.size() <= partBytes) {
    auto message = std::move(picture.message);
    patient_.pop_front();
    return message;
  }
  const std::size_t size = std::min(partBytes, picture.message.size() - picture.sent);
  std::vector<std::byte> part(FramePart::headerBytes + size);
  writePartHeader(
      {picture.number, static_cast<std::uint32_t>(picture.sent), static_cast<std::uint32_t>(picture.message.size())},
      std::span(part).first<FramePart::headerBytes>());
  std::copy_n(picture.message.begin() + static_cast<std::ptrdiff_t>(picture.sent), size,
              part.begin() + FramePart::headerBytes);
  picture.sent += size;
  if (picture.sent == picture.message.size()) patient_.pop_front();
  return part;
}

bool Connection::hasMore(bool mayBePatient) const {
  const std::lock_guard lock(mutex_);
  return !texts_.empty() || end_ || !pictures_.empty() || (mayBePatient && !patient_.empty());
}

bool Connection::isClosing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

}  // namespace nora
