#include "streaming/socket/listen_check.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr int highestPort = 65535;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Result<Address> numericAddress(const std::string& text, int port) {
  Address out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    out.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    out.length = sizeof(sockaddr_in6);
  } else {
    return fail(ErrorCode::invalidInput, "not an address to bind to: give a number such as 127.0.0.1 or 0.0.0.0", text);
  }
  return out;
}

tl::unexpected<Error> bindError(const std::string& address, int port) {
  const std::string number = std::to_string(port);
  if (errno == EADDRINUSE) {
    return fail(ErrorCode::unavailable, "port " + number + " is already in use: choose another with --port");
  }
  if (errno == EACCES)
    return fail(ErrorCode::forbidden, "port " + number + " needs special rights: choose another with --port");
  if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) {
    return fail(ErrorCode::invalidInput, "this machine does not have the address to bind to", address);
  }
  return fail(ErrorCode::internal, std::string("cannot listen: ") + std::strerror(errno), address + " port " + number);
}

}  // namespace

Result<std::string> checkListen(const std::string& address, int port) {
  if (port < 0 || port > highestPort) return fail(ErrorCode::invalidInput, "a port is a number from 0 to 65535");
  const std::string numeric = address == "localhost" ? "127.0.0.1" : address;
  const auto where = numericAddress(numeric, port);
  if (!where) return tl::make_unexpected(where.error());
  const UniqueFd fd(::socket(where->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return bindError(address, port);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where->storage), where->length) != 0)
    return bindError(address, port);
  if (::listen(fd.get(), 1) != 0) return bindError(address, port);
  return numeric;
}

}  // namespace nora
