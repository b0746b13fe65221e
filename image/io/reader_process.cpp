#include "image/io/reader_process.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace nora::reader {
namespace {

std::string seconds(std::chrono::milliseconds time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g s", static_cast<double>(time.count()) / 1000);
  return text.data();
}

}  // namespace

Process::Process(ChildProcess child, UniqueFd socket)
    : child_(std::move(child)), id_(child_.id()), socket_(std::move(socket)) {}

Result<std::unique_ptr<Process>> Process::start(ChildStarter& starter, const std::string& program,
                                                const ReaderPool::Limits& limits, const Patience& patience) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(ErrorCode::internal, std::string("cannot make a socket for a reader: ") + std::strerror(errno));
  }
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  auto child = starter.start(program, {"reader"}, theirs.get());
  theirs.reset();  // or the end of the child would not be seen
  if (!child) return tl::make_unexpected(child.error());
  std::unique_ptr<Process> process(new Process(std::move(*child), std::move(ours)));
  const auto requestSeconds = std::chrono::ceil<std::chrono::seconds>(limits.readTime).count();
  const nlohmann::json hello{{"volumeBytes", limits.volumeBytes},
                             {"processBytes", limits.processBytes},
                             {"seconds", requestSeconds},
                             {"preferQform", limits.preferQform},
                             {"inPlaceBytes", limits.inPlaceBytes}};
  if (const auto sent = process->send(hello, {}, patience); !sent) return tl::make_unexpected(sent.error());
  if (const auto ready = process->receive(patience); !ready) {
    return fail(ready.error().code, "a reader could not start: " + ready.error().what, program);
  }
  return process;
}

bool Process::isWaiting() const {
  pollfd socket{socket_.get(), POLLIN, 0};
  return child_.id() > 0 && ::poll(&socket, 1, 0) == 0;
}

Result<void> Process::send(const nlohmann::json& message, std::span<const int> descriptors, const Patience& patience) {
  const auto sent = reader::send(socket_.get(), message, descriptors, patience);
  if (!sent) return tl::make_unexpected(bury(sent.error(), patience));
  return {};
}

Result<nlohmann::json> Process::receive(const Patience& patience) {
  auto received = reader::receive(socket_.get(), false, patience);
  if (!received) return tl::make_unexpected(bury(received.error(), patience));
  return std::move(received->json);
}

Result<bool> Process::hasMessage(std::chrono::milliseconds atMost, const Patience& patience) {
  const auto ready = patience.waitFor(socket_.get(), POLLIN, atMost);
  if (!ready) return tl::make_unexpected(bury(ready.error(), patience));
  return *ready;
}

Error Process::bury(Ending ending, const Patience& patience) {
  const std::string end = child_.killAndWait();
  switch (ending) {
    case Ending::cancelled: return {ErrorCode::cancelled, "cancelled", ""};
    case Ending::malformed: return {ErrorCode::unavailable, "the reader gave an answer that makes no sense", ""};
    case Ending::tooLate:
      return {ErrorCode::unavailable, "the reader took longer than " + seconds(*patience.limit()), ""};
    case Ending::closed: break;
  }
  return {ErrorCode::unavailable, "the reader stopped (" + end + ")", ""};
}

}  // namespace nora::reader
