// LwsPeer: what the socket loop knows of one accepted connection, and how it answers HTTP on it.
#pragma once

#include "streaming/socket/access_rules.hpp"
#include "streaming/socket/answer_workers.hpp"
#include "streaming/socket/connection.hpp"
#include "streaming/socket/http.hpp"
#include "streaming/socket/patient_window.hpp"
#include "streaming/socket/token_bucket.hpp"
#include "streaming/socket/transport_metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct lws;

namespace nora {

/// Belongs to the socket thread.
struct LwsPeer {
  // HTTP: the answer on its way
  std::string body;
  std::size_t bodySent = 0;
  std::uint64_t ticket = 0;  // of an answer that a worker makes; until it is sent
  bool waiting = false;      // for it
  bool headOnly = false;
  std::optional<HttpResponse> made;  // by the worker, not written yet
  // WebSocket
  IpAddress client;    // whom limits are for
  bool heard = false;  // the client has said something
  std::optional<TokenBucket> messages, bytes;
  std::shared_ptr<Connection> connection;
  std::shared_ptr<StreamEngine::Link> link;
  std::string incoming;  // fragments of one message
  unsigned pings = 0;    // sent so far
  bool pingDue = false;
  bool clocked = false;                    // it shall tell the round trip
  bool isBusy = false;                     // pictures were sent since the last clocked ping
  unsigned clockedPings = 0;               // sent so far
  unsigned clockedPing = 0;                // the last one, if it is unanswered; else 0
  Connection::Clock::time_point pingedAt;  // then
  PatientWindow window;
};

/// Memory to write from, with the room in front that libwebsockets wants. One for the whole loop.
using WriteBuffer = std::vector<unsigned char>;

/// What answers HTTP; belongs to the server.
struct HttpSide {
  const HttpHandler& handler;
  AnswerWorkers& workers;
  const AccessRules& rules;
  TransportMetrics& metrics;
  bool tls;
};

/// The lws callback's result: 0 goes on, others end the connection.
[[nodiscard]] int answerHttp(lws* wsi, LwsPeer& peer, std::string_view path, const HttpSide& side);
/// Ends a connection whose client has gone while a worker makes its answer: libwebsockets does not look until then.
[[nodiscard]] int lookAfter(lws* wsi, const LwsPeer& peer);
/// The head of the answer that a worker has made, or the next piece of a body.
[[nodiscard]] int continueAnswer(lws* wsi, LwsPeer& peer, const HttpSide& side, WriteBuffer& buffer);
/// May this HTTP request become a stream? Answers it itself if not.
[[nodiscard]] int confirmUpgrade(lws* wsi, LwsPeer& peer, std::string_view upgrade, const HttpSide& side);
/// Nothing of an answer is left to be made or sent.
[[nodiscard]] bool isIdle(const LwsPeer& peer);

}  // namespace nora
