#include "streaming/current_picture.hpp"

#include <utility>

namespace nora {

std::stop_token CurrentPicture::begin(What what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
  stop_ = std::stop_source();
  if (closed_) stop_.request_stop();
  return stop_.get_token();
}

void CurrentPicture::end() {
  const std::lock_guard lock(mutex_);
  what_.reset();
}

bool CurrentPicture::mustYield(const void* session, const WaitingViews& waiting, Clock::time_point now) const {
  if (waiting.views.empty()) return false;
  const bool own = what_->session == session;
  if (what_->kind != PictureKind::moving) return own || (what_->yields && waiting.canStart);
  return own && !what_->coarsest && waiting.views.contains(what_->view) && now - what_->start > patience_;
}

void CurrentPicture::makeWay(const void* session, const WaitingViews& waiting, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (what_ && mustYield(session, waiting, now)) stop_.request_stop();
}

void CurrentPicture::forget(const void* session) {
  const std::lock_guard lock(mutex_);
  if (what_ && what_->session == session) stop_.request_stop();
}

void CurrentPicture::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (what_) stop_.request_stop();
}

}  // namespace nora
