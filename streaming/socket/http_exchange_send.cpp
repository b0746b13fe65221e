// The answer: its head, and its body out of memory or from a stream.
#include "base/log.hpp"
#include "streaming/socket/http_exchange.hpp"
#include "streaming/socket/http_reply.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <span>

#include <libwebsockets.h>
#include <poll.h>
#include <sys/socket.h>

namespace nora {
namespace {

constexpr std::size_t writeBytes = std::size_t{60} << 10;   // libwebsockets sends at most 64 KiB at a time
constexpr std::size_t pieceBytes = std::size_t{256} << 10;  // read from a stream
constexpr std::size_t enoughBytes = std::size_t{64} << 10;  // of it, rather than wait for more

constexpr lws_usec_t quietUs = 5'000;
constexpr std::chrono::milliseconds watchEvery{200};
constexpr std::uint64_t manyPasses = 2000;  // in that time

struct Piece {
  std::string bytes;
  bool ended = false;
  std::optional<Error> error;
};

/// Streams may give little at a time.
Piece readPiece(HttpStream& stream, std::optional<std::uint64_t> left, const std::stop_token& stop) {
  Piece piece;
  piece.bytes.resize(left ? static_cast<std::size_t>(std::min<std::uint64_t>(*left, pieceBytes)) : pieceBytes);
  std::size_t filled = 0;
  try {
    while (filled < std::min(enoughBytes, piece.bytes.size()) && !piece.ended && !piece.error) {
      const auto got = stream.read(std::as_writable_bytes(std::span(piece.bytes)).subspan(filled), stop);
      if (!got) {
        piece.error = got.error();
      } else {
        piece.ended = *got == 0;
        filled += std::min(*got, piece.bytes.size() - filled);
      }
    }
  } catch (const std::exception& e) {
    piece.error = Error{ErrorCode::internal, e.what(), {}};
  }
  piece.bytes.resize(filled);
  if (left && filled == *left) piece.ended = true;
  if (left && piece.ended && filled < *left && !piece.error) {
    piece.error = Error{ErrorCode::internal, "it is shorter than was said", {}};
  }
  return piece;
}

/// The client must not take what it has for the whole: a reset, no orderly end.
void reset(lws* wsi) {
  const sockaddr nobody{AF_UNSPEC, {}};
  (void)::connect(lws_get_socket_fd(wsi), &nobody, sizeof nobody);
}

}  // namespace

int HttpExchange::writable() {
  if (state_.made) return send(*std::exchange(state_.made, std::nullopt));
  if (state_.phase == Phase::parting) return part();
  if (state_.phase != Phase::sending) return 0;
  state_.progress = Clock::now();
  return state_.download ? sendStream() : sendBody();
}

int HttpExchange::send(HttpResponse response) {
  if (!isWritable(response)) {
    log::error("an answer with control characters in its head was not sent");
    response = problem({ErrorCode::internal, "the request failed", {}});
  }
  if (response.stream && !state_.headOnly && side_.transfers >= side_.mostTransfers) {
    side_.metrics.refused("transfers");
    side_.pieces.chore([stream = std::move(response.stream)] {});
    response = problem({ErrorCode::unavailable, "too many files are being sent at once; try again", {}});
    response.headers.emplace_back("retry-after", "2");
  }
  const auto size = response.stream ? response.stream->size() : std::optional<std::uint64_t>(response.body.size());
  const bool chunked = !size && state_.http11;
  state_.closes = state_.closes || state_.bodyAhead || (!size && !chunked);
  if (!writeHead(wsi_, response, {size, chunked, state_.closes})) return -1;
  side_.metrics.answered(response.status);
  state_.phase = Phase::sending;
  state_.progress = Clock::now();
  if (response.stream) {
    beginStream(std::move(response.stream), size, chunked, mayHaveBody(response.status));
    if (state_.download) return 0;
  } else if (!state_.headOnly && mayHaveBody(response.status)) {
    state_.out = std::move(response.body);
  }
  if (state_.out.empty()) return finish();
  again();
  return 0;
}

void HttpExchange::beginStream(std::shared_ptr<HttpStream> stream, std::optional<std::uint64_t> size, bool chunked,
                               bool hasBody) {
  side_.answers.forget(std::exchange(state_.ticket, 0));  // others may be made while this one is read
  if (state_.headOnly || !hasBody || size == 0U) {
    side_.pieces.chore([stream = std::move(stream)] {});
    return;
  }
  state_.download.emplace();
  state_.download->stream = std::move(stream);
  state_.download->left = size;
  state_.download->chunked = chunked;
  state_.download->slot = Reserved(side_.transfers, 1, &side_.metrics.downloads);
  readAhead();
}

void HttpExchange::readAhead() {
  auto& download = *state_.download;
  if (download.reading || download.ended || download.failed || !download.ready.empty()) return;
  download.reading = true;
  state_.pieceTicket = side_.pieces.start(
      [this, stream = download.stream, left = download.left](const std::stop_token& stop) -> LoopWorkers::Then {
        auto piece = std::make_shared<Piece>(readPiece(*stream, left, stop));
        return [this, piece] {
          side_.pieces.forget(std::exchange(state_.pieceTicket, 0));
          auto& at = *state_.download;
          at.reading = false;
          at.ended = piece->ended;
          at.failed = piece->error.has_value();
          if (at.failed) log::error("an answer was cut off: " + piece->error->what);
          if (at.left) *at.left -= piece->bytes.size();
          at.ready = std::move(piece->bytes);
          state_.progress = Clock::now();
          again();
        };
      });
}

int HttpExchange::sendStream() {
  auto& download = *state_.download;
  if (download.failed) {
    reset(wsi_);
    return -1;
  }
  if (state_.sent == state_.out.size()) {
    state_.out = std::exchange(download.ready, {});
    state_.sent = 0;
    readAhead();
    if (state_.out.empty() && !download.ended) return 0;  // it is being read
  }
  const std::size_t length = std::min(writeBytes, state_.out.size() - state_.sent);
  const bool last = download.ended && download.ready.empty() && state_.sent + length == state_.out.size();
  const std::string_view data = std::string_view(state_.out).substr(state_.sent, length);
  if (download.chunked) {
    std::array<char, 24> head{};
    std::snprintf(head.data(), head.size(), "%zx\r\n", length);
    std::string chunk = length == 0 ? std::string() : head.data() + std::string(data) + "\r\n";
    if (last) chunk += "0\r\n\r\n";
    if (!write(chunk, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)) return -1;
  } else if (length > 0 && !write(data, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)) {
    return -1;
  }
  state_.sent += length;
  side_.metrics.answerBytes.add(length);
  if (last) return finish();
  goOnSending();
  return 0;
}

int HttpExchange::sendBody() {
  const std::size_t length = std::min(writeBytes, state_.out.size() - state_.sent);
  if (length == 0) return 0;
  const bool last = state_.sent + length == state_.out.size();
  const std::string_view data = std::string_view(state_.out).substr(state_.sent, length);
  if (!write(data, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)) return -1;
  state_.sent += length;
  side_.metrics.answerBytes.add(length);
  if (last) return finish();
  goOnSending();
  return 0;
}

/// When there is room for more.
void HttpExchange::goOnSending() {
  again();
  if (!state_.restless || canBeWritten()) return;
  state_.quiet = true;
  pause();
  lws_set_timer_usecs(wsi_, quietUs);
}

bool HttpExchange::canBeWritten() const {
  pollfd at{lws_get_socket_fd(wsi_), POLLOUT, 0};
  return ::poll(&at, 1, 0) != 0;
}

/// Whether the loop runs without ever waiting, for which this connection may be the reason.
void HttpExchange::watchLoop(Clock::time_point now) {
  if (state_.quiet && canBeWritten()) {
    state_.quiet = false;
    resume();
  }
  if (state_.quiet) lws_set_timer_usecs(wsi_, quietUs);
  if (now - state_.passesSince < watchEvery) return;
  const std::uint64_t passes = side_.passes - state_.passesBefore;
  const bool first = state_.passesSince == Clock::time_point{};
  state_.passesBefore = side_.passes;
  state_.passesSince = now;
  if (first || passes < manyPasses || state_.phase != Phase::sending || awaitsWorker()) return;
  state_.restless = true;
  if (!state_.quiet) goOnSending();
}

/// What the socket does not take at once is kept by libwebsockets; it says when there is room for more.
bool HttpExchange::write(std::string_view bytes, int kind) {
  WriteBuffer& buffer = side_.buffer;
  if (buffer.size() < LWS_PRE + bytes.size()) buffer.resize(LWS_PRE + bytes.size());
  std::memcpy(buffer.data() + LWS_PRE, bytes.data(), bytes.size());
  return lws_write(wsi_, buffer.data() + LWS_PRE, bytes.size(), static_cast<lws_write_protocol>(kind)) >= 0;
}

int HttpExchange::finish() {
  if (!state_.closes) {
    clear();
    return lws_http_transaction_completed(wsi_) != 0 ? -1 : 0;
  }
  if (!state_.bodyAhead) return -1;
  state_.phase = Phase::parting;
  state_.out = {};
  state_.passedSince = Clock::now();
  again();
  return 0;
}

/// Everything was sent. An end while there is input would be a reset, by which the client may lose the answer.
int HttpExchange::part() {
  if (lws_is_ssl(wsi_) == 0) ::shutdown(lws_get_socket_fd(wsi_), SHUT_WR);
  state_.passedSince = Clock::now();
  return 0;
}

}  // namespace nora
