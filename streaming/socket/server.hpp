// The socket loop: HTTP and WebSocket by libwebsockets, one thread. The only place that knows libwebsockets.
#pragma once

#include "base/error.hpp"
#include "streaming/session.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

namespace nora {

struct HttpRequest {
  std::string method;  // GET, HEAD
  std::string path;    // percent-decoded, no query, always starts with '/'
  std::map<std::string, std::string> query;
  std::string ifNoneMatch;
  bool acceptsGzip = false;
};

struct HttpResponse {
  int status = 200;
  std::string contentType = "text/plain; charset=utf-8";
  std::string body;
  std::string etag;             // with quotes; empty: none
  std::string contentEncoding;  // "gzip" if body is
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
    int port = 8080;                // 0: any free port
    std::size_t connections = 256;  // more are refused
    bool localNamesOnly = false;    // refuse requests whose Host is not this machine itself (DNS rebinding)
    std::size_t workers = 2;        // threads for answers that take their time
    std::size_t answers = 32;       // such answers at once, waiting ones and those being sent with them; more get 503
    unsigned requestSeconds = 10;   // for the head of a request, and between two requests of one connection
  };

  /// Binds and starts the socket thread. Errors: unavailable ("port 8080 is in use ..."), invalidInput (bad address).
  [[nodiscard]] static Result<std::unique_ptr<SocketServer>> start(Options options, StreamEngine& engine,
                                                                   HttpHandler http);
  virtual ~SocketServer() = default;

  [[nodiscard]] virtual int port() const = 0;
};

}  // namespace nora
