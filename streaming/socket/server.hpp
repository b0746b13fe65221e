// The socket loop: HTTP and WebSocket by libwebsockets, one thread. The only place that knows libwebsockets.
#pragma once

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "streaming/session.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nora {

struct HttpRequest {
  std::string method;  // GET, HEAD
  std::string path;    // percent-decoded, no query, always starts with '/'
  std::map<std::string, std::string> query;
  std::string ifNoneMatch;
  bool acceptsGzip = false;
  bool fromThisMachine = false;  // the client is at this machine, and no proxy in between
};

struct HttpResponse {
  int status = 200;
  std::string contentType = "text/plain; charset=utf-8";
  std::string body;
  std::string etag;             // with quotes; empty: none
  std::string contentEncoding;  // "gzip" if body is
  std::string location;         // of a redirection; empty: none
  /// Of what is shown as a page of its own; empty: that of the page.
  std::string contentSecurityPolicy;
};

/// Makes an answer that takes its time, on a thread of the server's. `stop` is requested when the client has gone.
using HttpWork = std::function<HttpResponse(std::stop_token stop)>;
using HttpAnswer = std::variant<HttpResponse, HttpWork>;

/// Must not block: it runs on the socket thread. What takes longer is given back as work.
using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

/// An application/problem+json answer.
[[nodiscard]] HttpResponse problem(const Error& error);

class SocketServer {
 public:
  struct Options {
    std::string bind = "127.0.0.1";
    int port = 8080;               // 0: any free port
    bool localNamesOnly = false;   // refuse requests whose Host is not this machine itself (DNS rebinding)
    std::size_t workers = 2;       // threads for answers that take their time
    std::size_t answers = 32;      // such answers at once, waiting ones and those being sent with them; more get 503
    unsigned requestSeconds = 10;  // for the head of a request, and between two requests of one connection

    // When there are too many, the oldest of those that ask nothing make room; when all are in use, more are refused.
    std::size_t connections = 1024;           // 1..16384
    std::size_t connectionsPerAddress = 256;  // not of trusted proxies
    std::size_t sessionsPerAddress = 64;      // streams of one client address; more are closed with 1013
    double messagesPerSecond = 300;           // of one stream in the long run; more are closed with 1008
    double messageBurst = 1000;
    double bytesPerSecond = 4 << 20;
    double byteBurst = 16 << 20;

    std::string certificateFile{}, keyFile{};  // PEM; both or none: then https and wss instead of http and ws
    std::chrono::milliseconds certificateLookEvery{2000};
    std::vector<std::string> trustedProxies{};  // see AccessRules
    std::vector<std::string> allowedOrigins{};
    std::shared_ptr<Metrics> metrics{};  // empty: nobody reads them
  };

  /// Binds and starts the socket thread. Errors: unavailable ("port 8080 is in use ..."), invalidInput (bad address or
  /// setting), and those of the certificate's files.
  [[nodiscard]] static Result<std::unique_ptr<SocketServer>> start(Options options, StreamEngine& engine,
                                                                   HttpHandler http);
  virtual ~SocketServer() = default;

  [[nodiscard]] virtual int port() const = 0;
  /// Reads certificate and key again, changed or not. Nothing without TLS. Thread: any.
  virtual void reloadCertificate() = 0;
  /// Tells every stream that the server ends (close code 1001) and waits until they have gone, `within` at most. HTTP
  /// is answered until this is destroyed; further streams are closed at once. Thread: any but the socket's.
  virtual void end(std::chrono::milliseconds within) = 0;
};

}  // namespace nora
