// AccessRules: who a request comes from, and whether its names (Host, Origin) are ours. No sockets, no library.
#pragma once

#include "base/error.hpp"
#include "streaming/socket/ip_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// What a request says of where it comes from. The forwarded ones are said by a proxy, or by anybody who likes to.
struct RequestFacts {
  IpAddress peer;         // the other end of the socket
  IpAddress ours;         // this end
  bool tls = false;       // the socket is encrypted
  bool viaOther = false;  // it says in some way that somebody passed it on
  std::string host;
  std::string origin;  // empty: no page asks
  std::string forwardedFor, forwardedHost, forwardedProto;
};

class AccessRules {
 public:
  struct Options {
    bool localNamesOnly = false;  // Host must be this machine itself
    std::vector<std::string>
        trustedProxies{};  // addresses and ranges whose X-Forwarded-For, -Host, -Proto are believed
    std::vector<std::string> allowedOrigins{};  // "https://host[:port]"; empty: the host that was asked
  };

  /// Errors: invalidInput (names the entry that is no range or no origin).
  [[nodiscard]] static Result<AccessRules> make(const Options& options);

  [[nodiscard]] bool isTrusted(const IpAddress& peer) const;
  /// Whom limits are for: behind trusted proxies the last address in X-Forwarded-For that is none of theirs.
  [[nodiscard]] IpAddress clientOf(const RequestFacts& facts) const;
  /// The client sits at this machine. What says that it was passed on is never local, whoever did it.
  [[nodiscard]] static bool isLocal(const RequestFacts& facts);
  /// The address by which the client has reached us, "https://host[:port]"; empty if it names no host.
  [[nodiscard]] std::string ownOrigin(const RequestFacts& facts) const;

  /// Why the name by which the server was asked is not answered; empty: it is. A site whose name is made to lead here
  /// (DNS rebinding) gets nothing from a server on 127.x or from one with allowed origins.
  [[nodiscard]] std::string_view refuseHost(const RequestFacts& facts) const;
  /// Why a page of that origin may not open a stream; empty: it may, or no page asks.
  [[nodiscard]] std::string_view refuseOrigin(const RequestFacts& facts) const;

 private:
  struct Origin {
    std::string scheme, host;  // lower case, host without the scheme's own port
  };
  static std::optional<Origin> originOf(std::string_view text);
  [[nodiscard]] std::string_view hostOf(const RequestFacts& facts) const;
  /// "http" or "https" as far as somebody tells, else empty.
  [[nodiscard]] std::string schemeOf(const RequestFacts& facts) const;

  bool localNamesOnly_ = false;
  std::vector<AddressRange> trusted_;
  std::vector<Origin> allowed_;
};

}  // namespace nora
