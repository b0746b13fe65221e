// The request: its head, and where its body goes.
#include "streaming/socket/http_exchange.hpp"

#include "base/log.hpp"
#include "streaming/socket/http_reply.hpp"

#include <exception>
#include <span>

#include <libwebsockets.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t pieceBytes = std::size_t{256} << 10;  // for a sink
constexpr std::size_t leastBytes = std::size_t{16} << 10;   // of a body, in the time of a stall
constexpr lws_usec_t tickUs = 250'000;
constexpr std::chrono::seconds longestWork{600};  // more than a reader may take
constexpr std::chrono::seconds longestParting{2};

HttpResponse tooMuch(const char* text) {
  HttpResponse response = problem({ErrorCode::unavailable, text, {}});
  response.headers.emplace_back("retry-after", "2");
  return response;
}

Result<void> guardedWrite(HttpSink& sink, const std::string& data) {
  try {
    return sink.write(std::as_bytes(std::span(data)));
  } catch (const std::exception& e) {
    log::error(std::string("an upload failed: ") + e.what());
    return fail(ErrorCode::internal, "the upload failed");
  }
}

tl::expected<std::shared_ptr<HttpSink>, HttpResponse> guardedOpen(const HttpUpload& upload, std::stop_token stop) {
  try {
    return upload.open(std::move(stop));
  } catch (const std::exception& e) {
    log::error(std::string("an upload failed: ") + e.what());
    return tl::make_unexpected(problem({ErrorCode::internal, "the upload failed", {}}));
  }
}

}  // namespace

int HttpExchange::begin(std::string_view path) {
  clear();
  const auto taken = takenBytes(wsi_);
  pipelined_ = !taken || !takenBefore_ || *taken <= *takenBefore_;
  takenBefore_ = taken;
  const std::string_view method = methodOf(wsi_);
  if (method.empty()) return refuse({405, "method", "this method is not answered"});
  state_.headOnly = method == "HEAD";
  state_.http11 = isHttp11(wsi_);
  auto announced = bodyOf(wsi_, method);
  if (!announced) return refuse(announced.error());
  if (announced->awaited && pipelined_) {
    return refuse({400, "body", "a request with a body must wait for the answer to the one before it"});
  }
  const RequestFacts facts = factsOf(wsi_);
  if (!isServed(path, facts)) return -1;
  const auto request = requestOf(wsi_, path, facts, side_.rules);
  if (!request) return refuse(request.error());
  return answer(*request, *announced);
}

/// Whether the server is asked by a name that it answers to, and as it speaks here. Answers itself if not.
bool HttpExchange::isServed(std::string_view path, const RequestFacts& facts) {
  const bool alive = path == healthPath || path == readyPath;  // asked by load balancers, by whatever name
  if (const auto why = side_.rules.refuseHost(facts); !why.empty() && !alive) {
    (void)refuse({403, "host", std::string(why)});
    return false;
  }
  if (side_.tls && !facts.tls) {  // somebody speaks http to the port of https: a browser finds its way
    side_.metrics.refused("no_tls");
    side_.metrics.answered(308);
    HttpResponse response;
    response.status = 308;
    response.location = "https://" + facts.host + "/";
    (void)writeHead(wsi_, response, {0, false, true});
    return false;
  }
  if (path == streamPath) (void)refuse({426, "no_websocket", "this address speaks WebSocket"});
  return path != streamPath;
}

/// Ends the connection: nobody knows what would follow.
int HttpExchange::refuse(const HeadFault& fault) {
  side_.metrics.refused(fault.reason);
  side_.metrics.answered(fault.status);
  return writeRefusal(wsi_, fault.status, fault.text);
}

int HttpExchange::answer(const HttpRequest& request, const AnnouncedBody& announced) {
  state_.bodyBytes = announced.bytes;
  state_.bodyAhead = announced.bytes > 0;
  state_.wantsContinue = announced.wantsContinue;
  state_.closes = !announced.known;
  state_.progress = state_.passedSince = Clock::now();
  const int result = plan(nora::answer(request, side_.handler), announced);
  if (result == 0 && !isIdle()) lws_set_timer_usecs(wsi_, tickUs);
  return result;
}

int HttpExchange::plan(HttpAnswer answer, const AnnouncedBody& announced) {
  const auto* ready = std::get_if<HttpResponse>(&answer);
  const bool wantsBody = std::holds_alternative<HttpBody>(answer) || std::holds_alternative<HttpUpload>(answer);
  if (announced.bytes > 0 && !wantsBody && (ready == nullptr || ready->status < 400)) {
    side_.metrics.refused("body");
    deliverAndClose(problemWith({ErrorCode::invalidInput, "requests with a body are not answered", {}}, 400));
    return 0;
  }
  if (pipelined_ && ready == nullptr) {
    return refuse({400, "pipelined", "a request like this must wait for the answer to the one before it"});
  }
  if (ready != nullptr) {
    if (!announced.awaited) return send(std::move(std::get<HttpResponse>(answer)));
    deliverAndClose(std::move(std::get<HttpResponse>(answer)));
    return 0;
  }
  if (auto* work = std::get_if<HttpWork>(&answer)) return make(std::move(*work), false);
  if (auto* work = std::get_if<HttpWaitingWork>(&answer)) return make(std::move(work->work), true);
  if (auto* body = std::get_if<HttpBody>(&answer)) return takeToMemory(std::move(*body));
  return takeToSink(std::move(std::get<HttpUpload>(answer)));
}

int HttpExchange::make(HttpWork work, bool waits) {
  state_.phase = Phase::making;
  state_.progress = Clock::now();
  auto run = [this, work = std::move(work)](const std::stop_token& stop) {
    auto response = std::make_shared<HttpResponse>(guarded([&] { return work(stop); }));
    return [this, response] { deliver(std::move(*response)); };
  };
  state_.ticket = side_.answers.start(std::move(run), waits);
  if (state_.ticket == 0) {
    deliver(tooMuch("too much is asked at once; try again"));
  } else {
    pause();
  }
  return 0;
}

int HttpExchange::takeToMemory(HttpBody body) {
  if (state_.bodyBytes > body.mostBytes) {
    side_.metrics.refused("body_size");
    HttpResponse response =
        problem({ErrorCode::limitExceeded, "the body is larger than " + std::to_string(body.mostBytes) + " bytes", {}});
    deliverAndClose(std::move(response));
    return 0;
  }
  if (side_.bodyMemory + state_.bodyBytes > side_.mostBodyMemory) {
    side_.metrics.refused("body_memory");
    deliverAndClose(tooMuch("too much is being sent at once; try again"));
    return 0;
  }
  state_.toMemory = std::move(body);
  state_.memory = Reserved(side_.bodyMemory, static_cast<std::size_t>(state_.bodyBytes));
  state_.phase = Phase::taking;
  if (!state_.bodyAhead) return useTaken();
  sayContinue();
  return 0;
}

int HttpExchange::useTaken() {
  return make([then = std::move(state_.toMemory->then), body = std::exchange(state_.taken, {})](
                  std::stop_token stop) mutable { return then(std::move(body), std::move(stop)); },
              state_.toMemory->waits);
}

void HttpExchange::sayContinue() {
  if (!std::exchange(state_.wantsContinue, false)) return;
  constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  (void)write(text, LWS_WRITE_HTTP_HEADERS);
}

int HttpExchange::body(std::string_view bytes) {
  state_.passed += bytes.size();
  side_.metrics.requestBytes.add(bytes.size());
  if (!state_.bodyAhead || bytes.empty()) return 0;
  if (state_.phase == Phase::taking) {
    state_.taken += bytes;
  } else if (state_.upload) {
    state_.upload->waiting += bytes;
    if (state_.upload->waiting.size() >= pieceBytes && (state_.upload->busy || !state_.upload->sink)) pause();
    pump();
  }
  return 0;  // else it is read away
}

int HttpExchange::bodyEnd() {
  takenBefore_ = takenBytes(wsi_);
  if (!std::exchange(state_.bodyAhead, false)) return 0;
  if (state_.phase == Phase::parting) return -1;
  if (state_.phase == Phase::taking) return useTaken();
  if (state_.upload) {
    pause();
    pump();
  }
  return 0;
}

int HttpExchange::takeToSink(HttpUpload upload) {
  if (side_.transfers >= side_.mostTransfers) {
    side_.metrics.refused("transfers");
    deliverAndClose(tooMuch("too many files are being sent at once; try again"));
    return 0;
  }
  state_.phase = Phase::making;
  state_.upload.emplace();
  state_.upload->slot = Reserved(side_.transfers, 1, &side_.metrics.uploads);
  state_.upload->busy = true;
  pause();
  state_.pieceTicket = side_.pieces.start([this, upload = std::move(upload)](const std::stop_token& stop) {
    auto opened = std::make_shared<tl::expected<std::shared_ptr<HttpSink>, HttpResponse>>(guardedOpen(upload, stop));
    return [this, opened] {
      side_.pieces.forget(std::exchange(state_.pieceTicket, 0));
      state_.upload->busy = false;
      if (!*opened) return sinkFailed(std::move(opened->error()));
      state_.upload->sink = std::move(**opened);
      sayContinue();
      pump();
    };
  });
  return 0;
}

/// What is next for the sink, if it is not at work.
void HttpExchange::pump() {
  auto& upload = *state_.upload;
  if (!upload.sink || upload.busy) return;
  if (upload.waiting.size() >= pieceBytes || (!state_.bodyAhead && !upload.waiting.empty())) {
    writePiece();
  } else if (!state_.bodyAhead) {
    finishSink();
  }
  if (state_.bodyAhead) resume();
}

void HttpExchange::writePiece() {
  auto& upload = *state_.upload;
  upload.busy = true;
  state_.progress = Clock::now();
  state_.pieceTicket = side_.pieces.start([this, sink = upload.sink, data = std::exchange(upload.waiting, {})](
                                              const std::stop_token&) -> LoopWorkers::Then {
    const auto written = guardedWrite(*sink, data);
    return [this, written] {
      side_.pieces.forget(std::exchange(state_.pieceTicket, 0));
      state_.upload->busy = false;
      if (!written) return sinkFailed(problem(written.error()));
      pump();
    };
  });
}

void HttpExchange::finishSink() {
  auto& upload = *state_.upload;
  upload.busy = true;
  state_.progress = Clock::now();
  state_.pieceTicket =
      side_.pieces.start([this, sink = std::move(upload.sink)](const std::stop_token& stop) -> LoopWorkers::Then {
        auto response = std::make_shared<HttpResponse>(guarded([&] { return sink->finish(stop); }));
        return [this, response] { deliver(std::move(*response)); };
      });
}

void HttpExchange::sinkFailed(HttpResponse response) {
  if (state_.upload->sink) side_.pieces.chore([sink = std::move(state_.upload->sink)] {});
  state_.upload.reset();
  deliverAndClose(std::move(response));
}

void HttpExchange::deliverAndClose(HttpResponse response) {
  state_.closes = true;
  deliver(std::move(response));
}

void HttpExchange::deliver(HttpResponse response) {
  state_.phase = Phase::making;
  state_.made = std::move(response);
  resume();
  again();
}

int HttpExchange::tick() {
  if (isIdle()) return 0;
  const auto now = Clock::now();
  lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);  // libwebsockets has one of its own for bodies; it knows no pauses
  const bool takes = state_.bodyAhead && !paused_ && (state_.phase == Phase::taking || state_.upload);
  if (takes && isTooSlow(now)) {
    side_.metrics.refused("slow_body");
    dropUpload();
    deliverAndClose(problemWith({ErrorCode::invalidInput, "the body does not come", {}}, 408));
  }
  if (state_.phase == Phase::parting && now - state_.passedSince > longestParting) return -1;
  const bool waits = awaitsWorker();
  if (waits && (now - state_.progress > longestWork || hasGone())) return -1;
  if (state_.phase == Phase::sending && !waits && now - state_.progress > side_.stall) return -1;
  lws_set_timer_usecs(wsi_, tickUs);
  watchLoop(now);
  return 0;
}

/// Nothing else looks at a connection that is not read.
bool HttpExchange::hasGone() const {
  char byte = 0;
  return ::recv(lws_get_socket_fd(wsi_), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool HttpExchange::awaitsWorker() const {
  if (state_.made) return false;
  if (state_.phase == Phase::making) return !state_.upload || state_.upload->busy;
  return state_.phase == Phase::sending && state_.download && state_.download->reading &&
         state_.sent == state_.out.size() && state_.download->ready.empty();
}

bool HttpExchange::isTooSlow(Clock::time_point now) {
  if (now - state_.passedSince < side_.stall) return false;
  if (state_.passed < leastBytes) return true;
  state_.passed = 0;
  state_.passedSince = now;
  return false;
}

void HttpExchange::clear() {
  forget();
  state_ = {};
  resume();
}

void HttpExchange::forget() {
  side_.answers.forget(std::exchange(state_.ticket, 0));
  side_.pieces.forget(std::exchange(state_.pieceTicket, 0));
  dropUpload();
  if (state_.download) side_.pieces.chore([stream = std::move(state_.download->stream)] {});
  state_.download.reset();
}

/// What ends without finish() may have to tidy up on a disk.
void HttpExchange::dropUpload() {
  if (!state_.upload) return;
  side_.pieces.forget(std::exchange(state_.pieceTicket, 0));
  if (state_.upload->sink) side_.pieces.chore([sink = std::move(state_.upload->sink)] {});
  state_.upload.reset();
}

void HttpExchange::pause() {
  if (std::exchange(paused_, true)) return;
  lws_rx_flow_control(wsi_, 0);
}

void HttpExchange::resume() {
  if (!std::exchange(paused_, false)) return;
  state_.passed = 0;
  state_.passedSince = Clock::now();
  lws_rx_flow_control(wsi_, 1);
}

void HttpExchange::again() {
  lws_callback_on_writable(wsi_);
}

}  // namespace nora
