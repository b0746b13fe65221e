// LwsPeer: what the socket loop knows of one accepted connection, and how it answers HTTP on it.
#pragma once

#include "streaming/socket/connection.hpp"
#include "streaming/socket/http.hpp"

#include <cstddef>
#include <memory>
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
  // WebSocket
  std::shared_ptr<Connection> connection;
  std::shared_ptr<StreamEngine::Session> session;
  std::string incoming;  // fragments of one message
};

/// Memory to write from, with the room in front that libwebsockets wants. One for the whole loop.
using WriteBuffer = std::vector<unsigned char>;

/// The lws callback's result: 0 goes on, others end the connection.
[[nodiscard]] int answerHttp(lws* wsi, LwsPeer& peer, std::string_view path, const HttpHandler& handler,
                             bool localNamesOnly);
[[nodiscard]] int continueBody(lws* wsi, LwsPeer& peer, WriteBuffer& buffer);
/// May this HTTP request become a stream? Answers it itself if not.
[[nodiscard]] int confirmUpgrade(lws* wsi, std::string_view upgrade, bool localNamesOnly);

}  // namespace nora
