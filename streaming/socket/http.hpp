// The part of HTTP that needs no socket: checks of the request, the bytes of the answer's head.
#pragma once

#include "streaming/socket/server.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace nora {

constexpr std::string_view streamPath = "/api/v1/stream";
constexpr std::string_view streamProtocol = "nora.v2";
constexpr std::string_view healthPath = "/healthz";
constexpr std::string_view readyPath = "/readyz";

/// True if a Host header names this machine itself: localhost, 127.x.x.x or [::1], with any port. A server that listens
/// on this machine alone answers to no other name: a site whose name is made to lead here (DNS rebinding) gets nothing.
[[nodiscard]] bool hostIsLocal(std::string_view host);

/// True if a comma-separated list has the word.
[[nodiscard]] bool listHas(std::string_view list, std::string_view word);

/// What `make` gives; an exception becomes a problem.
[[nodiscard]] HttpResponse guarded(const std::function<HttpResponse()>& make);

/// Answers a request by the handler: refuses paths with NUL or "..", turns exceptions into problems, answers 304 if the
/// client has the same ETag (work as well, when it is done).
[[nodiscard]] HttpAnswer answer(const HttpRequest& request, const HttpHandler& handler);

}  // namespace nora
