// Error and Result: how every room reports failure. No exception crosses a room.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace nora {

enum class ErrorCode {
  invalidInput,   // the file, message or argument is wrong
  notFound,       // no such file, view, layer, route
  unsupported,    // right, but nora cannot do it (names the feature)
  forbidden,      // outside the served folder, not allowed
  limitExceeded,  // too large, too many, out of the memory budget
  cancelled,      // a stop was requested
  unavailable,    // a peer or child process died or timed out; trying again may help
  internal,       // the operating system or a library failed in an unexpected way
};

/// What went wrong with which file or field, and what to do about it.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string what;   // one sentence for a person
  std::string where;  // file, field or route; may be empty
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string what, std::string where = {}) {
  return tl::make_unexpected(Error{code, std::move(what), std::move(where)});
}

/// "invalidInput", "notFound", ... : the spelling used in JSON answers.
[[nodiscard]] std::string_view toString(ErrorCode code);
[[nodiscard]] ErrorCode errorCodeFromString(std::string_view name);

/// The one mapping of each code to the outside.
[[nodiscard]] int httpStatus(ErrorCode code);
[[nodiscard]] int webSocketCloseCode(ErrorCode code);
[[nodiscard]] int exitStatus(ErrorCode code);

/// "WHERE: WHAT", or WHAT alone. Control characters in file names are escaped, so that it stays one line.
[[nodiscard]] std::string describe(const Error& error);

/// Escapes control characters and invalid UTF-8, for logs and terminals.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace nora
