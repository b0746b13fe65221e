// PatientWindow: how much of the pictures that nobody waits for may be on its way at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace nora {

/// Networks and proxies hold megabytes in store, and what is urgent cannot pass it there. So each part of a patient
/// picture is followed by a ping, and no more is sent than is answered within the round trip and a little longer: the
/// delay that the parts cause themselves is kept small, as in LEDBAT (RFC 6817). Thread: one at a time.
class PatientWindow {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t atFirst = std::size_t{64} << 10;
  static constexpr std::size_t least = std::size_t{32} << 10;
  static constexpr std::size_t most = std::size_t{2} << 20;
  static constexpr std::chrono::milliseconds mostDelay{50};  // beyond the shortest round trip

  [[nodiscard]] bool hasRoom() const { return under_ == 0 || under_ < window_; }
  /// A part, and the ping behind it. Numbers rise.
  void sent(unsigned ping, std::size_t bytes, Clock::time_point now);
  /// That ping, and with it all before it, was answered.
  void answered(unsigned ping, Clock::time_point now);

 private:
  struct Part {
    unsigned ping = 0;
    std::size_t bytes = 0;
    Clock::time_point at;
  };

  void learnShortest(Clock::duration took, Clock::time_point now);

  std::deque<Part> parts_;
  std::size_t under_ = 0;  // bytes on their way
  std::size_t window_ = atFirst;
  bool wasFull_ = false;  // since the last answer
  bool seeking_ = true;   // no end of the way's capacity was met
  Clock::time_point lastCut_{};
  std::deque<Clock::duration> lastTook_;
  // The shortest round trip of this span of time and of the one before: the way may become another.
  Clock::duration shortest_ = Clock::duration::max(), shortestBefore_ = Clock::duration::max();
  Clock::time_point spanBegan_{};
};

}  // namespace nora
