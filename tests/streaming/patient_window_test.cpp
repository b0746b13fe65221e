#include "streaming/socket/patient_window.hpp"

#include <deque>
#include <utility>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;
using Clock = PatientWindow::Clock;

constexpr std::size_t part = std::size_t{16} << 10;

/// A way of a bandwidth (bytes a microsecond) and a round trip, with no end of store in it.
struct Way {
  double bandwidth = 0.25;
  Clock::duration roundTrip = 40ms;

  PatientWindow window{};
  Clock::time_point now{Clock::time_point{} + 1h};
  Clock::time_point freeAt{};
  unsigned ping = 0;
  std::deque<std::pair<unsigned, Clock::time_point>> answers{};

  /// What went through in that time, and the longest that a part waited for those before it.
  std::pair<double, Clock::duration> run(Clock::duration time) {
    const auto end = now + time;
    double bytes = 0;
    Clock::duration longest{};
    while (now < end) {
      while (window.hasRoom()) {
        window.sent(++ping, part, now);
        freeAt = std::max(freeAt, now);
        longest = std::max(longest, freeAt - now);
        freeAt += std::chrono::microseconds(static_cast<std::int64_t>(part / bandwidth));
        answers.emplace_back(ping, freeAt + roundTrip);
      }
      now = std::max(now, answers.front().second);
      window.answered(answers.front().first, now);
      answers.pop_front();
      bytes += part;
    }
    return {bytes, longest};
  }
};

TEST(PatientWindow, FillsWaysOfAllKinds) {
  for (const double bandwidth : {0.25, 1.25, 12.5}) {  // 2, 10, 100 Mbit/s
    for (const auto roundTrip : {2ms, 40ms, 150ms}) {
      Way way{bandwidth, roundTrip};
      way.run(3s);
      const auto [bytes, longest] = way.run(5s);
      EXPECT_GT(bytes / 5e6, 0.7 * bandwidth) << bandwidth << " B/us, " << roundTrip.count() << " ms";
      const auto onePart = std::chrono::microseconds(static_cast<std::int64_t>(part / bandwidth));
      EXPECT_LT(longest, PatientWindow::mostDelay + 70ms + onePart) << bandwidth << ", " << roundTrip.count();
    }
  }
}

TEST(PatientWindow, BecomesSmallWhenTheWayBecomesNarrow) {
  Way way{125, 2ms};
  way.run(1s);
  way.bandwidth = 0.25;
  way.run(10s);  // what was under way at first
  EXPECT_LT(way.run(3s).second, 200ms);
}

TEST(PatientWindow, AnAnswerCountsForAllPingsBefore) {
  PatientWindow window;
  const auto now = Clock::now();
  for (unsigned ping = 1; window.hasRoom(); ++ping) window.sent(ping, part, now);
  window.answered(4, now + 1ms);
  EXPECT_TRUE(window.hasRoom());
  window.answered(99, now + 2ms);
  EXPECT_TRUE(window.hasRoom());
}

TEST(PatientWindow, WithoutAnswersNothingMoreGoes) {
  PatientWindow window;
  const auto now = Clock::now();
  unsigned sent = 0;
  while (window.hasRoom()) window.sent(++sent, part, now);
  EXPECT_EQ(sent * part, PatientWindow::atFirst);
  window.answered(0, now);
  EXPECT_FALSE(window.hasRoom());
}

TEST(PatientWindow, APartLargerThanAllRoomGoesAlone) {
  PatientWindow window;
  window.sent(1, PatientWindow::most, Clock::now());
  EXPECT_FALSE(window.hasRoom());
  window.answered(1, Clock::now());
  EXPECT_TRUE(window.hasRoom());
}

}  // namespace
}  // namespace nora
