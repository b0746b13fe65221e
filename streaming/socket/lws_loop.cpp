#include "streaming/socket/lws_loop.hpp"

#include "base/log.hpp"
#include "streaming/socket/http.hpp"
#include "streaming/socket/listen_check.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include <libwebsockets.h>

namespace nora {

struct LwsLoop::Tables {
  LoopEvents* events = nullptr;
  TlsCertificate* certificate = nullptr;
  std::array<lws_protocols, 3> protocols{};
  lws_retry_bo_t keepAlive{};
};

namespace {

constexpr std::size_t readBuffer = std::size_t{64} << 10;
constexpr std::uint16_t pingSeconds = 20;             // of silence; then a ping
constexpr std::uint16_t hangUpSeconds = 50;           // without an answer
constexpr unsigned short mostHeaderBytes = 24 << 10;  // of one request: a search text of 4 KiB, cookies
constexpr std::size_t spareSockets = 64;              // of the loop itself, and of connections that are being ended

/// Libwebsockets speaks of single connections; strangers must not be able to fill the log.
void logLine(int level, const char* line) {
  static std::atomic<int> left{200};
  if (left.load() <= 0 || left.fetch_sub(1) <= 0) return;
  std::string_view text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if ((level & (LLL_ERR | LLL_WARN)) != 0) log::warning("socket: " + printable(text));
}

int callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t length) {
  lws_context* context = wsi == nullptr ? nullptr : lws_get_context(wsi);
  auto* tables = context == nullptr ? nullptr : static_cast<LwsLoop::Tables*>(lws_context_user(context));
  if (tables == nullptr) return 0;
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {  // wsi is none, user the context of TLS
    return tables->certificate->serve(static_cast<ssl_ctx_st*>(user)) ? 0 : 1;
  }
  return tables->events->onEvent(wsi, reason, in, length);
}

lws_context_creation_info contextInfo(LwsLoop::Tables& tables, const LwsLoop::Options& options) {
  lws_context_creation_info info{};
  info.port = options.port;
  info.iface = options.bind.c_str();
  info.protocols = tables.protocols.data();
  info.user = &tables;
  info.uid = static_cast<uid_t>(-1);
  info.gid = static_cast<gid_t>(-1);
  info.server_string = "nora";
  info.retry_and_idle_policy = &tables.keepAlive;
  info.timeout_secs = options.requestSeconds;
  info.timeout_secs_ah_idle = options.requestSeconds;
  info.keepalive_timeout = options.requestSeconds;
  info.fd_limit_per_thread = static_cast<unsigned>(options.connections + spareSockets);
  info.max_http_header_data = mostHeaderBytes;
  info.pt_serv_buf_size = readBuffer;  // what is read at a time
  info.max_http_header_pool =
      static_cast<unsigned short>(options.connections + spareSockets);  // nobody waits for another's headers
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (options.bind.find(':') == std::string::npos) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  if (options.certificate == nullptr) return info;
  // Who speaks http to this port is told so; nothing else is answered without TLS.
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
                  LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT | LWS_SERVER_OPTION_ALLOW_HTTP_ON_HTTPS_LISTENER;
  info.alpn = "http/1.1";
  return info;
}

}  // namespace

LwsLoop::LwsLoop() : tables_(std::make_unique<Tables>()) {}

LwsLoop::~LwsLoop() {
  close();
}

Result<std::unique_ptr<LwsLoop>> LwsLoop::open(const Options& options, LoopEvents& events) {
  auto address = checkListen(options.bind, options.port);
  if (!address) return tl::make_unexpected(address.error());
  std::unique_ptr<LwsLoop> loop(new LwsLoop);
  loop->tables_->events = &events;
  Options numeric = options;
  numeric.bind = *std::move(address);
  if (auto listening = loop->listen(numeric); !listening) return tl::make_unexpected(listening.error());
  return loop;
}

Result<void> LwsLoop::listen(const Options& options) {
  lws_set_log_level(LLL_ERR | LLL_WARN, logLine);
  tables_->certificate = options.certificate;
  tables_->protocols[0] = {"http", callback, 0, readBuffer, 0, nullptr, 0};
  tables_->protocols[1] = {streamProtocol.data(), callback, 0, readBuffer, 0, nullptr, 0};
  tables_->keepAlive.secs_since_valid_ping = pingSeconds;
  tables_->keepAlive.secs_since_valid_hangup = hangUpSeconds;
  const lws_context_creation_info info = contextInfo(*tables_, options);
  context_ = lws_create_context(&info);
  if (context_ == nullptr) return fail(ErrorCode::internal, "the socket loop cannot start");
  lws_vhost* host = lws_create_vhost(context_, &info);
  if (host == nullptr) {
    return fail(ErrorCode::unavailable, "cannot listen on " + options.bind + " port " + std::to_string(options.port));
  }
  port_ = options.port != 0 ? options.port : lws_get_vhost_listen_port(host);
  return {};
}

void LwsLoop::serve(const std::stop_token& stop) {
  while (!stop.stop_requested() && lws_service(context_, 0) >= 0) tables_->events->onPass();
}

void LwsLoop::close() {
  if (context_ != nullptr) lws_context_destroy(std::exchange(context_, nullptr));
}

void LwsLoop::interrupt() {
  lws_cancel_service(context_);
}

}  // namespace nora
