#include "streaming/outbox.hpp"

namespace nora {

void Outbox::post(Item item) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = std::holds_alternative<Close>(item);
  items_.push_back(std::move(item));
}

void Outbox::shut() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  items_.clear();
  output_.reset();
}

void Outbox::flush() {
  std::unique_lock lock(mutex_);
  if (delivering_) return;
  delivering_ = true;
  while (!items_.empty() && output_ != nullptr) {
    Item item = std::move(items_.front());
    items_.pop_front();
    const auto output = output_;
    lock.unlock();
    deliver(*output, std::move(item));
    lock.lock();
  }
  delivering_ = false;
}

void Outbox::deliver(SessionOutput& output, Item item) {
  if (auto* text = std::get_if<std::string>(&item)) {
    output.sendText(std::move(*text));
  } else if (auto* frame = std::get_if<std::vector<std::byte>>(&item)) {
    output.sendFrame(std::move(*frame));
  } else {
    auto& end = std::get<Close>(item);
    output.close(end.code, std::move(end.reason));
  }
}

}  // namespace nora
