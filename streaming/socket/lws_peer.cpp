#include "streaming/socket/lws_peer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <libwebsockets.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t bodyChunk = std::size_t{64} << 10;
constexpr int bodyTimeoutSeconds = 20;  // without any progress of a client that reads a body
constexpr std::size_t headBytes = 2048;
constexpr std::size_t longestHeader = 4096;
constexpr std::size_t mostArguments = 32;

constexpr lws_usec_t lookAfterUs = 250'000;  // between looks whether a client still waits
constexpr int waitSeconds = 600;             // for a worker's answer: more than a reader may take

struct NamedHeader {
  const char* name;
  const char* value;
};
constexpr std::array<NamedHeader, 3> alwaysSent{{
    {"cache-control:", "no-cache"},
    {"x-content-type-options:", "nosniff"},
    {"referrer-policy:", "no-referrer"},
}};
/// The page's. Frames of its own making show PDF files.
constexpr std::string_view pagePolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-src 'self' blob:";

/// The value of a request header; empty if absent or too long.
std::string headerOf(lws* wsi, lws_token_indexes token) {
  std::string value(longestHeader, '\0');
  const int length = lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), token);
  value.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return value;
}

/// The same of a header that libwebsockets has no token for; `name` in lower case, with its colon.
std::string headerOf(lws* wsi, std::string_view name) {
  std::string value(longestHeader, '\0');
  const int length = lws_hdr_custom_copy(wsi, value.data(), static_cast<int>(value.size()), name.data(),
                                         static_cast<int>(name.size()));
  value.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return value;
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
  facts.forwardedHost = headerOf(wsi, "x-forwarded-host:");
  facts.forwardedProto = headerOf(wsi, "x-forwarded-proto:");
  facts.viaOther =
      lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) > 0;
  for (const std::string_view name : {"x-forwarded-host:", "x-forwarded-proto:", "forwarded:", "x-real-ip:", "via:"}) {
    facts.viaOther = facts.viaOther || lws_hdr_custom_length(wsi, name.data(), static_cast<int>(name.size())) >= 0;
  }
  return facts;
}

/// Only answers without a body in the request are given. What followed would be taken for the next request, by which
/// somebody behind the same proxy could be given another's answer.
bool hasBody(lws* wsi) {
  const std::string length = headerOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  const bool saysLength = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
  return (saysLength && length != "0") || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
}

HttpRequest requestOf(lws* wsi, std::string_view path) {
  HttpRequest request;
  request.method = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0 ? "HEAD" : "GET";
  request.path = path;
  request.ifNoneMatch = headerOf(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
  request.acceptsGzip = headerOf(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING).find("gzip") != std::string::npos;
  std::array<char, 1024> argument{};
  for (std::size_t n = 0; n < mostArguments; ++n) {
    const int length = lws_hdr_copy_fragment(wsi, argument.data(), static_cast<int>(argument.size()),
                                             WSI_TOKEN_HTTP_URI_ARGS, static_cast<int>(n));
    if (length <= 0) break;
    const std::string_view text(argument.data(), static_cast<std::size_t>(length));
    const auto equals = text.find('=');
    request.query[std::string(text.substr(0, equals))] =
        equals == std::string_view::npos ? std::string() : std::string(text.substr(equals + 1));
  }
  return request;
}

/// Writes an HTTP head piece by piece; remembers if it did not fit.
class Head {
 public:
  Head(lws* wsi, int status) : wsi_(wsi) {
    ok_ = lws_add_http_header_status(wsi_, static_cast<unsigned>(status), &at_, end()) == 0;
  }
  void add(const char* nameWithColon, std::string_view value) {
    ok_ = ok_ && lws_add_http_header_by_name(wsi_, reinterpret_cast<const unsigned char*>(nameWithColon),
                                             reinterpret_cast<const unsigned char*>(value.data()),
                                             static_cast<int>(value.size()), &at_, end()) == 0;
  }
  [[nodiscard]] bool write() { return ok_ && lws_finalize_write_http_header(wsi_, start(), &at_, end()) == 0; }

 private:
  unsigned char* start() { return memory_.data() + LWS_PRE; }
  unsigned char* end() { return memory_.data() + memory_.size(); }

  lws* wsi_;
  std::array<unsigned char, LWS_PRE + headBytes> memory_{};
  unsigned char* at_ = memory_.data() + LWS_PRE;
  bool ok_ = false;
};

bool writeHead(lws* wsi, const HttpResponse& response, bool close) {
  Head head(wsi, response.status);
  if (response.status != 304) {
    head.add("content-type:", response.contentType);
    head.add("content-length:", std::to_string(response.body.size()));
  }
  if (!response.etag.empty()) head.add("etag:", response.etag);
  if (!response.location.empty()) head.add("location:", response.location);
  if (!response.contentEncoding.empty()) {
    head.add("content-encoding:", response.contentEncoding);
    head.add("vary:", "accept-encoding");
  }
  if (response.status == 405) head.add("allow:", "GET, HEAD");
  for (const auto& header : alwaysSent) head.add(header.name, header.value);
  head.add("content-security-policy:",
           response.contentSecurityPolicy.empty() ? pagePolicy : response.contentSecurityPolicy);
  if (close) head.add("connection:", "close");
  return head.write();
}

/// A short answer after which the connection ends. `reason`: a word for the metrics.
int refuse(lws* wsi, const HttpSide& side, int status, std::string_view reason, std::string_view text) {
  side.metrics.refused(reason);
  side.metrics.answered(status);
  HttpResponse response;
  response.status = status;
  response.body = std::string(text) + "\n";
  if (!writeHead(wsi, response, true)) return -1;
  std::array<unsigned char, LWS_PRE + 256> memory{};
  const std::size_t length = std::min<std::size_t>(response.body.size(), 256);
  std::memcpy(memory.data() + LWS_PRE, response.body.data(), length);
  (void)lws_write(wsi, memory.data() + LWS_PRE, length, LWS_WRITE_HTTP_FINAL);
  return -1;
}

int sendAnswer(lws* wsi, LwsPeer& peer, const HttpSide& side, HttpResponse response) {
  if (!writeHead(wsi, response, false)) return -1;
  side.metrics.answered(response.status);
  peer.body = peer.headOnly ? std::string() : std::move(response.body);
  peer.bodySent = 0;
  if (peer.body.empty()) return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
  lws_callback_on_writable(wsi);
  return 0;
}

/// Somebody speaks http to the port of https: a browser finds its way.
int leadToTls(lws* wsi, const HttpSide& side, const std::string& host) {
  side.metrics.refused("no_tls");
  side.metrics.answered(308);
  HttpResponse response;
  response.status = 308;
  response.location = "https://" + host + "/";
  (void)writeHead(wsi, response, true);
  return -1;
}

}  // namespace

int answerHttp(lws* wsi, LwsPeer& peer, std::string_view path, const HttpSide& side) {
  const bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
  peer.headOnly = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
  if (!get && !peer.headOnly) return refuse(wsi, side, 405, "method", "only GET and HEAD are answered");
  if (hasBody(wsi)) return refuse(wsi, side, 400, "body", "requests with a body are not answered");
  const RequestFacts facts = factsOf(wsi);
  const bool alive = path == healthPath || path == readyPath;  // asked by load balancers, by whatever name
  if (const auto why = side.rules.refuseHost(facts); !why.empty() && !alive) {
    return refuse(wsi, side, 403, "host", why);
  }
  if (side.tls && !facts.tls) return leadToTls(wsi, side, facts.host);
  if (path == streamPath) return refuse(wsi, side, 426, "no_websocket", "this address speaks WebSocket");
  HttpRequest request = requestOf(wsi, path);
  request.fromThisMachine = AccessRules::isLocal(facts);
  HttpAnswer answered = answer(request, side.handler);
  if (auto* ready = std::get_if<HttpResponse>(&answered)) return sendAnswer(wsi, peer, side, std::move(*ready));
  peer.ticket = side.workers.start(std::get<HttpWork>(std::move(answered)));
  if (peer.ticket == 0) {
    return sendAnswer(wsi, peer, side,
                      problem({ErrorCode::unavailable, "too much is being read at once; try again", {}}));
  }
  peer.waiting = true;
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, waitSeconds);
  lws_set_timer_usecs(wsi, lookAfterUs);
  return 0;
}

bool isIdle(const LwsPeer& peer) {
  return !peer.waiting && !peer.made && peer.body.empty();
}

int lookAfter(lws* wsi, const LwsPeer& peer) {
  if (!peer.waiting) return 0;
  char byte = 0;
  if (::recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return -1;
  lws_set_timer_usecs(wsi, lookAfterUs);
  return 0;
}

int continueAnswer(lws* wsi, LwsPeer& peer, const HttpSide& side, WriteBuffer& buffer) {
  if (peer.made) {
    HttpResponse response = std::move(*peer.made);
    peer.made.reset();
    peer.waiting = false;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, bodyTimeoutSeconds);
    const int result = sendAnswer(wsi, peer, side, std::move(response));
    if (peer.body.empty()) side.workers.forget(std::exchange(peer.ticket, 0));
    return result;
  }
  const std::size_t length = std::min(bodyChunk, peer.body.size() - peer.bodySent);
  if (length == 0) return 0;
  const bool last = peer.bodySent + length == peer.body.size();
  if (buffer.size() < LWS_PRE + length) buffer.resize(LWS_PRE + length);
  std::memcpy(buffer.data() + LWS_PRE, peer.body.data() + peer.bodySent, length);
  if (lws_write(wsi, buffer.data() + LWS_PRE, length, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) return -1;
  peer.bodySent += length;
  side.metrics.answerBytes.add(length);
  if (last) {
    peer.body = {};
    peer.bodySent = 0;
    side.workers.forget(std::exchange(peer.ticket, 0));
    return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
  }
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, bodyTimeoutSeconds);
  lws_callback_on_writable(wsi);
  return 0;
}

int confirmUpgrade(lws* wsi, LwsPeer& peer, std::string_view upgrade, const HttpSide& side) {
  if (upgrade.size() != 9 || lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0) return -1;  // HTTP/2 and others
  if (strncasecmp(upgrade.data(), "websocket", upgrade.size()) != 0) return -1;
  const auto bad = [&](int status, std::string_view text) { return refuse(wsi, side, status, "handshake", text); };
  if (headerOf(wsi, WSI_TOKEN_GET_URI) != streamPath) return bad(404, "there is no stream here");
  if (headerOf(wsi, WSI_TOKEN_VERSION) != "13") return bad(426, "WebSocket version 13 is needed");
  if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == 0) return bad(400, "the WebSocket key is missing");
  if (hasBody(wsi)) return refuse(wsi, side, 400, "body", "requests with a body are not answered");
  const RequestFacts facts = factsOf(wsi);
  if (side.tls && !facts.tls) return refuse(wsi, side, 426, "no_tls", "this port speaks TLS: use wss");
  if (const auto why = side.rules.refuseHost(facts); !why.empty()) return refuse(wsi, side, 403, "host", why);
  if (const auto why = side.rules.refuseOrigin(facts); !why.empty()) return refuse(wsi, side, 403, "origin", why);
  if (!listHas(headerOf(wsi, WSI_TOKEN_PROTOCOL), streamProtocol)) {
    return refuse(wsi, side, 400, "sub_protocol", "the sub-protocol " + std::string(streamProtocol) + " is needed");
  }
  peer.client = side.rules.clientOf(facts);
  return 0;
}

}  // namespace nora
