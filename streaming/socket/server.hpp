// The socket loop: HTTP and WebSocket by libwebsockets, one thread. The only place that knows libwebsockets.
#pragma once

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "streaming/session.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nora {

struct HttpRequest {
  std::string method;  // GET, HEAD, POST, PUT, PATCH, DELETE
  std::string path;    // percent-decoded, no query, always starts with '/'
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // of requestHeaders, those that are there; names in lower case
  std::string ifNoneMatch;
  bool acceptsGzip = false;
  bool fromThisMachine = false;  // the client is at this machine, and no proxy in between
  std::string client;            // the address that limits and the audit are for
  std::string ownOrigin;         // by which the client has reached us: "https://host[:port]"

  /// Empty: not there.
  [[nodiscard]] std::string_view header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

/// The headers that handlers may ask for.
inline constexpr std::array<std::string_view, 11> requestHeaders{
    "authorization", "content-length", "content-type",   "cookie",        "if-match",   "if-range",
    "origin",        "range",          "sec-fetch-site", "upload-offset", "x-nora-csrf"};

/// A body that is not in memory as a whole. Thread: one call at a time, on a worker; may block.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  /// How much there will be; nothing: not known, the end is where read() gives 0.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const = 0;
  /// Fills the front of `into`. An error after the head has gone ends the connection, so that nobody takes the half
  /// for the whole.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string contentType = "text/plain; charset=utf-8";
  std::string body;
  std::shared_ptr<HttpStream> stream;  // instead of `body`
  std::string etag;                    // with quotes; empty: none
  std::string contentEncoding;         // "gzip" if body is
  std::string location;                // of a redirection; empty: none
  /// Of what is shown as a page of its own; empty: that of the page.
  std::string contentSecurityPolicy;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones, names in lower case
};

/// Takes the body of a request piece by piece. Thread: one call at a time, on a worker; may block, the client waits.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  /// An error is the answer, and ends the connection.
  [[nodiscard]] virtual Result<void> write(std::span<const std::byte> piece) = 0;
  /// All was written. Not called if the client has gone before: then it is only destroyed.
  [[nodiscard]] virtual HttpResponse finish(std::stop_token stop) = 0;
};

/// Makes an answer that takes its time, on a thread of the server's. `stop` is requested when the client has gone.
using HttpWork = std::function<HttpResponse(std::stop_token stop)>;

/// The same where other servers are waited for: on threads of their own, so that all else goes on while those are
/// silent.
struct HttpWaitingWork {
  HttpWork work;
};

/// Takes a body of at most so many bytes into memory, then answers on a worker. A longer one gets 413.
struct HttpBody {
  std::size_t mostBytes = 0;
  std::function<HttpResponse(std::string body, std::stop_token stop)> then;
  bool waits = false;  // for other servers, see HttpWaitingWork
};

/// Opens a sink on a worker; until then nothing of the body is read. The error is an answer of its own.
struct HttpUpload {
  std::function<tl::expected<std::shared_ptr<HttpSink>, HttpResponse>(std::stop_token stop)> open;
};

using HttpAnswer = std::variant<HttpResponse, HttpWork, HttpWaitingWork, HttpBody, HttpUpload>;

/// Must not block: it runs on the socket thread. What takes longer is given back as work.
using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

/// Decides on a worker who a stream is for, before anything of it is read. The error closes it (code 4003, its text).
using StreamGate = std::function<Result<StreamVisitor>(const HttpRequest&, std::stop_token stop)>;

/// An application/problem+json answer.
[[nodiscard]] HttpResponse problem(const Error& error);
/// With a status of its own.
[[nodiscard]] HttpResponse problemWith(const Error& error, int status);

class SocketServer {
 public:
  struct Options {
    std::string bind = "127.0.0.1";
    int port = 8080;              // 0: any free port
    bool localNamesOnly = false;  // refuse requests whose Host is not this machine itself (DNS rebinding)
    std::size_t workers = 8;      // threads for answers that take their time; some wait for readers of files
    std::size_t waiters = 8;      // further threads, for answers that wait for other servers
    std::size_t answers = 128;    // such answers of either kind at once, waiting ones and those being sent with them;
                                // more get 503
    std::size_t transfers = 128;  // answers by streams and uploads at once, beside those; more get 503
    std::size_t bodyBytes = std::size_t{64} << 20;  // of bodies that are taken into memory, all together
    std::chrono::milliseconds stall{20000};         // the longest time without progress of a client with a body
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
                                                                   HttpHandler http, StreamGate gate);
  virtual ~SocketServer() = default;

  [[nodiscard]] virtual int port() const = 0;
  /// Reads certificate and key again, changed or not. Nothing without TLS. Thread: any.
  virtual void reloadCertificate() = 0;
  /// Tells every stream that the server ends (close code 1001) and waits until they have gone, `within` at most. HTTP
  /// is answered until this is destroyed; further streams are closed at once. Thread: any but the socket's.
  virtual void end(std::chrono::milliseconds within) = 0;
};

}  // namespace nora
