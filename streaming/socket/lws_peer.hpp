// LwsPeer: what the socket loop knows of one accepted connection.
#pragma once

#include "streaming/socket/connection.hpp"
#include "streaming/socket/http_exchange.hpp"
#include "streaming/socket/patient_window.hpp"
#include "streaming/socket/token_bucket.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct lws;

namespace nora {

/// Of a WebSocket.
struct StreamPeer {
  IpAddress client;          // whom limits are for
  HttpRequest request;       // that asked for it; until the gate has decided
  std::uint64_t ticket = 0;  // of the gate's work
  bool heard = false;        // the client has said something
  bool counts = false;       // among the streams of its client
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

/// Belongs to the socket thread.
struct LwsPeer {
  LwsPeer(lws* wsi, HttpSide& side) : http(wsi, side) {}

  HttpExchange http;
  StreamPeer stream;
};

}  // namespace nora
