// The whole index of SQLite as one file, also while it is used.
#pragma once

#include "base/error.hpp"

#include <string>

namespace nora {

/// Copies an SQLite database as one transaction left it into `target`, which need not be there; what `target` held is
/// replaced in one transaction of its own. Nobody who reads or writes `source` waits; writers of `target` do.
/// Errors: notFound, forbidden, limitExceeded (disk full: `target` is as it was), unavailable (`target` is busy for
/// long), internal (`source` is damaged or no database).
[[nodiscard]] Result<void> copySqlite(const std::string& source, const std::string& target);

/// Looks at all of a file. Errors: internal, with the first fault that was found.
[[nodiscard]] Result<void> checkSqlite(const std::string& file);

/// Makes one file of a database that nobody uses: no journal beside it.
[[nodiscard]] Result<void> closeJournal(const std::string& file);

}  // namespace nora
