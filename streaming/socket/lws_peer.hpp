// LwsPeer: what the socket loop knows of one accepted connection, and how it answers HTTP on it.
#pragma once

#include "streaming/socket/answer_workers.hpp"
#include "streaming/socket/connection.hpp"
#include "streaming/socket/http.hpp"

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
  std::shared_ptr<Connection> connection;
  std::shared_ptr<StreamEngine::Link> link;
  std::string incoming;  // fragments of one message
};

/// Memory to write from, with the room in front that libwebsockets wants. One for the whole loop.
using WriteBuffer = std::vector<unsigned char>;

/// The lws callback's result: 0 goes on, others end the connection.
[[nodiscard]] int answerHttp(lws* wsi, LwsPeer& peer, std::string_view path, const HttpHandler& handler,
                             AnswerWorkers& workers, bool localNamesOnly);
/// Ends a connection whose client has gone while a worker makes its answer: libwebsockets does not look until then.
[[nodiscard]] int lookAfter(lws* wsi, const LwsPeer& peer);
/// The head of the answer that a worker has made, or the next piece of a body.
[[nodiscard]] int continueAnswer(lws* wsi, LwsPeer& peer, AnswerWorkers& workers, WriteBuffer& buffer);
/// May this HTTP request become a stream? Answers it itself if not.
[[nodiscard]] int confirmUpgrade(lws* wsi, std::string_view upgrade, bool localNamesOnly);

}  // namespace nora
