#include "streaming/socket/server.hpp"

#include "streaming/socket/lws_loop.hpp"
#include "streaming/socket/lws_peer.hpp"
#include "streaming/socket/lws_streams.hpp"
#include "streaming/socket/peer_book.hpp"
#include "streaming/socket/tls_certificate.hpp"

#include <limits>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <libwebsockets.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t mostConnections = 16384;
constexpr std::size_t pieceThreads = 4;  // for the pieces of bodies on their way: disks

SocketServer::Options withMetrics(SocketServer::Options options) {
  if (!options.metrics) options.metrics = std::make_shared<Metrics>();
  return options;
}

class LwsServer : public SocketServer, private LoopEvents {
 public:
  LwsServer(StreamEngine& engine, HttpHandler http, StreamGate gate, Options options)
      : engine_(engine),
        http_(std::move(http)),
        gate_(std::move(gate)),
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
  void onPass() override { ++side_->passes; }
  Result<void> prepare();
  void run(const std::stop_token& stop);
  [[nodiscard]] bool mayConnect(int fd);
  void turnAway(int fd, std::string_view why);
  void cutOff(lws* wsi);
  void connected(lws* wsi);
  void destroyed(lws* wsi, LwsPeer& peer);
  int onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length);
  /// The result of an lws callback for HTTP, after which the connection may have nothing to do.
  int afterHttp(lws* wsi, const LwsPeer& peer, int result);

  StreamEngine& engine_;
  HttpHandler http_;
  StreamGate gate_;
  Options options_;
  TransportMetrics metrics_;
  std::optional<AccessRules> rules_;
  std::unique_ptr<TlsCertificate> certificate_;
  PeerBook peers_;
  std::set<lws*> open_;  // from accepted to destroyed
  WriteBuffer buffer_;
  std::unique_ptr<LoopWorkers> answers_, pieces_;
  std::optional<HttpSide> side_;
  std::optional<LwsStreams> streams_;
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
  const auto interrupt = [waker = waker_] { waker->interrupt(); };
  answers_ = std::make_unique<LoopWorkers>(options_.workers, options_.answers, interrupt, options_.waiters);
  pieces_ = std::make_unique<LoopWorkers>(pieceThreads, std::numeric_limits<std::size_t>::max(), interrupt);
  side_.emplace(HttpSide{http_, *rules_, metrics_, *answers_, *pieces_, buffer_, certificate_ != nullptr,
                         options_.transfers, options_.bodyBytes, options_.stall});
  streams_.emplace(engine_, std::move(gate_), options_, *side_, peers_, waker_);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

LwsServer::~LwsServer() {
  if (loop_ == nullptr) return;
  thread_.request_stop();
  waker_->interrupt();
  thread_.join();
  answers_.reset();
  pieces_.reset();
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
  streams_->end(within);
}

int LwsServer::onEvent(lws* wsi, int reason, void* in, std::size_t length) {
  auto* peer = static_cast<LwsPeer*>(lws_get_opaque_user_data(wsi));
  switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      streams_->wake();
      answers_->deliver();
      pieces_->deliver();
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
  lws_set_opaque_user_data(wsi, new LwsPeer(wsi, *side_));  // freed in destroyed(), which every socket reaches
  const int on = 1;  // else what is urgent is not counted where takenBytes() looks
  ::setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
  const IpAddress address = IpAddress::ofPeer(lws_get_socket_fd(wsi));
  peers_.add(wsi, address, rules_->isTrusted(address), PeerBook::Clock::now());
  open_.insert(wsi);
  metrics_.accepted.add();
  metrics_.connections.add(1);
}

void LwsServer::destroyed(lws* wsi, LwsPeer& peer) {
  streams_->gone(peer.stream);
  peers_.remove(wsi);
  open_.erase(wsi);
  metrics_.connections.add(-1);
  lws_set_opaque_user_data(wsi, nullptr);
  delete &peer;
}

int LwsServer::afterHttp(lws* wsi, const LwsPeer& peer, int result) {
  if (result == 0 && peer.http.isIdle()) peers_.is(wsi, PeerBook::State::silent, PeerBook::Clock::now());
  return result;
}

int LwsServer::onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length) {
  const std::string_view text(static_cast<const char*>(in), in == nullptr ? 0 : length);
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      peers_.is(wsi, PeerBook::State::answered, PeerBook::Clock::now());
      return afterHttp(wsi, peer, peer.http.begin(text));
    case LWS_CALLBACK_HTTP_BODY: return peer.http.body(text);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return peer.http.bodyEnd();
    case LWS_CALLBACK_HTTP_WRITEABLE: return afterHttp(wsi, peer, peer.http.writable());
    case LWS_CALLBACK_TIMER:
      return peer.stream.connection == nullptr ? peer.http.tick() : streams_->wantPing(wsi, peer.stream);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return streams_->confirm(wsi, peer.stream, in == nullptr ? "" : static_cast<const char*>(in));
    case LWS_CALLBACK_ESTABLISHED: return streams_->established(wsi, peer.stream);
    case LWS_CALLBACK_RECEIVE: return streams_->received(wsi, peer.stream, text);
    case LWS_CALLBACK_RECEIVE_PONG: return streams_->ponged(wsi, peer.stream, text);
    case LWS_CALLBACK_SERVER_WRITEABLE: return streams_->writable(wsi, peer.stream);
    case LWS_CALLBACK_CLOSED: streams_->gone(peer.stream); return 0;
    default: return 0;
  }
}

}  // namespace

Result<std::unique_ptr<SocketServer>> SocketServer::start(Options options, StreamEngine& engine, HttpHandler http,
                                                          StreamGate gate) {
  auto server = std::make_unique<LwsServer>(engine, std::move(http), std::move(gate), std::move(options));
  if (auto opened = server->open(); !opened) return tl::make_unexpected(opened.error());
  return server;
}

}  // namespace nora
