#include "app/stop_signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace nora {
namespace {

std::array<int, 2> ends{-1, -1};

extern "C" void onStopSignal(int) {
  const int before = errno;
  static_cast<void>(!::write(ends[1], "s", 1));
  errno = before;
}

void handle(void (*handler)(int)) {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_RESETHAND;
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace

StopSignals::StopSignals() {
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  waiting_ = std::jthread([this] {
    char c = '\0';
    ssize_t got = 0;
    do got = ::read(ends[0], &c, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1 && c == 's') source_.request_stop();
  });
  handle(onStopSignal);
}

StopSignals::~StopSignals() {
  if (ends[1] < 0) return;
  handle(SIG_DFL);
  static_cast<void>(!::write(ends[1], "e", 1));
  waiting_.join();
  for (int& end : ends) {
    ::close(end);
    end = -1;
  }
}

}  // namespace nora
