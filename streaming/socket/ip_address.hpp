// Addresses of clients and ranges of them.
#pragma once

#include "base/error.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace nora {

/// An IPv4 or IPv6 address. IPv4 is kept as ::ffff:a.b.c.d, so that a client that comes to a dual-stack socket is the
/// same as one that comes to an IPv4 one.
class IpAddress {
 public:
  IpAddress() = default;  // ::, nobody's
  /// A number with or without brackets, no name, no port: empty optional for anything else.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress of(const sockaddr_storage& address);
  /// The other end and this end of a socket; :: if it has none any more.
  [[nodiscard]] static IpAddress ofPeer(int fd);
  [[nodiscard]] static IpAddress ofOurs(int fd);

  [[nodiscard]] bool isIpv4() const;
  /// As a number: "10.0.0.1", "fd00::1".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool isLoopback() const;
  /// The first `bits` bits of the two are the same; 0..128.
  [[nodiscard]] bool sharesPrefix(const IpAddress& other, int bits) const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// "10.0.0.1", "192.168.0.0/16", "fd00::/8".
class AddressRange {
 public:
  /// Errors: invalidInput, with the text as `where`.
  [[nodiscard]] static Result<AddressRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const { return first_.sharesPrefix(address, bits_); }

 private:
  IpAddress first_;
  int bits_ = 128;
};

}  // namespace nora
