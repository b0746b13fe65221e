#include "archive/index/database.hpp"

#include <charconv>

namespace nora {
namespace {

tl::unexpected<Error> wrong(std::string_view text) {
  return fail(
      ErrorCode::invalidInput,
      "not an address of a database: sqlite:PATH, mysql://USER@HOST[:PORT]/NAME or mysql://USER@/NAME?socket=PATH",
      std::string(text));
}

}  // namespace

Result<DatabaseAddress> parseDatabaseAddress(std::string_view text) {
  constexpr std::string_view sqlite = "sqlite:";
  constexpr std::string_view mysql = "mysql://";
  constexpr std::string_view socket = "?socket=";
  DatabaseAddress out;
  std::string_view rest = text;
  if (!rest.starts_with(mysql)) {
    if (rest.starts_with(sqlite)) rest.remove_prefix(sqlite.size());
    if (rest.empty() || rest.find("://") != std::string_view::npos) return wrong(text);
    out.file = rest;
    return out;
  }
  rest.remove_prefix(mysql.size());
  out.dialect = SqlDialect::mysql;
  const auto slash = rest.find('/');
  const auto at = rest.substr(0, slash).rfind('@');
  if (slash == std::string_view::npos || at == std::string_view::npos || at == 0) return wrong(text);
  out.user = rest.substr(0, at);
  if (out.user.find(':') != std::string::npos) {
    return fail(ErrorCode::invalidInput,
                "a password does not belong into the address: set it in the settings or the environment",
                std::string(rest.substr(at)));
  }
  std::string_view host = rest.substr(at + 1, slash - at - 1);
  std::string_view name = rest.substr(slash + 1);
  if (const auto found = name.find(socket); found != std::string_view::npos) {
    out.socket = name.substr(found + socket.size());
    name = name.substr(0, found);
  }
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
    const std::string_view port = host.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port < 1 || out.port > 65535)
      return wrong(text);
    host = host.substr(0, colon);
  }
  out.host = host;
  out.database = name;
  if (out.database.empty() || out.host.empty() == out.socket.empty()) return wrong(text);
  return out;
}

}  // namespace nora
