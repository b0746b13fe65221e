// The page's session as text on the wire: cookies and the protection against requests forged by other sites.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nora {

struct CookiePlace {
  std::string basePath = "/";  // where nora is served, as "/nora/"
  bool secure = true;          // the page is reached by https
};

/// "__Host-nora" where the browser then holds it to this host, https and "/"; "__Secure-nora" by https below a path;
/// "nora" by plain http.
[[nodiscard]] std::string sessionCookieName(const CookiePlace& place);

/// The value of the header Set-Cookie: HttpOnly, SameSite=Lax, Path, Secure by https. Zero `maxAge`: until the browser
/// is closed. Errors: invalidInput if `value` or the path has characters that do not belong in a cookie (RFC
/// 6265 4.1.1).
[[nodiscard]] Result<std::string> sessionCookie(std::string_view value, const CookiePlace& place,
                                                std::chrono::seconds maxAge);
/// Tells the browser to forget it.
[[nodiscard]] std::string endedSessionCookie(const CookiePlace& place);

/// The browser's own mark of a log-in at a provider that has begun ("nora-login", with the same prefixes): whoever
/// comes back must have it. Errors: as sessionCookie.
[[nodiscard]] std::string loginCookieName(const CookiePlace& place);
[[nodiscard]] Result<std::string> loginCookie(std::string_view value, const CookiePlace& place,
                                              std::chrono::seconds maxAge);

/// From the header Cookie. Nothing if it is missing, or there twice: then one of them was planted.
[[nodiscard]] std::optional<std::string> cookieValue(std::string_view header, std::string_view name);

/// What a request says of where it comes from; empty where a header is missing.
struct RequestOrigin {
  std::string_view method;      // "GET"
  std::string_view ownOrigin;   // "https://nora.example.org", without path
  std::string_view origin;      // Origin
  std::string_view fetchSite;   // Sec-Fetch-Site
  std::string_view csrfHeader;  // X-Nora-Csrf
  bool webSocket = false;       // an upgrade: a GET that changes things, and cannot carry the header
};

/// For requests that come in by the session's cookie (a token in Authorization needs no such check). GET, HEAD and
/// OPTIONS are let through; everything else must be of our own origin and carry the session's value. A WebSocket must
/// be of our own origin. `csrf` is kept with the session. Errors: forbidden (says which header and what to do).
[[nodiscard]] Result<void> checkForgery(const RequestOrigin& request, std::string_view csrf);

}  // namespace nora
