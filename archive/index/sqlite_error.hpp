// What SQLite's codes mean for people.
#pragma once

#include "base/error.hpp"

#include <string>

struct sqlite3;

namespace nora {

/// Of a result code; `connection` may be null.
[[nodiscard]] Error sqliteError(sqlite3* connection, int code, const std::string& file);

}  // namespace nora
