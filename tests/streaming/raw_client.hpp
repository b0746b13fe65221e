// A WebSocket client made of bare bytes, for tests of what no browser would do.
#pragma once

#include "base/unique_fd.hpp"
#include "support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace nora::test {

/// A TCP client that can wait, but not for ever.
class Client {
 public:
  explicit Client(int port, int receiveBuffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receiveBuffer > 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << std::strerror(errno);
    const int on = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  void send(std::string_view bytes) { (void)::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void sendSlowly(std::string_view bytes) {
    for (const char c : bytes) send({&c, 1});
  }
  /// False at the end of the connection or when patience is over.
  bool readMore(std::chrono::milliseconds timeout = test::patience) {
    pollfd poll{fd_.get(), POLLIN, 0};
    if (::poll(&poll, 1, static_cast<int>(timeout.count())) <= 0) return false;
    std::array<char, 65536> chunk{};
    const auto got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    ended_ = got <= 0;
    reset_ = got < 0 && errno == ECONNRESET;
    if (!ended_) input.append(chunk.data(), static_cast<std::size_t>(got));
    return !ended_;
  }
  bool readUntil(std::string_view mark) {
    while (input.find(mark) == std::string::npos) {
      if (!readMore()) return false;
    }
    return true;
  }
  bool readBytes(std::size_t count) {
    while (input.size() < count) {
      if (!readMore()) return false;
    }
    return true;
  }
  /// True if the server ends the connection.
  bool readToEnd() {
    while (readMore()) {
    }
    return ended_;
  }
  /// The connection ended otherwise than in order.
  [[nodiscard]] bool wasReset() const { return reset_; }
  std::string take(std::size_t count) {
    std::string out = input.substr(0, count);
    input.erase(0, count);
    return out;
  }

  std::string input;

 private:
  UniqueFd fd_;
  bool ended_ = false, reset_ = false;
};

struct Message {
  int opcode = -1;  // 1 text, 2 binary, 8 close; -1: none came
  std::string payload;
  [[nodiscard]] int closeCode() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

inline std::string frameOf(int opcode, std::string_view payload, bool final = true) {
  std::string out;
  out += static_cast<char>((final ? 0x80 : 0) | opcode);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(0x80 | 126);
    for (int i = 1; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i));
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int i = 7; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i));
  }
  const char mask[4] = {1, 2, 3, 4};
  out.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

}  // namespace nora::test
