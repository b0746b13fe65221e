#include "streaming/socket/access_rules.hpp"

#include "streaming/socket/http.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::string_view notLocal = "this server answers to localhost only; --bind lets others in";
constexpr std::string_view notAllowed = "this server answers to the names in allowed_origins only";
constexpr std::string_view otherSite = "pages of another site may not connect";

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The last of a comma-separated list; `list` keeps the rest. Proxies add at the end.
std::string_view takeLast(std::string_view& list) {
  const auto comma = list.rfind(',');
  const auto last = trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
  return last;
}

std::string_view lastOf(std::string_view list) {
  return takeLast(list);
}

std::string withoutPort(std::string host, std::string_view scheme) {
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  if (host.size() > port.size() && host.ends_with(port)) host.resize(host.size() - port.size());
  return host;
}

/// "host:8080" is the number of an address: no other site's name can be made to lead to it.
bool isNumber(std::string_view host) {
  if (IpAddress::parse(host)) return true;
  const auto colon = host.rfind(':');
  return colon != std::string_view::npos && IpAddress::parse(host.substr(0, colon));
}

}  // namespace

std::optional<AccessRules::Origin> AccessRules::originOf(std::string_view text) {
  const std::string lower = lowered(text);
  for (const std::string_view scheme : {"http", "https"}) {
    const std::string start = std::string(scheme) + "://";
    if (!lower.starts_with(start)) continue;
    const std::string host = lower.substr(start.size());
    if (host.empty() || host.find_first_of("/?#@ ,\t") != std::string::npos) return std::nullopt;
    return Origin{std::string(scheme), withoutPort(host, scheme)};
  }
  return std::nullopt;  // "null", files, extensions
}

Result<AccessRules> AccessRules::make(const Options& options) {
  AccessRules out;
  out.localNamesOnly_ = options.localNamesOnly;
  for (const auto& text : options.trustedProxies) {
    auto range = AddressRange::parse(text);
    if (!range) return tl::make_unexpected(Error{range.error().code, "trusted_proxies: " + range.error().what, text});
    out.trusted_.push_back(*range);
  }
  for (const auto& text : options.allowedOrigins) {
    auto origin = originOf(text);
    if (!origin) {
      return fail(ErrorCode::invalidInput, "allowed_origins: not an origin such as https://images.example.org", text);
    }
    out.allowed_.push_back(*std::move(origin));
  }
  return out;
}

bool AccessRules::isTrusted(const IpAddress& peer) const {
  return std::any_of(trusted_.begin(), trusted_.end(), [&](const auto& range) { return range.contains(peer); });
}

IpAddress AccessRules::clientOf(const RequestFacts& facts) const {
  IpAddress client = facts.peer;
  std::string_view rest = facts.forwardedFor;
  while (!rest.empty() && isTrusted(client)) {
    const auto before = IpAddress::parse(takeLast(rest));
    if (!before) break;  // what nobody can read names nobody
    client = *before;
  }
  return client;
}

bool AccessRules::isLocal(const RequestFacts& facts) {
  return !facts.viaOther && (facts.peer.isLoopback() || facts.peer == facts.ours);
}

std::string_view AccessRules::hostOf(const RequestFacts& facts) const {
  const bool told = isTrusted(facts.peer) && !facts.forwardedHost.empty();
  return told ? lastOf(facts.forwardedHost) : std::string_view(facts.host);
}

std::string AccessRules::schemeOf(const RequestFacts& facts) const {
  if (isTrusted(facts.peer) && !facts.forwardedProto.empty()) return lowered(lastOf(facts.forwardedProto));
  return facts.tls ? "https" : "";
}

std::string AccessRules::ownOrigin(const RequestFacts& facts) const {
  const auto origin = originOf((schemeOf(facts) == "https" ? "https://" : "http://") + std::string(hostOf(facts)));
  return origin ? origin->scheme + "://" + origin->host : std::string();
}

std::string_view AccessRules::refuseHost(const RequestFacts& facts) const {
  const auto host = hostOf(facts);
  if (hostIsLocal(host)) return {};
  if (!allowed_.empty()) {
    const bool known = std::any_of(allowed_.begin(), allowed_.end(), [&](const Origin& origin) {
      return withoutPort(lowered(host), origin.scheme) == origin.host;
    });
    return known || (isNumber(host) && !localNamesOnly_) ? std::string_view{} : notAllowed;
  }
  return localNamesOnly_ && !isTrusted(facts.peer) ? notLocal : std::string_view{};
}

std::string_view AccessRules::refuseOrigin(const RequestFacts& facts) const {
  if (facts.origin.empty()) return {};
  const auto origin = originOf(facts.origin);
  if (!origin) return otherSite;
  if (!allowed_.empty()) {
    const bool known = std::any_of(allowed_.begin(), allowed_.end(), [&](const Origin& one) {
      return one.scheme == origin->scheme && one.host == origin->host;
    });
    return known ? std::string_view{} : otherSite;
  }
  // Where nobody tells the scheme (a plain socket, perhaps behind something that takes TLS off) it is not compared.
  const std::string scheme = schemeOf(facts);
  if (!scheme.empty() && scheme != origin->scheme) return otherSite;
  const std::string host = lowered(hostOf(facts));
  return !host.empty() && withoutPort(host, origin->scheme) == origin->host ? std::string_view{} : otherSite;
}

}  // namespace nora
