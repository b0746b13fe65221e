#include "base/error.hpp"

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

/// Length of the valid UTF-8 sequence at text[at], or 0.
std::size_t utf8Length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  if (length == 3 && lead == 0xE0 && byte(at + 1) < 0xA0) return 0;
  if (length == 3 && lead == 0xED && byte(at + 1) > 0x9F) return 0;
  if (length == 4 && lead == 0xF0 && byte(at + 1) < 0x90) return 0;
  if (length == 4 && lead == 0xF4 && byte(at + 1) > 0x8F) return 0;
  return length;
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
