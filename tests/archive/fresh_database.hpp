// The same tests run on SQLite (archive_tests) and on a real MariaDB (archive_mariadb_tests): each program defines
// this.
#pragma once

#include "archive/index/database.hpp"

#include <memory>
#include <string>

namespace nora::test {

/// Where a fresh, empty index is. The first call of MariaDB's takes seconds.
[[nodiscard]] DatabaseAddress freshAddress();

/// Why the database cannot be had here; empty: it can.
[[nodiscard]] std::string whyNoDatabase();

}  // namespace nora::test
