// HttpExchange: one request of a connection and its answer, from the head to the last byte.
#pragma once

#include "streaming/socket/access_rules.hpp"
#include "streaming/socket/http.hpp"
#include "streaming/socket/http_request.hpp"
#include "streaming/socket/loop_workers.hpp"
#include "streaming/socket/transport_metrics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct lws;

namespace nora {

/// Memory to write from, with the room in front that libwebsockets wants. One for the whole loop.
using WriteBuffer = std::vector<unsigned char>;

/// What answers HTTP; belongs to the server and the socket thread.
struct HttpSide {
  const HttpHandler& handler;
  const AccessRules& rules;
  TransportMetrics& metrics;
  LoopWorkers& answers;  // make what is answered
  LoopWorkers& pieces;   // of bodies on their way; none of this work waits for a client
  WriteBuffer& buffer;
  bool tls = false;
  std::size_t mostTransfers = 0;              // streams and uploads at once
  std::size_t mostBodyMemory = 0;             // bytes of bodies that are taken into memory, all together
  std::chrono::milliseconds stall{};          // without any progress by a client that sends or reads a body
  std::size_t transfers = 0, bodyMemory = 0;  // in use now
  std::uint64_t passes = 0;                   // of the loop
};

/// A share of a limit, given back when it ends.
class Reserved {
 public:
  Reserved() = default;
  Reserved(std::size_t& counter, std::size_t amount, Gauge* gauge = nullptr)
      : counter_(&counter), amount_(amount), gauge_(gauge) {
    counter += amount;
    if (gauge != nullptr) gauge->add(1);
  }
  Reserved(Reserved&& other) noexcept
      : counter_(std::exchange(other.counter_, nullptr)), amount_(other.amount_), gauge_(other.gauge_) {}
  Reserved& operator=(Reserved&& other) noexcept {
    std::swap(counter_, other.counter_);
    std::swap(amount_, other.amount_);
    std::swap(gauge_, other.gauge_);
    return *this;
  }
  ~Reserved() {
    if (counter_ == nullptr) return;
    *counter_ -= amount_;
    if (gauge_ != nullptr) gauge_->add(-1);
  }

 private:
  std::size_t* counter_ = nullptr;
  std::size_t amount_ = 0;
  Gauge* gauge_ = nullptr;  // counts those that are
};

/// Belongs to the socket thread. What returns int returns the result of a libwebsockets callback: 0 goes on, others end
/// the connection.
///
/// While somebody else has to act (a worker, a disk), nothing is read from the client.
class HttpExchange {
 public:
  using Clock = std::chrono::steady_clock;

  HttpExchange(lws* wsi, HttpSide& side) : wsi_(wsi), side_(side) {}
  ~HttpExchange() { forget(); }
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// The head of a request has been read.
  [[nodiscard]] int begin(std::string_view path);
  [[nodiscard]] int body(std::string_view bytes);
  [[nodiscard]] int bodyEnd();
  [[nodiscard]] int writable();
  /// Some times a second, while there is something to do: clients that have gone or do not go on.
  [[nodiscard]] int tick();
  /// Nothing of an answer is left to be made or sent.
  [[nodiscard]] bool isIdle() const { return state_.phase == Phase::idle; }

 private:
  enum class Phase {
    idle,
    making,  // a worker makes the answer, or the body goes to its sink
    taking,  // the body goes to memory
    sending,
    parting,  // the answer was sent; what the client is still sending is read away, so that it sees the answer
  };
  /// A body that goes to a sink piece by piece.
  struct Upload {
    HttpUpload how;
    std::shared_ptr<HttpSink> sink;
    std::string waiting;  // for the sink
    bool busy = false;    // a worker opens it, or writes a piece
    Reserved slot;
  };
  /// A body that comes from a stream, a piece ahead.
  struct Download {
    std::shared_ptr<HttpStream> stream;
    std::optional<std::uint64_t> left;  // if it was told
    std::string ready;                  // the piece after the one that is written
    bool reading = false;
    bool ended = false;  // nothing comes after `ready`
    bool failed = false;
    bool chunked = false;
    Reserved slot;
  };
  struct State {
    Phase phase = Phase::idle;
    bool headOnly = false;
    bool http11 = false;
    bool closes = false;     // the connection ends after the answer
    bool bodyAhead = false;  // the client has not sent all of its body
    bool wantsContinue = false;
    std::uint64_t bodyBytes = 0;
    std::optional<HttpBody> toMemory;
    Reserved memory;
    std::string taken;  // of the body, in memory
    std::optional<Upload> upload;
    std::uint64_t ticket = 0;          // of the worker that makes the answer; kept until it is sent
    std::uint64_t pieceTicket = 0;     // of the work on a piece
    std::optional<HttpResponse> made;  // not written yet
    std::string out;                   // the body, or the piece of it that is written
    std::size_t sent = 0;              // of it
    std::optional<Download> download;
    std::uint64_t passed = 0;  // bytes of the body that came since `passedSince`, or were read away
    Clock::time_point passedSince{};
    // Libwebsockets 4.1 runs round and round while an answer waits for the client to read and there is input: then it
    // must not look at the connection, and we look whether it can be written.
    bool restless = false, quiet = false;
    std::uint64_t passesBefore = 0;
    Clock::time_point passesSince{};
    Clock::time_point progress{};  // the socket took something, or a worker was asked for something
  };

  [[nodiscard]] bool isServed(std::string_view path, const RequestFacts& facts);
  int refuse(const HeadFault& fault);
  int answer(const HttpRequest& request, const AnnouncedBody& body);
  int plan(HttpAnswer answer, const AnnouncedBody& body);
  int make(HttpWork work, bool waits);
  int takeToMemory(HttpBody body);
  int useTaken();
  int takeToSink(HttpUpload upload);
  void pump();
  void writePiece();
  void finishSink();
  void sinkFailed(HttpResponse response);
  void sayContinue();
  /// Soon, in writable(): libwebsockets must not be told in all of its callbacks that a request is done.
  void deliver(HttpResponse response);
  /// Instead of the body that is still to come.
  void deliverAndClose(HttpResponse response);
  int send(HttpResponse response);
  void beginStream(std::shared_ptr<HttpStream> stream, std::optional<std::uint64_t> size, bool chunked, bool hasBody);
  void readAhead();
  int sendStream();
  int sendBody();
  [[nodiscard]] bool write(std::string_view bytes, int kind);
  int finish();
  int part();
  void clear();
  void forget();
  void dropUpload();
  void pause();
  void resume();
  void again();
  void goOnSending();
  void watchLoop(Clock::time_point now);
  [[nodiscard]] bool canBeWritten() const;
  [[nodiscard]] bool awaitsWorker() const;
  [[nodiscard]] bool hasGone() const;
  [[nodiscard]] bool isTooSlow(Clock::time_point now);

  lws* const wsi_;
  HttpSide& side_;
  State state_;
  bool paused_ = false;
  bool pipelined_ = false;                        // the request came in one piece with the one before
  std::optional<std::uint64_t> takenBefore_ = 0;  // bytes, when libwebsockets last gave us something
};

}  // namespace nora
