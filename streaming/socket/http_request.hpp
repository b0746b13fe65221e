// What the head of a request says, out of libwebsockets' hands.
#pragma once

#include "streaming/socket/access_rules.hpp"
#include "streaming/socket/server.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct lws;

namespace nora {

/// Why a request is not answered as asked.
struct HeadFault {
  int status = 400;
  std::string_view reason;  // a word for the metrics
  std::string text;
};

/// What follows the head.
struct AnnouncedBody {
  std::uint64_t bytes = 0;
  bool awaited = false;  // libwebsockets takes what comes next for a body, even of no bytes
  bool known = true;     // the request says how long it is; else it has none, and nothing may follow
  bool wantsContinue = false;
};

/// The method of a request, "" for one that is not served.
[[nodiscard]] std::string_view methodOf(lws* wsi);
/// The value of a request header; empty if absent or too long.
[[nodiscard]] std::string headerOf(lws* wsi, int token);
[[nodiscard]] RequestFacts factsOf(lws* wsi);
/// Of GET and of handshakes, which have none: a body would be taken for the next request, by which somebody behind the
/// same proxy could be given another's answer.
[[nodiscard]] bool announcesBody(lws* wsi);
/// Errors: a length that is none, twice, or not told.
[[nodiscard]] tl::expected<AnnouncedBody, HeadFault> bodyOf(lws* wsi, std::string_view method);
/// Errors: 414 and 431.
[[nodiscard]] tl::expected<HttpRequest, HeadFault> requestOf(lws* wsi, std::string_view path, const RequestFacts& facts,
                                                             const AccessRules& rules);
[[nodiscard]] bool isHttp11(lws* wsi);

/// How many bytes libwebsockets has taken from the connection so far; nothing: cannot be told.
///
/// A request with a body that came in one piece with the end of the request before it makes libwebsockets 4.1 read
/// memory that it has freed (lws_http_action() walks over the list that lws_read_h1() still reads from). Such a request
/// is one for which nothing was taken since the last callback.
[[nodiscard]] std::optional<std::uint64_t> takenBytes(lws* wsi);

}  // namespace nora
