// CurrentPicture: what the render thread draws now, and for whom it is given up.
#pragma once

#include "streaming/view_schedule.hpp"

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace nora {

/// Thread: any; begin() and end() are the render thread's.
class CurrentPicture {
 public:
  struct What {
    const void* session = nullptr;  // compared, never followed
    PictureKind kind = PictureKind::moving;
    std::string view;
    bool coarsest = false;
    bool yields = true;  // to other sessions
    Clock::time_point start;
  };

  /// `patience`: newer input replaces a moving picture that takes longer; else it is finished, so that something is
  /// seen while input never ends.
  explicit CurrentPicture(std::chrono::milliseconds patience) : patience_(patience) {}

  [[nodiscard]] std::stop_token begin(What what);
  void end();

  /// These views of a session are out of date now. What is no longer moving makes way for all of them.
  void makeWay(const void* session, const WaitingViews& waiting, Clock::time_point now);
  /// Nobody wants that session's picture any more.
  void forget(const void* session);
  /// Stops this picture and all later ones.
  void close();

 private:
  [[nodiscard]] bool mustYield(const void* session, const WaitingViews& waiting, Clock::time_point now) const;

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::optional<What> what_;
  std::stop_source stop_;
  bool closed_ = false;
};

}  // namespace nora
