#include "streaming/socket/ip_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr int ipv4Bits = 96;  // of the prefix ::ffff:0:0
constexpr std::size_t longestAddress = 64;

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > longestAddress) return std::nullopt;
  const std::string terminated(text);
  IpAddress out;
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) {
    out.bytes_[10] = out.bytes_[11] = 0xFF;
    std::memcpy(out.bytes_.data() + 12, &v4, 4);
    return out;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes_.data()) == 1) return out;
  return std::nullopt;
}

IpAddress IpAddress::of(const sockaddr_storage& address) {
  IpAddress out;
  if (address.ss_family == AF_INET) {
    out.bytes_[10] = out.bytes_[11] = 0xFF;
    std::memcpy(out.bytes_.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.ss_family == AF_INET6) {
    std::memcpy(out.bytes_.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  }
  return out;
}

IpAddress IpAddress::ofPeer(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 ? of(address) : IpAddress{};
}

IpAddress IpAddress::ofOurs(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 ? of(address) : IpAddress{};
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = isIpv4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? 12 : 0), text.data(), text.size());
  return text.data();
}

bool IpAddress::isIpv4() const {
  return std::all_of(bytes_.begin(), bytes_.begin() + 10, [](auto b) { return b == 0; }) && bytes_[10] == 0xFF &&
         bytes_[11] == 0xFF;
}

bool IpAddress::isLoopback() const {
  if (isIpv4()) return bytes_[12] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::sharesPrefix(const IpAddress& other, int bits) const {
  for (std::size_t i = 0; i < bytes_.size() && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<std::uint8_t>(bits >= 8 ? 0xFF : 0xFF << (8 - bits));
    if (((bytes_[i] ^ other.bytes_[i]) & mask) != 0) return false;
  }
  return true;
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto first = IpAddress::parse(text.substr(0, slash));
  const auto wrong = [&] {
    return fail(ErrorCode::invalidInput, "not an address (10.0.0.1) or range of addresses (10.0.0.0/8)",
                std::string(text));
  };
  if (!first) return wrong();
  AddressRange out;
  out.first_ = *first;
  if (slash == std::string_view::npos) return out;
  const auto number = text.substr(slash + 1);
  int bits = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
  const int offset = first->isIpv4() && text.find(':') == std::string_view::npos ? ipv4Bits : 0;
  if (error != std::errc{} || end != number.data() + number.size() || bits < 0 || bits + offset > 128) return wrong();
  out.bits_ = bits + offset;
  return out;
}

}  // namespace nora
