#include "streaming/outbox.hpp"

#include <utility>

namespace nora {

void Outbox::post(Item item) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = std::holds_alternative<Close>(item);
  items_.push_back(std::move(item));
}

void Outbox::attach(std::shared_ptr<SessionOutput> output) {
  const std::lock_guard lock(mutex_);
  items_.clear();
  output_ = std::move(output);
  closed_ = false;
}

void Outbox::detach() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  items_.clear();
  output_.reset();
}

bool Outbox::withdraw(std::uint32_t frame) {
  const std::lock_guard lock(mutex_);
  const auto isIt = [&](const Item& item) {
    const auto* picture = std::get_if<Picture>(&item);
    return picture != nullptr && picture->number == frame;
  };
  if (std::erase_if(items_, isIt) > 0) return true;
  return output_ != nullptr && output_->withdraw(frame);
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
  } else if (auto* picture = std::get_if<Picture>(&item)) {
    output.sendFrame(picture->number, std::move(picture->message), picture->haste);
  } else {
    auto& end = std::get<Close>(item);
    output.close(end.code, std::move(end.reason));
  }
}

}  // namespace nora
