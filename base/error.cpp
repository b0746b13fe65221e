#include "base/error.hpp"

#include "base/utf8.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace nora {
namespace {

struct Mapping {
  ErrorCode code;
  std::string_view name;
  int http;
  int webSocket;
  int exit;
};

// Exit statuses follow sysexits.h where it has a fitting one.
constexpr std::array<Mapping, 8> mappings{{
    {ErrorCode::invalidInput, "invalidInput", 400, 1007, 65},
    {ErrorCode::notFound, "notFound", 404, 4404, 66},
    {ErrorCode::unsupported, "unsupported", 415, 1003, 69},
    {ErrorCode::forbidden, "forbidden", 403, 1008, 77},
    {ErrorCode::limitExceeded, "limitExceeded", 413, 1009, 73},
    {ErrorCode::cancelled, "cancelled", 499, 4499, 130},
    {ErrorCode::unavailable, "unavailable", 503, 1013, 75},
    {ErrorCode::internal, "internal", 500, 1011, 70},
}};

const Mapping& mappingOf(ErrorCode code) {
  for (const auto& mapping : mappings) {
    if (mapping.code == code) return mapping;
  }
  return mappings.back();
}

}  // namespace

std::string_view toString(ErrorCode code) {
  return mappingOf(code).name;
}

ErrorCode errorCodeFromString(std::string_view name) {
  for (const auto& mapping : mappings) {
    if (mapping.name == name) return mapping.code;
  }
  return ErrorCode::internal;
}

int httpStatus(ErrorCode code) {
  return mappingOf(code).http;
}
int webSocketCloseCode(ErrorCode code) {
  return mappingOf(code).webSocket;
}
int exitStatus(ErrorCode code) {
  return mappingOf(code).exit;
}

std::string describe(const Error& error) {
  return error.where.empty() ? error.what : printable(error.where) + ": " + error.what;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8Length(text, i);
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (length == 0 || (length == 1 && (byte < 0x20 || byte == 0x7F))) {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace nora
