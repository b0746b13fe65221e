#include "streaming/socket/server.hpp"

#include "streaming/protocol/frame_header.hpp"
#include "streaming/protocol/messages.hpp"
#include "streaming/socket/lws_loop.hpp"
#include "streaming/socket/lws_peer.hpp"
#include "streaming/socket/peer_book.hpp"
#include "streaming/socket/tls_certificate.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
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
constexpr int unsupportedData = 1003;
constexpr int policyViolation = 1008;
constexpr int tooLarge = 1009;
constexpr int tryAgainLater = 1013;
constexpr std::size_t mostConnections = 16384;
constexpr std::size_t bytesOfEveryFrame = 6;  // its head: empty ones are not free
constexpr std::size_t longestReason = 123;    // RFC 6455 5.5

/// A close reason of at most 123 bytes that does not end within a character.
std::string_view shortReason(const std::string& reason) {
  std::size_t length = std::min(reason.size(), longestReason);
  while (length > 0 && length < reason.size() && (static_cast<unsigned char>(reason[length]) & 0xC0) == 0x80) --length;
  return {reason.data(), length};
}

SocketServer::Options withMetrics(SocketServer::Options options) {
  if (!options.metrics) options.metrics = std::make_shared<Metrics>();
  return options;
}

class LwsServer : public SocketServer, private LoopEvents {
 public:
  LwsServer(StreamEngine& engine, HttpHandler http, Options options)
      : engine_(engine),
        http_(std::move(http)),
        options_(withMetrics(std::move(options))),
        metrics_(*options_.metrics),
        peers_({options_.connections, options_.connectionsPerAddress}) {}
  ~LwsServer() override;

  Result<void> open();
  [[nodiscard]] int port() const override { return loop_->port(); }
  void reloadCertificate() override;
  void end(std::chrono::milliseconds within) override;

 private:
  int onEvent(lws* wsi, int reason, void* in, std::size_t length) override;
  Result<void> prepare();
  void run(const std::stop_token& stop);
  [[nodiscard]] bool mayConnect(int fd);
  void turnAway(int fd, std::string_view why);
  void cutOff(lws* wsi);
  void connected(lws* wsi);
  void destroyed(lws* wsi, LwsPeer& peer);
  void tellEnd();
  void wakeWaiting();
  void handOutAnswers();
  int onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length);
  [[nodiscard]] HttpSide httpSide() { return {http_, *workers_, *rules_, metrics_, certificate_ != nullptr}; }
  /// The result of an lws callback for HTTP, after which the connection may have nothing to do.
  int afterHttp(lws* wsi, const LwsPeer& peer, int result);
  int established(lws* wsi, LwsPeer& peer);
  void firstHeard(lws* wsi, LwsPeer& peer);
  [[nodiscard]] bool isWithinRates(LwsPeer& peer, std::size_t bytes, bool endsMessage);
  int received(lws* wsi, LwsPeer& peer, std::string_view bytes);
  int wantPing(lws* wsi, LwsPeer& peer);
  int ping(lws* wsi, LwsPeer& peer);
  int ponged(lws* wsi, LwsPeer& peer, std::string_view payload);
  int writable(lws* wsi, LwsPeer& peer);
  int writeMessage(lws* wsi, const void* data, std::size_t size, lws_write_protocol kind);
  int writeItem(lws* wsi, LwsPeer& peer, Connection::Next& next);
  void gone(LwsPeer& peer);

  StreamEngine& engine_;
  HttpHandler http_;
  Options options_;
  TransportMetrics metrics_;
  std::optional<AccessRules> rules_;
  std::unique_ptr<TlsCertificate> certificate_;
  PeerBook peers_;
  std::set<lws*> open_;                         // from accepted to destroyed
  std::map<IpAddress, std::size_t> streamsOf_;  // by client
  std::mutex endMutex_;
  std::condition_variable quiet_;
  bool ending_ = false;  // by endMutex_
  bool hasStreams_ = false;
  WriteBuffer buffer_;
  std::map<Connection*, lws*> sockets_;
  std::map<std::uint64_t, lws*> awaited_;  // by the ticket of a worker's answer
  std::unique_ptr<AnswerWorkers> workers_;
  std::shared_ptr<LoopWaker> waker_;
  std::unique_ptr<LwsLoop> loop_;
  std::jthread thread_;
};

/// Checks what libwebsockets would not, or not with a reason.
Result<void> LwsServer::prepare() {
  if (options_.connections < 1 || options_.connections > mostConnections) {
    return fail(ErrorCode::invalidInput, "connections must be from 1 to " + std::to_string(mostConnections));
  }
  auto rules = AccessRules::make({options_.localNamesOnly, options_.trustedProxies, options_.allowedOrigins});
  if (!rules) return tl::make_unexpected(rules.error());
  rules_ = *std::move(rules);
  if (options_.certificateFile.empty() != options_.keyFile.empty()) {
    return fail(ErrorCode::invalidInput, "tls_certificate and tls_key are needed together");
  }
  if (options_.certificateFile.empty()) return {};
  auto certificate = TlsCertificate::open({options_.certificateFile, options_.keyFile, options_.certificateLookEvery});
  if (!certificate) return tl::make_unexpected(certificate.error());
  certificate_ = *std::move(certificate);
  options_.metrics->computed(
      "nora_tls_certificate_expiry_timestamp_seconds", "When the certificate in force ends, Unix time.",
      [at = certificate_.get()] { return std::chrono::duration<double>(at->validUntil().time_since_epoch()).count(); });
  return {};
}

Result<void> LwsServer::open() {
  if (auto prepared = prepare(); !prepared) return prepared;
  auto loop = LwsLoop::open(
      {options_.bind, options_.port, options_.connections, options_.requestSeconds, certificate_.get()}, *this);
  if (!loop) return tl::make_unexpected(loop.error());
  loop_ = *std::move(loop);
  waker_ = std::make_shared<LoopWaker>([at = loop_.get()] { at->interrupt(); });
  workers_ =
      std::make_unique<AnswerWorkers>(options_.workers, options_.answers, [waker = waker_] { waker->interrupt(); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

LwsServer::~LwsServer() {
  if (loop_ == nullptr) return;
  thread_.request_stop();
  waker_->interrupt();
  thread_.join();
  workers_.reset();
}

void LwsServer::run(const std::stop_token& stop) {
  loop_->serve(stop);
  waker_->detach();
  loop_->close();
}

void LwsServer::reloadCertificate() {
  if (certificate_ != nullptr) certificate_->reload();
}

void LwsServer::end(std::chrono::milliseconds within) {
  std::unique_lock lock(endMutex_);
  ending_ = true;
  waker_->interrupt();
  quiet_.wait_for(lock, within, [this] { return !hasStreams_; });
}

/// On the loop: to all streams, once the end has come.
void LwsServer::tellEnd() {
  {
    const std::lock_guard lock(endMutex_);
    if (!ending_) return;
  }
  for (auto& [connection, wsi] : sockets_) connection->close(goingAway, "the server has ended");
}

int LwsServer::onEvent(lws* wsi, int reason, void* in, std::size_t length) {
  auto* peer = static_cast<LwsPeer*>(lws_get_opaque_user_data(wsi));
  switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      tellEnd();
      wakeWaiting();
      handOutAnswers();
      return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
      return mayConnect(static_cast<int>(reinterpret_cast<std::intptr_t>(in))) ? 0 : 1;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      if (peer == nullptr) connected(wsi);
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      if (peer != nullptr) destroyed(wsi, *peer);
      return 0;
    case LWS_CALLBACK_RAW_ADOPT:  // CONNECT and the like: not for us
    case LWS_CALLBACK_RAW_RX: return -1;
    default:
      return peer == nullptr ? 0 : onSocketEvent(wsi, *peer, static_cast<lws_callback_reasons>(reason), in, length);
  }
}

bool LwsServer::mayConnect(int fd) {
  const IpAddress address = IpAddress::ofPeer(fd);
  const auto verdict = peers_.ask(address, rules_->isTrusted(address));
  if (verdict.instead) {
    metrics_.refused("made_room");
    cutOff(const_cast<lws*>(static_cast<const lws*>(*verdict.instead)));
  }
  if (!verdict.refusal.empty()) turnAway(fd, verdict.refusal);
  return verdict.refusal.empty();
}

/// Gets an answer that says so; it is short enough never to block.
void LwsServer::turnAway(int fd, std::string_view why) {
  metrics_.refused("connections");
  if (certificate_ == nullptr) {
    const std::string refusal =
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: " +
        std::to_string(why.size() + 1) + "\r\n\r\n" + std::string(why) + "\n";
    (void)::send(fd, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::shutdown(fd, SHUT_WR);
}

/// Not of the connection that is being served. With TLS libwebsockets says goodbye at first and ends at the second
/// call.
void LwsServer::cutOff(lws* wsi) {
  for (int call = 0; call < 2 && open_.contains(wsi); ++call) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
  }
}

void LwsServer::connected(lws* wsi) {
  lws_set_opaque_user_data(wsi, new LwsPeer);  // freed in destroyed(), which every socket reaches
  const IpAddress address = IpAddress::ofPeer(lws_get_socket_fd(wsi));
  peers_.add(wsi, address, rules_->isTrusted(address), PeerBook::Clock::now());
  open_.insert(wsi);
  metrics_.accepted.add();
  metrics_.connections.add(1);
}

void LwsServer::destroyed(lws* wsi, LwsPeer& peer) {
  gone(peer);
  peers_.remove(wsi);
  open_.erase(wsi);
  metrics_.connections.add(-1);
  lws_set_opaque_user_data(wsi, nullptr);
  delete &peer;
}

int LwsServer::afterHttp(lws* wsi, const LwsPeer& peer, int result) {
  if (result == 0 && isIdle(peer)) peers_.is(wsi, PeerBook::State::silent, PeerBook::Clock::now());
  return result;
}

int LwsServer::onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length) {
  const std::string_view text(static_cast<const char*>(in), in == nullptr ? 0 : length);
  switch (reason) {
    case LWS_CALLBACK_HTTP: {
      peers_.is(wsi, PeerBook::State::answered, PeerBook::Clock::now());
      const int result = answerHttp(wsi, peer, text, httpSide());
      if (peer.waiting) awaited_[peer.ticket] = wsi;
      return afterHttp(wsi, peer, result);
    }
    case LWS_CALLBACK_HTTP_WRITEABLE: return afterHttp(wsi, peer, continueAnswer(wsi, peer, httpSide(), buffer_));
    case LWS_CALLBACK_TIMER: return peer.connection == nullptr ? lookAfter(wsi, peer) : wantPing(wsi, peer);
    case LWS_CALLBACK_RECEIVE_PONG: return ponged(wsi, peer, text);
    case LWS_CALLBACK_HTTP_BODY: return 0;  // read and forgotten
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return confirmUpgrade(wsi, peer, in == nullptr ? "" : static_cast<const char*>(in), httpSide());
    case LWS_CALLBACK_ESTABLISHED: return established(wsi, peer);
    case LWS_CALLBACK_RECEIVE: return received(wsi, peer, text);
    case LWS_CALLBACK_SERVER_WRITEABLE: return writable(wsi, peer);
    case LWS_CALLBACK_CLOSED: gone(peer); return 0;
    default: return 0;
  }
}

void LwsServer::wakeWaiting() {
  for (const auto& waiting : waker_->take()) {
    const auto connection = waiting.lock();
    const auto at = connection == nullptr ? sockets_.end() : sockets_.find(connection.get());
    if (at == sockets_.end()) continue;
    connection->noticed();
    if (connection->isClosing()) lws_set_timeout(at->second, PENDING_TIMEOUT_USER_REASON_BASE, closeSeconds);
    lws_callback_on_writable(at->second);
  }
}

void LwsServer::handOutAnswers() {
  for (auto& done : workers_->take()) {
    const auto at = awaited_.find(done.ticket);
    if (at == awaited_.end()) continue;
    auto* peer = static_cast<LwsPeer*>(lws_get_opaque_user_data(at->second));
    peer->made = std::move(done.response);
    lws_callback_on_writable(at->second);
    awaited_.erase(at);
  }
}

int LwsServer::established(lws* wsi, LwsPeer& peer) {
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
    return 0;
  }
  peer.link = engine_.connect(peer.connection);
  lws_set_timer_usecs(wsi, quickPingUs);
  return 0;
}

bool LwsServer::isWithinRates(LwsPeer& peer, std::size_t bytes, bool endsMessage) {
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
void LwsServer::firstHeard(lws* wsi, LwsPeer& peer) {
  peer.heard = true;
  peers_.is(wsi, PeerBook::State::stream, PeerBook::Clock::now());
  if (++streamsOf_[peer.client] <= options_.sessionsPerAddress) return;
  metrics_.refused("sessions_per_address");
  peer.connection->close(tryAgainLater, "too many viewers at this address");
}

int LwsServer::received(lws* wsi, LwsPeer& peer, std::string_view bytes) {
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

int LwsServer::wantPing(lws* wsi, LwsPeer& peer) {
  peer.pingDue = peer.clocked = true;
  lws_callback_on_writable(wsi);
  return 0;
}

/// A ping with its number in it. Browsers answer by themselves, however busy the page is.
int LwsServer::ping(lws* wsi, LwsPeer& peer) {
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
int LwsServer::ponged(lws* wsi, LwsPeer& peer, std::string_view payload) {
  unsigned which = 0;
  if (peer.link == nullptr || payload.size() != sizeof which) return 0;
  std::memcpy(&which, payload.data(), sizeof which);
  if (which > peer.pings) return 0;
  const auto now = Connection::Clock::now();
  if (which == std::exchange(peer.clockedPing, which == peer.clockedPing ? 0 : peer.clockedPing)) {
    engine_.pinged(*peer.link, std::chrono::duration_cast<std::chrono::microseconds>(now - peer.pingedAt));
  }
  peer.window.answered(which, now);
  if (peer.connection->hasMore(peer.window.hasRoom())) lws_callback_on_writable(wsi);
  return 0;
}

int LwsServer::writable(lws* wsi, LwsPeer& peer) {
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

int LwsServer::writeItem(lws* wsi, LwsPeer& peer, Connection::Next& next) {
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
int LwsServer::writeMessage(lws* wsi, const void* data, std::size_t size, lws_write_protocol kind) {
  if (buffer_.size() < LWS_PRE + size) buffer_.resize(LWS_PRE + size);
  if (size > 0) std::memcpy(buffer_.data() + LWS_PRE, data, size);
  metrics_.messagesOut.add();
  metrics_.bytesOut.add(size);
  return lws_write(wsi, buffer_.data() + LWS_PRE, size, kind) < 0 ? -1 : 0;
}

void LwsServer::gone(LwsPeer& peer) {
  if (peer.ticket != 0) {
    awaited_.erase(peer.ticket);
    workers_->forget(std::exchange(peer.ticket, 0));
  }
  if (peer.connection == nullptr) return;
  sockets_.erase(peer.connection.get());
  metrics_.streams.add(-1);
  if (peer.heard) {
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

}  // namespace

Result<std::unique_ptr<SocketServer>> SocketServer::start(Options options, StreamEngine& engine, HttpHandler http) {
  auto server = std::make_unique<LwsServer>(engine, std::move(http), std::move(options));
  if (auto opened = server->open(); !opened) return tl::make_unexpected(opened.error());
  return server;
}

}  // namespace nora
