#include "streaming/socket/http_request.hpp"

#include "streaming/socket/tls_certificate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <libwebsockets.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t longestHeader = 8192;
constexpr std::size_t longestArgument = 4096 + 256;  // a search text of 4 KiB, and its name
constexpr std::size_t mostArguments = 64;
constexpr int lookTries = 16;

constexpr std::array<std::pair<std::string_view, lws_token_indexes>, 6> methods{{
    {"GET", WSI_TOKEN_GET_URI},
    {"HEAD", WSI_TOKEN_HEAD_URI},
    {"POST", WSI_TOKEN_POST_URI},
    {"PUT", WSI_TOKEN_PUT_URI},
    {"PATCH", WSI_TOKEN_PATCH_URI},
    {"DELETE", WSI_TOKEN_DELETE_URI},
}};

/// Those of requestHeaders that libwebsockets has a token for.
constexpr std::array<std::pair<std::string_view, lws_token_indexes>, 8> knownHeaders{{
    {"authorization", WSI_TOKEN_HTTP_AUTHORIZATION},
    {"content-length", WSI_TOKEN_HTTP_CONTENT_LENGTH},
    {"content-type", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"cookie", WSI_TOKEN_HTTP_COOKIE},
    {"if-match", WSI_TOKEN_HTTP_IF_MATCH},
    {"if-range", WSI_TOKEN_HTTP_IF_RANGE},
    {"origin", WSI_TOKEN_ORIGIN},
    {"range", WSI_TOKEN_HTTP_RANGE},
}};

/// Of a header that libwebsockets has no token for; `name` in lower case, with its colon.
std::string customHeaderOf(lws* wsi, std::string_view name) {
  std::string value(longestHeader, '\0');
  const int length = lws_hdr_custom_copy(wsi, value.data(), static_cast<int>(value.size()), name.data(),
                                         static_cast<int>(name.size()));
  value.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
  return value;
}

int customLength(lws* wsi, std::string_view name) {
  return lws_hdr_custom_length(wsi, name.data(), static_cast<int>(name.size()));
}

/// How often a header is there, also an empty one; 2 stands for more.
int countOf(lws* wsi, lws_token_indexes token) {
  std::string value(longestHeader, '\0');
  int count = 0;
  while (count < 2 && (lws_hdr_copy_fragment(wsi, value.data(), static_cast<int>(value.size()), token, count) >= 0 ||
                       lws_hdr_fragment_length(wsi, token, count) > 0)) {
    ++count;
  }
  return count;
}

/// A space before the colon: what one program takes for a header the next one does not.
bool hasSpacedName(lws* wsi) {
  for (const std::string_view name :
       {"content-length :", "content-length\t:", "transfer-encoding :", "transfer-encoding\t:"}) {
    if (customLength(wsi, name) >= 0) return true;
  }
  return false;
}

tl::unexpected<HeadFault> fault(int status, std::string_view reason, std::string text) {
  return tl::make_unexpected(HeadFault{status, reason, std::move(text)});
}

std::optional<HeadFault> readHeaders(lws* wsi, HttpRequest& request) {
  for (const std::string_view name : requestHeaders) {
    const auto known = std::ranges::find(knownHeaders, name, &std::pair<std::string_view, lws_token_indexes>::first);
    const std::string withColon = std::string(name) + ":";
    const bool hasToken = known != knownHeaders.end();
    const int length = hasToken ? lws_hdr_total_length(wsi, known->second) : customLength(wsi, withColon);
    if (length < 0 || (length == 0 && (!hasToken || countOf(wsi, known->second) == 0))) continue;
    if (static_cast<std::size_t>(length) >= longestHeader) {
      return HeadFault{431, "header", "the header " + std::string(name) + " is too long"};
    }
    request.headers[std::string(name)] = hasToken ? headerOf(wsi, known->second) : customHeaderOf(wsi, withColon);
  }
  return std::nullopt;
}

/// Libwebsockets has taken the arguments apart, and decoded them.
std::optional<HeadFault> readArguments(lws* wsi, HttpRequest& request) {
  std::vector<char> argument(std::size_t{1} << 16);  // longer than a head can be: less than 0 is the end
  for (std::size_t n = 0;; ++n) {
    const int length = lws_hdr_copy_fragment(wsi, argument.data(), static_cast<int>(argument.size()),
                                             WSI_TOKEN_HTTP_URI_ARGS, static_cast<int>(n));
    if (length < 0) return std::nullopt;
    if (n >= mostArguments) return HeadFault{414, "query", "the query has too many arguments"};
    if (static_cast<std::size_t>(length) > longestArgument) {
      return HeadFault{414, "query", "an argument of the query is longer than 4 KiB"};
    }
    if (length == 0) continue;
    const std::string_view text(argument.data(), static_cast<std::size_t>(length));
    const auto equals = text.find('=');
    request.query[std::string(text.substr(0, equals))] =
        equals == std::string_view::npos ? std::string() : std::string(text.substr(equals + 1));
  }
}

}  // namespace

std::string headerOf(lws* wsi, int token) {
  std::string value(longestHeader, '\0');
  const int length =
      lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), static_cast<lws_token_indexes>(token));
  value.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return value;
}

std::string_view methodOf(lws* wsi) {
  std::string_view method;
  for (const auto& [name, token] : methods) {
    if (lws_hdr_total_length(wsi, token) == 0) continue;
    if (!method.empty()) return {};  // a second request line among the headers
    method = name;
  }
  return method;
}

RequestFacts factsOf(lws* wsi) {
  RequestFacts facts;
  const int fd = lws_get_socket_fd(wsi);
  facts.peer = IpAddress::ofPeer(fd);
  facts.ours = IpAddress::ofOurs(fd);
  facts.tls = lws_is_ssl(wsi) != 0;
  facts.host = headerOf(wsi, WSI_TOKEN_HOST);
  facts.origin = headerOf(wsi, WSI_TOKEN_ORIGIN);
  // An Origin that is there and cannot be read must not pass for none.
  if (facts.origin.empty() && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0) facts.origin = "null";
  facts.forwardedFor = headerOf(wsi, WSI_TOKEN_X_FORWARDED_FOR);
  facts.forwardedHost = customHeaderOf(wsi, "x-forwarded-host:");
  facts.forwardedProto = customHeaderOf(wsi, "x-forwarded-proto:");
  facts.viaOther =
      lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) > 0;
  for (const std::string_view name : {"x-forwarded-host:", "x-forwarded-proto:", "forwarded:", "x-real-ip:", "via:"}) {
    facts.viaOther = facts.viaOther || customLength(wsi, name) >= 0;
  }
  return facts;
}

bool announcesBody(lws* wsi) {
  const int lengths = countOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  return lengths > 1 || (lengths == 1 && headerOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) != "0") ||
         countOf(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 || hasSpacedName(wsi);
}

tl::expected<AnnouncedBody, HeadFault> bodyOf(lws* wsi, std::string_view method) {
  if (method == "GET" || method == "HEAD") {
    if (announcesBody(wsi)) return fault(400, "body", "requests with a body are not answered");
    return AnnouncedBody{};
  }
  const int lengths = countOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  const bool encoded = countOf(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
  if (lengths > 1 || (lengths == 1 && encoded) || hasSpacedName(wsi)) {
    return fault(400, "body", "the length of the body is told in two ways");
  }
  if (encoded) return fault(411, "body", "a body needs a content-length: chunked ones are not taken");
  AnnouncedBody body;
  if (lengths == 1) {
    const std::string text = headerOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), body.bytes);
    if (text.empty() || text.size() > 18 || error != std::errc{} || at != text.data() + text.size()) {
      return fault(400, "body", "the content-length is no number");
    }
  }
  body.known = lengths == 1 || method == "DELETE";
  body.awaited = body.bytes > 0 || !body.known;
  const std::string expect = headerOf(wsi, WSI_TOKEN_HTTP_EXPECT);
  if (!expect.empty() && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) > 0) {
    if (strcasecmp(expect.c_str(), "100-continue") != 0) return fault(417, "body", "only 100-continue can be expected");
    body.wantsContinue = body.bytes > 0 && isHttp11(wsi);
  }
  return body;
}

tl::expected<HttpRequest, HeadFault> requestOf(lws* wsi, std::string_view path, const RequestFacts& facts,
                                               const AccessRules& rules) {
  HttpRequest request;
  request.method = methodOf(wsi);
  request.path = path;
  request.ifNoneMatch = headerOf(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
  request.acceptsGzip = headerOf(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING).find("gzip") != std::string::npos;
  request.fromThisMachine = AccessRules::isLocal(facts);
  request.client = rules.clientOf(facts).text();
  request.ownOrigin = rules.ownOrigin(facts);
  if (auto wrong = readHeaders(wsi, request)) return tl::make_unexpected(*std::move(wrong));
  if (auto wrong = readArguments(wsi, request)) return tl::make_unexpected(*std::move(wrong));
  return request;
}

bool isHttp11(lws* wsi) {
  return headerOf(wsi, WSI_TOKEN_HTTP) == "HTTP/1.1";
}

std::optional<std::uint64_t> takenBytes(lws* wsi) {
  if (const ssl_st* tls = lws_get_ssl(wsi); tls != nullptr) return takenBytes(tls);
  const int fd = lws_get_socket_fd(wsi);
  const auto info = [&]() -> std::optional<std::pair<std::uint64_t, unsigned>> {
    tcp_info now{};
    socklen_t size = sizeof now;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &now, &size) != 0 ||
        size < offsetof(tcp_info, tcpi_bytes_received) + sizeof now.tcpi_bytes_received) {
      return std::nullopt;
    }
    return std::pair(std::uint64_t{now.tcpi_bytes_received}, unsigned{now.tcpi_state});
  };
  auto before = info();
  for (int i = 0; before && i < lookTries; ++i) {
    int unread = 0;
    if (::ioctl(fd, FIONREAD, &unread) != 0) return std::nullopt;
    const auto after = info();
    if (after == before) {
      const bool open = after->second == 1;  // else the end was received, and counts as a byte
      return after->first - static_cast<std::uint64_t>(unread) - (open ? 0 : 1);
    }
    before = after;
  }
  return std::nullopt;
}

}  // namespace nora
