#include "streaming/socket/http_reply.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <libwebsockets.h>

namespace nora {
namespace {

constexpr std::size_t headBytes = 2048;  // beside the values of headers that differ
constexpr std::size_t longestRefusal = 1024;

struct NamedHeader {
  std::string_view name, value;
};
constexpr std::array<NamedHeader, 3> alwaysSent{{
    {"cache-control", "no-cache"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "same-origin"},
}};
/// The page's. Frames of its own making show PDF files.
constexpr std::string_view pagePolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-src 'self' blob:";
constexpr std::string_view allMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// Writes an HTTP head piece by piece; remembers if it did not fit.
class Head {
 public:
  Head(lws* wsi, int status, std::size_t room) : wsi_(wsi), memory_(LWS_PRE + headBytes + room) {
    ok_ = lws_add_http_header_status(wsi_, static_cast<unsigned>(status), &at_, end()) == 0;
  }
  void add(std::string_view name, std::string_view value) {
    const std::string withColon = std::string(name) + ":";
    ok_ = ok_ && lws_add_http_header_by_name(wsi_, reinterpret_cast<const unsigned char*>(withColon.c_str()),
                                             reinterpret_cast<const unsigned char*>(value.data()),
                                             static_cast<int>(value.size()), &at_, end()) == 0;
  }
  [[nodiscard]] bool write() {
    return ok_ && lws_finalize_write_http_header(wsi_, memory_.data() + LWS_PRE, &at_, end()) == 0;
  }

 private:
  unsigned char* end() { return memory_.data() + memory_.size(); }

  lws* wsi_;
  std::vector<unsigned char> memory_;
  unsigned char* at_ = memory_.data() + LWS_PRE;
  bool ok_ = false;
};

bool has(const HttpResponse& response, std::string_view name) {
  return std::ranges::any_of(response.headers, [&](const auto& header) { return header.first == name; });
}

bool isPlain(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

std::size_t roomFor(const HttpResponse& response) {
  std::size_t room = response.contentType.size() + response.etag.size() + response.location.size() +
                     response.contentEncoding.size() + response.contentSecurityPolicy.size();
  for (const auto& [name, value] : response.headers) room += name.size() + value.size() + 4;
  return room;
}

}  // namespace

bool isWritable(const HttpResponse& response) {
  return isPlain(response.contentType) && isPlain(response.etag) && isPlain(response.location) &&
         isPlain(response.contentEncoding) && isPlain(response.contentSecurityPolicy) &&
         std::ranges::all_of(response.headers,
                             [](const auto& header) { return isPlain(header.first) && isPlain(header.second); });
}

bool mayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

bool writeHead(lws* wsi, const HttpResponse& response, const ReplyShape& shape) {
  Head head(wsi, response.status, roomFor(response));
  if (mayHaveBody(response.status)) {
    head.add("content-type", response.contentType);
    if (shape.length) head.add("content-length", std::to_string(*shape.length));
    if (shape.chunked) head.add("transfer-encoding", "chunked");
  }
  if (!response.etag.empty()) head.add("etag", response.etag);
  if (!response.location.empty()) head.add("location", response.location);
  if (!response.contentEncoding.empty()) {
    head.add("content-encoding", response.contentEncoding);
    if (!has(response, "vary")) head.add("vary", "accept-encoding");
  }
  if (response.status == 405 && !has(response, "allow")) head.add("allow", allMethods);
  for (const auto& [name, value] : alwaysSent) {
    if (!has(response, name)) head.add(name, value);
  }
  for (const auto& [name, value] : response.headers) head.add(name, value);
  head.add("content-security-policy",
           response.contentSecurityPolicy.empty() ? pagePolicy : response.contentSecurityPolicy);
  if (shape.close) head.add("connection", "close");
  return head.write();
}

int writeRefusal(lws* wsi, int status, std::string_view text) {
  const auto code = status == 403 ? ErrorCode::forbidden : ErrorCode::invalidInput;
  const HttpResponse response = problemWith({code, std::string(text), {}}, status);
  if (!writeHead(wsi, response, {response.body.size(), false, true})) return -1;
  std::array<unsigned char, LWS_PRE + longestRefusal> memory{};
  const std::size_t length = std::min(response.body.size(), longestRefusal);
  std::memcpy(memory.data() + LWS_PRE, response.body.data(), length);
  (void)lws_write(wsi, memory.data() + LWS_PRE, length, LWS_WRITE_HTTP_FINAL);
  return -1;
}

}  // namespace nora
