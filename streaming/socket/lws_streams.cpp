#include "streaming/socket/lws_streams.hpp"

#include "streaming/protocol/frame_header.hpp"
#include "streaming/protocol/messages.hpp"
#include "streaming/socket/http_reply.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <utility>

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t readBuffer = std::size_t{64} << 10;
constexpr unsigned quickPings = 5;  // until the round trip is known
constexpr lws_usec_t quickPingUs = 100'000;
constexpr lws_usec_t busyPingUs = 300'000;  // while pictures are sent
constexpr lws_usec_t pingUs = 5'000'000;
constexpr int closeSeconds = 3;  // a client that was told to go and does not read is cut off
constexpr int goingAway = 1001;
constexpr int notAllowed = 4003;
constexpr int unsupportedData = 1003;
constexpr int policyViolation = 1008;
constexpr int tooLarge = 1009;
constexpr int tryAgainLater = 1013;
constexpr std::size_t bytesOfEveryFrame = 6;  // its head: empty ones are not free
constexpr std::size_t longestReason = 123;    // RFC 6455 5.5

/// A close reason of at most 123 bytes that does not end within a character.
std::string_view shortReason(const std::string& reason) {
  std::size_t length = std::min(reason.size(), longestReason);
  while (length > 0 && length < reason.size() && (static_cast<unsigned char>(reason[length]) & 0xC0) == 0x80) --length;
  return {reason.data(), length};
}

Result<StreamVisitor> askedGate(const StreamGate& gate, const HttpRequest& request, std::stop_token stop) {
  try {
    return gate(request, std::move(stop));
  } catch (const std::exception&) {
    return fail(ErrorCode::internal, "the request failed");
  }
}

}  // namespace

int LwsStreams::refuse(lws* wsi, int status, std::string_view reason, std::string_view text) {
  metrics_.refused(reason);
  metrics_.answered(status);
  return writeRefusal(wsi, status, text);
}

int LwsStreams::confirm(lws* wsi, StreamPeer& peer, std::string_view upgrade) {
  if (upgrade.size() != 9 || lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0) return -1;  // HTTP/2 and others
  if (strncasecmp(upgrade.data(), "websocket", upgrade.size()) != 0) return -1;
  const auto bad = [&](int status, std::string_view text) { return refuse(wsi, status, "handshake", text); };
  const std::string path = headerOf(wsi, WSI_TOKEN_GET_URI);
  if (methodOf(wsi) != "GET" || path != streamPath) return bad(404, "there is no stream here");
  if (headerOf(wsi, WSI_TOKEN_VERSION) != "13") return bad(426, "WebSocket version 13 is needed");
  if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == 0) return bad(400, "the WebSocket key is missing");
  if (announcesBody(wsi)) return refuse(wsi, 400, "body", "requests with a body are not answered");
  const RequestFacts facts = factsOf(wsi);
  if (side_.tls && !facts.tls) return refuse(wsi, 426, "no_tls", "this port speaks TLS: use wss");
  if (const auto why = side_.rules.refuseHost(facts); !why.empty()) return refuse(wsi, 403, "host", why);
  if (const auto why = side_.rules.refuseOrigin(facts); !why.empty()) return refuse(wsi, 403, "origin", why);
  if (!listHas(headerOf(wsi, WSI_TOKEN_PROTOCOL), streamProtocol)) {
    return refuse(wsi, 400, "sub_protocol", "the sub-protocol " + std::string(streamProtocol) + " is needed");
  }
  auto request = requestOf(wsi, path, facts, side_.rules);
  if (!request) return refuse(wsi, request.error().status, request.error().reason, request.error().text);
  peer.request = *std::move(request);
  peer.client = side_.rules.clientOf(facts);
  return 0;
}

void LwsStreams::end(std::chrono::milliseconds within) {
  std::unique_lock lock(endMutex_);
  ending_ = true;
  waker_->interrupt();
  quiet_.wait_for(lock, within, [this] { return !hasStreams_; });
}

/// To all streams, once the end has come.
void LwsStreams::tellEnd() {
  {
    const std::lock_guard lock(endMutex_);
    if (!ending_) return;
  }
  for (auto& [connection, wsi] : sockets_) connection->close(goingAway, "the server has ended");
}

void LwsStreams::wake() {
  tellEnd();
  for (const auto& waiting : waker_->take()) {
    const auto connection = waiting.lock();
    const auto at = connection == nullptr ? sockets_.end() : sockets_.find(connection.get());
    if (at == sockets_.end()) continue;
    connection->noticed();
    if (connection->isClosing()) lws_set_timeout(at->second, PENDING_TIMEOUT_USER_REASON_BASE, closeSeconds);
    lws_callback_on_writable(at->second);
  }
}

int LwsStreams::established(lws* wsi, StreamPeer& peer) {
  // Writable means that nearly all was sent: what comes then is not stuck behind what the system has in store.
  const int mostUnsent = static_cast<int>(Connection::partBytes);
  ::setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &mostUnsent, sizeof mostUnsent);
  const auto now = PeerBook::Clock::now();
  peers_.is(wsi, PeerBook::State::unheard, now);
  peer.messages.emplace(options_.messagesPerSecond, options_.messageBurst, now);
  peer.bytes.emplace(options_.bytesPerSecond, options_.byteBurst, now);
  peer.connection = std::make_shared<Connection>(waker_);
  sockets_[peer.connection.get()] = wsi;
  metrics_.streams.add(1);
  bool ending = false;
  {
    const std::lock_guard lock(endMutex_);
    hasStreams_ = true;
    ending = ending_;
  }
  if (ending) {
    peer.connection->close(goingAway, "the server has ended");
  } else {
    askGate(wsi, peer);
  }
  return 0;
}

/// Nothing is read until it has decided.
void LwsStreams::askGate(lws* wsi, StreamPeer& peer) {
  auto request = std::make_shared<HttpRequest>(std::exchange(peer.request, {}));
  peer.ticket = side_.pieces.start([this, wsi, &peer, request](const std::stop_token& stop) -> LoopWorkers::Then {
    auto visitor = std::make_shared<Result<StreamVisitor>>(askedGate(gate_, *request, stop));
    return [this, wsi, &peer, visitor] { decided(wsi, peer, std::move(*visitor)); };
  });
  lws_rx_flow_control(wsi, 0);
}

void LwsStreams::decided(lws* wsi, StreamPeer& peer, Result<StreamVisitor> visitor) {
  side_.pieces.forget(std::exchange(peer.ticket, 0));
  lws_rx_flow_control(wsi, 1);
  if (peer.connection->isClosing()) return;
  if (!visitor) {
    metrics_.refused("gate");
    const bool later = visitor.error().code == ErrorCode::unavailable;
    peer.connection->close(later ? tryAgainLater : notAllowed, visitor.error().what);
    return;
  }
  peer.link = engine_.connect(peer.connection, *std::move(visitor));
  lws_set_timer_usecs(wsi, quickPingUs);
}

bool LwsStreams::isWithinRates(StreamPeer& peer, std::size_t bytes, bool endsMessage) {
  const auto now = TokenBucket::Clock::now();
  if (!peer.bytes->take(static_cast<double>(bytes + bytesOfEveryFrame), now)) {
    metrics_.refused("byte_rate");
    peer.connection->close(policyViolation, "too many bytes");
    return false;
  }
  if (!endsMessage) return true;
  metrics_.messagesIn.add();
  if (!peer.messages->take(1, now)) {
    metrics_.refused("message_rate");
    peer.connection->close(policyViolation, "too many messages");
    return false;
  }
  return true;
}

/// The client has spoken: from now on it counts for its address, and is not given up for others.
void LwsStreams::firstHeard(lws* wsi, StreamPeer& peer) {
  peer.heard = true;
  peers_.is(wsi, PeerBook::State::stream, PeerBook::Clock::now());
  std::size_t& streams = streamsOf_[peer.client];
  if (streams >= options_.sessionsPerAddress) {
    metrics_.refused("sessions_per_address");
    peer.connection->close(tryAgainLater, "too many viewers at this address");
    return;
  }
  ++streams;
  peer.counts = true;
}

int LwsStreams::received(lws* wsi, StreamPeer& peer, std::string_view bytes) {
  metrics_.bytesIn.add(bytes.size());
  if (!peer.heard) firstHeard(wsi, peer);
  if (peer.link == nullptr || peer.connection->isClosing()) return 0;
  const bool isEnd = lws_is_final_fragment(wsi) != 0;
  if (!isWithinRates(peer, bytes.size(), isEnd)) {
    peer.incoming = {};
    return 0;
  }
  if (lws_frame_is_binary(wsi) != 0) {
    peer.connection->close(unsupportedData, "binary messages are not understood");
    return 0;
  }
  if (peer.incoming.size() + bytes.size() > maxMessageBytes) {
    peer.incoming = {};
    metrics_.refused("message_size");
    peer.connection->close(tooLarge, "a message is larger than 1 MiB");
    return 0;
  }
  peer.incoming += bytes;
  if (!isEnd) return 0;
  engine_.receive(*peer.link, peer.incoming);
  peer.incoming.clear();
  if (peer.incoming.capacity() > readBuffer) peer.incoming.shrink_to_fit();
  return 0;
}

int LwsStreams::wantPing(lws* wsi, StreamPeer& peer) {
  if (peer.link == nullptr) return 0;
  peer.pingDue = peer.clocked = true;
  lws_callback_on_writable(wsi);
  return 0;
}

/// A ping with its number in it. Browsers answer by themselves, however busy the page is.
int LwsStreams::ping(lws* wsi, StreamPeer& peer) {
  peer.pingDue = false;
  ++peer.pings;
  if (std::exchange(peer.clocked, false)) {
    const lws_usec_t next = std::exchange(peer.isBusy, false) ? busyPingUs : pingUs;
    lws_set_timer_usecs(wsi, ++peer.clockedPings < quickPings ? quickPingUs : next);
    peer.clockedPing = peer.pings;
    peer.pingedAt = Connection::Clock::now();
  }
  std::array<unsigned char, LWS_PRE + sizeof peer.pings> bytes{};
  std::memcpy(bytes.data() + LWS_PRE, &peer.pings, sizeof peer.pings);
  return lws_write(wsi, bytes.data() + LWS_PRE, sizeof peer.pings, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/// Answers to pings of libwebsockets itself, and made-up ones, have other payloads.
int LwsStreams::ponged(lws* wsi, StreamPeer& peer, std::string_view payload) {
  unsigned which = 0;
  if (peer.link == nullptr || payload.size() != sizeof which) return 0;
  std::memcpy(&which, payload.data(), sizeof which);
  if (which == 0 || which > peer.pings) return 0;  // they count from 1
  const auto now = Connection::Clock::now();
  if (which == std::exchange(peer.clockedPing, which == peer.clockedPing ? 0 : peer.clockedPing)) {
    engine_.pinged(*peer.link, std::chrono::duration_cast<std::chrono::microseconds>(now - peer.pingedAt));
  }
  peer.window.answered(which, now);
  if (peer.connection->hasMore(peer.window.hasRoom())) lws_callback_on_writable(wsi);
  return 0;
}

int LwsStreams::writable(lws* wsi, StreamPeer& peer) {
  if (peer.connection == nullptr) return 0;
  int result = 0;
  if (peer.pingDue) {
    result = ping(wsi, peer);
  } else if (auto next = peer.connection->next(peer.window.hasRoom())) {
    result = writeItem(wsi, peer, *next);
  }
  const bool isMore = peer.pingDue || peer.connection->hasMore(peer.window.hasRoom());
  if (result == 0 && isMore) lws_callback_on_writable(wsi);
  return result;
}

int LwsStreams::writeItem(lws* wsi, StreamPeer& peer, Connection::Next& next) {
  if (const auto* text = std::get_if<std::string>(&next.item)) {
    return writeMessage(wsi, text->data(), text->size(), LWS_WRITE_TEXT);
  }
  if (const auto* picture = std::get_if<std::vector<std::byte>>(&next.item)) {
    if (!std::exchange(peer.isBusy, true) && peer.clockedPings >= quickPings) lws_set_timer_usecs(wsi, busyPingUs);
    if (next.isPatient) {
      peer.window.sent(peer.pings + 1, picture->size(), Connection::Clock::now());
      peer.pingDue = true;
    }
    if (const auto us = waitUsOf(*picture)) metrics_.write.observe(*us / 1e6);
    return writeMessage(wsi, picture->data(), picture->size(), LWS_WRITE_BINARY);
  }
  const auto& end = std::get<Connection::Close>(next.item);
  std::string reason(shortReason(end.reason));
  lws_close_reason(wsi, static_cast<lws_close_status>(end.code), reinterpret_cast<unsigned char*>(reason.data()),
                   reason.size());
  return -1;
}

/// What the socket does not take at once is kept by libwebsockets; it says when there is room for more.
int LwsStreams::writeMessage(lws* wsi, const void* data, std::size_t size, int kind) {
  WriteBuffer& buffer = side_.buffer;
  if (buffer.size() < LWS_PRE + size) buffer.resize(LWS_PRE + size);
  if (size > 0) std::memcpy(buffer.data() + LWS_PRE, data, size);
  metrics_.messagesOut.add();
  metrics_.bytesOut.add(size);
  return lws_write(wsi, buffer.data() + LWS_PRE, size, static_cast<lws_write_protocol>(kind)) < 0 ? -1 : 0;
}

void LwsStreams::gone(StreamPeer& peer) {
  side_.pieces.forget(std::exchange(peer.ticket, 0));
  if (peer.connection == nullptr) return;
  sockets_.erase(peer.connection.get());
  metrics_.streams.add(-1);
  if (peer.counts) {
    const auto streams = streamsOf_.find(peer.client);
    if (--streams->second == 0) streamsOf_.erase(streams);
  }
  if (sockets_.empty()) {
    const std::lock_guard lock(endMutex_);
    hasStreams_ = false;
    quiet_.notify_all();
  }
  if (peer.link != nullptr) engine_.disconnect(peer.link);
  peer.link.reset();
  peer.connection.reset();
}

}  // namespace nora
