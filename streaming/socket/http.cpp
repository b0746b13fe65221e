#include "streaming/socket/http.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <exception>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool sameText(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool hasDotDot(std::string_view path) {
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

bool etagMatches(std::string_view list, std::string_view etag) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto one = trimmed(list.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

HttpResponse unlessKnown(HttpResponse response, std::string_view knownTags) {
  if (response.status == 200 && !response.etag.empty() && etagMatches(knownTags, response.etag)) {
    response.status = 304;
    response.body.clear();
    response.stream.reset();
  }
  return response;
}

}  // namespace

bool hostIsLocal(std::string_view host) {
  const auto colon = host.rfind(':');
  const bool hasPort = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  if (hasPort) host = host.substr(0, colon);
  if (sameText(host, "localhost") || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool listHas(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (trimmed(list.substr(0, comma)) == word) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

HttpResponse problemWith(const Error& error, int status) {
  const nlohmann::json body{{"title", std::string(toString(error.code))},
                            {"status", status},
                            {"detail", describe(error)},
                            {"code", std::string(toString(error.code))}};
  HttpResponse response;
  response.status = status;
  response.contentType = "application/problem+json";
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

HttpResponse problem(const Error& error) {
  return problemWith(error, httpStatus(error.code));
}

HttpResponse guarded(const std::function<HttpResponse()>& make) {
  try {
    return make();
  } catch (const std::exception& e) {
    log::error(std::string("an HTTP request failed: ") + e.what());
    return problem({ErrorCode::internal, "the request failed", {}});
  }
}

HttpAnswer answer(const HttpRequest& request, const HttpHandler& handler) {
  if (request.path.empty() || request.path[0] != '/' || request.path.find('\0') != std::string::npos ||
      hasDotDot(request.path)) {
    return problem({ErrorCode::invalidInput, "not a path", {}});
  }
  HttpAnswer given;
  HttpResponse failed = guarded([&] {
    given = handler(request);
    return HttpResponse{};
  });
  if (failed.status != 200) return failed;
  const bool asks = request.method == "GET" || request.method == "HEAD";
  if (!asks) return given;
  if (auto* ready = std::get_if<HttpResponse>(&given)) return unlessKnown(std::move(*ready), request.ifNoneMatch);
  auto* work = std::get_if<HttpWork>(&given);
  if (work == nullptr || request.ifNoneMatch.empty()) return given;
  return HttpWork([work = std::move(*work), known = request.ifNoneMatch](std::stop_token stop) {
    return unlessKnown(work(std::move(stop)), known);
  });
}

}  // namespace nora
