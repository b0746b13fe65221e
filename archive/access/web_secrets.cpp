#include "archive/access/web_secrets.hpp"

#include "archive/access/digest.hpp"

#include <algorithm>

namespace nora {
namespace {

/// cookie-octet of RFC 6265.
bool isCookieCharacter(char c) {
  return c > 0x20 && c < 0x7F && std::string_view("\",;\\").find(c) == std::string_view::npos;
}

bool isPathCharacter(char c) {
  return c >= 0x20 && c < 0x7F && c != ';';
}

std::string attributes(const CookiePlace& place) {
  return "; Path=" + place.basePath + "; HttpOnly; SameSite=Lax" + (place.secure ? "; Secure" : "");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view prefix(const CookiePlace& place) {
  if (!place.secure) return "";
  return place.basePath == "/" ? "__Host-" : "__Secure-";
}

Result<std::string> cookie(const std::string& name, std::string_view value, const CookiePlace& place,
                           std::chrono::seconds maxAge) {
  if (value.empty() || !std::all_of(value.begin(), value.end(), isCookieCharacter)) {
    return fail(ErrorCode::invalidInput, "is empty or has characters that do not belong in a cookie", "cookie");
  }
  if (place.basePath.empty() || place.basePath.front() != '/' ||
      !std::all_of(place.basePath.begin(), place.basePath.end(), isPathCharacter)) {
    return fail(ErrorCode::invalidInput, "must begin with / and have no semicolon or control character",
                "path of the cookie");
  }
  std::string text = name + "=" + std::string(value) + attributes(place);
  if (maxAge.count() > 0) text += "; Max-Age=" + std::to_string(maxAge.count());
  return text;
}

}  // namespace

std::string sessionCookieName(const CookiePlace& place) {
  return std::string(prefix(place)) + "nora";
}

Result<std::string> sessionCookie(std::string_view value, const CookiePlace& place, std::chrono::seconds maxAge) {
  return cookie(sessionCookieName(place), value, place, maxAge);
}

std::string loginCookieName(const CookiePlace& place) {
  return std::string(prefix(place)) + "nora-login";
}

Result<std::string> loginCookie(std::string_view value, const CookiePlace& place, std::chrono::seconds maxAge) {
  return cookie(loginCookieName(place), value, place, maxAge);
}

std::string endedSessionCookie(const CookiePlace& place) {
  return sessionCookieName(place) + "=" + attributes(place) + "; Max-Age=0";
}

std::optional<std::string> cookieValue(std::string_view header, std::string_view name) {
  std::optional<std::string> found;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    if (found) return std::nullopt;
    found = std::string(pair.substr(equals + 1));
  }
  return found;
}

Result<void> checkForgery(const RequestOrigin& request, std::string_view csrf) {
  const bool changes = request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
  if (!changes && !request.webSocket) return {};
  if (request.origin.empty() ? request.fetchSite != "same-origin" : request.origin != request.ownOrigin) {
    return fail(ErrorCode::forbidden,
                "comes from another site than " + std::string(request.ownOrigin) +
                    "; behind a proxy, let it pass the host's name on",
                "Origin");
  }
  if (request.webSocket) return {};
  if (csrf.empty() || !equalInConstantTime(request.csrfHeader, csrf)) {
    return fail(ErrorCode::forbidden, "is not that of the session: load the page again", "X-Nora-Csrf");
  }
  return {};
}

}  // namespace nora
