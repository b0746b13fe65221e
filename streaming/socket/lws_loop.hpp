// LwsLoop: libwebsockets set up to listen at one port, with or without TLS, and its loop.
#pragma once

#include "base/error.hpp"
#include "streaming/socket/tls_certificate.hpp"

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

struct lws;
struct lws_context;

namespace nora {

/// Hears what happens on the loop's thread.
class LoopEvents {
 public:
  virtual ~LoopEvents() = default;
  /// `reason`: lws_callback_reasons. 0 goes on, others end the connection.
  virtual int onEvent(lws* wsi, int reason, void* in, std::size_t length) = 0;
  /// The loop has waited, or not, and has served what there was.
  virtual void onPass() = 0;
};

class LwsLoop {
 public:
  struct Options {
    std::string bind;
    int port = 0;
    std::size_t connections = 0;
    unsigned requestSeconds = 10;
    TlsCertificate* certificate = nullptr;  // empty: no TLS; else it must outlive the loop
  };

  /// Binds. `events` must outlive the loop. Errors: those of checkListen(), unavailable, internal.
  [[nodiscard]] static Result<std::unique_ptr<LwsLoop>> open(const Options& options, LoopEvents& events);
  ~LwsLoop();
  LwsLoop(const LwsLoop&) = delete;
  LwsLoop& operator=(const LwsLoop&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// Serves until `stop`, which is heard at the next interrupt().
  void serve(const std::stop_token& stop);
  /// Ends all connections. The thread of serve(), or any after it.
  void close();
  /// Has the loop call onEvent with LWS_CALLBACK_EVENT_WAIT_CANCELLED soon. Any thread, until close().
  void interrupt();

  struct Tables;  // what libwebsockets is given; it keeps pointers to it

 private:
  LwsLoop();
  Result<void> listen(const Options& options);

  std::unique_ptr<Tables> tables_;
  lws_context* context_ = nullptr;
  int port_ = 0;
};

}  // namespace nora
