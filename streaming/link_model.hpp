// LinkModel: how fast the way to one client is, from when its acknowledgements come.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

namespace nora {

/// A frame that left at s and arrived at a (its acknowledgement without the time that the client held it, so that a
/// round trip is in it) took a - s = round trip + bytes / bandwidth, if the way was free. One that had to wait for the
/// frame before it tells the bandwidth by itself: bytes / (its a - that one's a). Thread: one at a time.
class LinkModel {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = std::chrono::microseconds;

  /// A small message was there and back in that time: what a round trip takes where nothing is in its way.
  void pinged(Time roundTrip, Clock::time_point now = Clock::now());
  void sent(std::uint32_t frame, std::size_t bytes, Clock::time_point now);
  void acknowledged(std::uint32_t frame, Clock::time_point now, Clock::duration held);
  /// It did not go as a whole, or together with others: tells nothing.
  void forget(std::uint32_t frame);
  /// Another connection.
  void restart() { *this = LinkModel(); }

  /// Bytes a microsecond (= MB/s); empty before enough is known.
  [[nodiscard]] std::optional<double> bandwidth() const;
  /// The least of the pings of the last seconds, or of the frames where there were no pings. Zero before anything is
  /// known.
  [[nodiscard]] Time roundTrip() const;

 private:
  struct Sent {
    std::size_t bytes = 0;
    Clock::time_point at;
  };
  struct Sample {
    Clock::time_point at;
    double bytes = 0;
    double us = 0;        // from leaving, or from the arrival of the frame before
    double pingUs = 0;    // the round trip then, by pings; 0: not known
    bool queued = false;  // the frame before was still on the way
  };

  std::map<std::uint32_t, Sent> sent_;
  std::optional<Clock::time_point> lastArrival_;
  std::deque<Sample> samples_;
  struct Ping {
    Clock::time_point at;
    Time roundTrip{};
  };

  std::deque<Ping> pings_;
};

}  // namespace nora
