#include "streaming/socket/server.hpp"

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "streaming/protocol/frame_header.hpp"
#include "streaming/protocol/messages.hpp"
#include "streaming/socket/listen_check.hpp"
#include "streaming/socket/lws_peer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t readBuffer = std::size_t{64} << 10;
constexpr int closeSeconds = 3;              // a client that was told to go and does not read is cut off
constexpr std::uint16_t pingSeconds = 20;    // of silence; then a ping
constexpr std::uint16_t hangUpSeconds = 50;  // without an answer
constexpr int unsupportedData = 1003;
constexpr int tooLarge = 1009;
constexpr std::size_t longestReason = 123;  // RFC 6455 5.5

/// Libwebsockets speaks of single connections; strangers must not be able to fill the log.
void logLine(int level, const char* line) {
  static std::atomic<int> left{200};
  if (left.load() <= 0 || left.fetch_sub(1) <= 0) return;
  std::string_view text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if ((level & (LLL_ERR | LLL_WARN)) != 0) log::warning("socket: " + printable(text));
}

/// A close reason of at most 123 bytes that does not end within a character.
std::string_view shortReason(const std::string& reason) {
  std::size_t length = std::min(reason.size(), longestReason);
  while (length > 0 && length < reason.size() && (static_cast<unsigned char>(reason[length]) & 0xC0) == 0x80) --length;
  return {reason.data(), length};
}

class LwsServer : public SocketServer {
 public:
  LwsServer(StreamEngine& engine, HttpHandler http, Options options)
      : engine_(engine), http_(std::move(http)), options_(std::move(options)) {}
  ~LwsServer() override;

  Result<void> open();
  [[nodiscard]] int port() const override { return port_; }

  int onEvent(lws* wsi, lws_callback_reasons reason, void* in, std::size_t length);

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] bool mayConnect(int fd);
  void wakeWaiting();
  void handOutAnswers();
  int onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length);
  int established(lws* wsi, LwsPeer& peer);
  int received(lws* wsi, LwsPeer& peer, std::string_view bytes);
  int writable(lws* wsi, LwsPeer& peer);
  int writeMessage(lws* wsi, const void* data, std::size_t size, lws_write_protocol kind);
  int writeItem(lws* wsi, Connection::Item& item);
  void gone(LwsPeer& peer);

  StreamEngine& engine_;
  HttpHandler http_;
  Options options_;
  lws_context* context_ = nullptr;
  int port_ = 0;
  std::size_t connections_ = 0;
  WriteBuffer buffer_;
  std::map<Connection*, lws*> sockets_;
  std::map<std::uint64_t, lws*> awaited_;  // by the ticket of a worker's answer
  std::unique_ptr<AnswerWorkers> workers_;
  std::shared_ptr<LoopWaker> waker_;
  std::array<lws_protocols, 3> protocols_{};
  lws_retry_bo_t keepAlive_{};
  std::jthread thread_;
};

int callback(lws* wsi, lws_callback_reasons reason, void*, void* in, size_t length) {
  lws_context* context = wsi == nullptr ? nullptr : lws_get_context(wsi);
  auto* server = context == nullptr ? nullptr : static_cast<LwsServer*>(lws_context_user(context));
  return server == nullptr ? 0 : server->onEvent(wsi, reason, in, length);
}

Result<void> LwsServer::open() {
  const auto address = checkListen(options_.bind, options_.port);
  if (!address) return tl::make_unexpected(address.error());
  lws_set_log_level(LLL_ERR | LLL_WARN, logLine);
  protocols_[0] = {"http", callback, 0, readBuffer, 0, nullptr, 0};
  protocols_[1] = {streamProtocol.data(), callback, 0, readBuffer, 0, nullptr, 0};
  keepAlive_.secs_since_valid_ping = pingSeconds;
  keepAlive_.secs_since_valid_hangup = hangUpSeconds;

  lws_context_creation_info info{};
  info.port = options_.port;
  info.iface = address->c_str();
  info.protocols = protocols_.data();
  info.user = this;
  info.uid = static_cast<uid_t>(-1);
  info.gid = static_cast<gid_t>(-1);
  info.server_string = "nora";
  info.retry_and_idle_policy = &keepAlive_;
  info.timeout_secs = options_.requestSeconds;
  info.timeout_secs_ah_idle = options_.requestSeconds;
  info.keepalive_timeout = options_.requestSeconds;
  info.fd_limit_per_thread = static_cast<unsigned>(options_.connections + 16);
  info.max_http_header_pool =
      static_cast<unsigned short>(options_.connections + 8);  // nobody waits for another's headers
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (address->find(':') == std::string::npos) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  context_ = lws_create_context(&info);
  if (context_ == nullptr) return fail(ErrorCode::internal, "the socket loop cannot start");
  lws_vhost* host = lws_create_vhost(context_, &info);
  if (host == nullptr) {
    lws_context_destroy(context_);
    context_ = nullptr;
    return fail(ErrorCode::unavailable, "cannot listen on " + options_.bind + " port " + std::to_string(options_.port));
  }
  port_ = options_.port != 0 ? options_.port : lws_get_vhost_listen_port(host);
  waker_ = std::make_shared<LoopWaker>([context = context_] { lws_cancel_service(context); });
  workers_ =
      std::make_unique<AnswerWorkers>(options_.workers, options_.answers, [waker = waker_] { waker->interrupt(); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

LwsServer::~LwsServer() {
  if (context_ == nullptr) return;
  thread_.request_stop();
  waker_->interrupt();
  thread_.join();
  workers_.reset();
}

void LwsServer::run(const std::stop_token& stop) {
  while (!stop.stop_requested() && lws_service(context_, 0) >= 0) {
  }
  waker_->detach();
  lws_context_destroy(context_);
}

int LwsServer::onEvent(lws* wsi, lws_callback_reasons reason, void* in, std::size_t length) {
  auto* peer = static_cast<LwsPeer*>(lws_get_opaque_user_data(wsi));
  switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      wakeWaiting();
      handOutAnswers();
      return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
      return mayConnect(static_cast<int>(reinterpret_cast<std::intptr_t>(in))) ? 0 : 1;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
      if (peer == nullptr) {
        lws_set_opaque_user_data(wsi, new LwsPeer);  // freed in WSI_DESTROY, which every socket reaches
        ++connections_;
      }
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      if (peer == nullptr) return 0;
      gone(*peer);
      lws_set_opaque_user_data(wsi, nullptr);
      delete peer;
      --connections_;
      return 0;
    case LWS_CALLBACK_RAW_ADOPT:  // CONNECT and the like: not for us
    case LWS_CALLBACK_RAW_RX: return -1;
    default: return peer == nullptr ? 0 : onSocketEvent(wsi, *peer, reason, in, length);
  }
}

int LwsServer::onSocketEvent(lws* wsi, LwsPeer& peer, lws_callback_reasons reason, void* in, std::size_t length) {
  const std::string_view text(static_cast<const char*>(in), in == nullptr ? 0 : length);
  switch (reason) {
    case LWS_CALLBACK_HTTP: {
      const int result = answerHttp(wsi, peer, text, http_, *workers_, options_.localNamesOnly);
      if (peer.waiting) awaited_[peer.ticket] = wsi;
      return result;
    }
    case LWS_CALLBACK_HTTP_WRITEABLE: return continueAnswer(wsi, peer, *workers_, buffer_);
    case LWS_CALLBACK_TIMER: return lookAfter(wsi, peer);
    case LWS_CALLBACK_HTTP_BODY: return 0;  // read and forgotten
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return confirmUpgrade(wsi, in == nullptr ? "" : static_cast<const char*>(in), options_.localNamesOnly);
    case LWS_CALLBACK_ESTABLISHED: return established(wsi, peer);
    case LWS_CALLBACK_RECEIVE: return received(wsi, peer, text);
    case LWS_CALLBACK_SERVER_WRITEABLE: return writable(wsi, peer);
    case LWS_CALLBACK_CLOSED: gone(peer); return 0;
    default: return 0;
  }
}

/// One more connection than allowed gets an answer that says so; it is short enough never to block.
bool LwsServer::mayConnect(int fd) {
  if (connections_ < options_.connections) return true;
  constexpr std::string_view refusal =
      "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 21\r\n\r\n"
      "too many connections\n";
  (void)::send(fd, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  return false;
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
  peer.connection = std::make_shared<Connection>(waker_);
  sockets_[peer.connection.get()] = wsi;
  peer.link = engine_.connect(peer.connection);
  return 0;
}

int LwsServer::received(lws* wsi, LwsPeer& peer, std::string_view bytes) {
  if (peer.link == nullptr || peer.connection->isClosing()) return 0;
  if (lws_frame_is_binary(wsi) != 0) {
    peer.connection->close(unsupportedData, "binary messages are not understood");
    return 0;
  }
  if (peer.incoming.size() + bytes.size() > maxMessageBytes) {
    peer.incoming = {};
    peer.connection->close(tooLarge, "a message is larger than 1 MiB");
    return 0;
  }
  peer.incoming += bytes;
  if (lws_is_final_fragment(wsi) == 0) return 0;
  engine_.receive(*peer.link, peer.incoming);
  peer.incoming.clear();
  if (peer.incoming.capacity() > readBuffer) peer.incoming.shrink_to_fit();
  return 0;
}

int LwsServer::writable(lws* wsi, LwsPeer& peer) {
  if (peer.connection == nullptr) return 0;
  auto item = peer.connection->next();
  if (!item) return 0;
  const int result = writeItem(wsi, *item);
  if (result == 0 && peer.connection->hasMore()) lws_callback_on_writable(wsi);
  return result;
}

int LwsServer::writeItem(lws* wsi, Connection::Item& item) {
  if (const auto* text = std::get_if<std::string>(&item)) {
    return writeMessage(wsi, text->data(), text->size(), LWS_WRITE_TEXT);
  }
  if (const auto* picture = std::get_if<std::vector<std::byte>>(&item)) {
    return writeMessage(wsi, picture->data(), picture->size(), LWS_WRITE_BINARY);
  }
  const auto& end = std::get<Connection::Close>(item);
  std::string reason(shortReason(end.reason));
  lws_close_reason(wsi, static_cast<lws_close_status>(end.code), reinterpret_cast<unsigned char*>(reason.data()),
                   reason.size());
  return -1;
}

/// What the socket does not take at once is kept by libwebsockets; it says when there is room for more.
int LwsServer::writeMessage(lws* wsi, const void* data, std::size_t size, lws_write_protocol kind) {
  if (buffer_.size() < LWS_PRE + size) buffer_.resize(LWS_PRE + size);
  if (size > 0) std::memcpy(buffer_.data() + LWS_PRE, data, size);
  return lws_write(wsi, buffer_.data() + LWS_PRE, size, kind) < 0 ? -1 : 0;
}

void LwsServer::gone(LwsPeer& peer) {
  if (peer.ticket != 0) {
    awaited_.erase(peer.ticket);
    workers_->forget(std::exchange(peer.ticket, 0));
  }
  if (peer.connection == nullptr) return;
  sockets_.erase(peer.connection.get());
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
