// The head of an answer, and short answers that end a connection.
#pragma once

#include "streaming/socket/server.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

struct lws;

namespace nora {

struct ReplyShape {
  std::optional<std::uint64_t> length;  // of the body
  bool chunked = false;
  bool close = false;
};

/// False: the connection cannot go on.
[[nodiscard]] bool writeHead(lws* wsi, const HttpResponse& response, const ReplyShape& shape);
/// Head and a text of one line, at once. Always -1: the connection ends.
int writeRefusal(lws* wsi, int status, std::string_view text);
/// True if all of its headers can be written: no control characters.
[[nodiscard]] bool isWritable(const HttpResponse& response);
/// 204, 304 and 1xx have none.
[[nodiscard]] bool mayHaveBody(int status);

}  // namespace nora
