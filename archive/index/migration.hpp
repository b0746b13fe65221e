// Brings the tables of a database to what this program needs, by the numbered files in schema/.
#pragma once

#include "archive/index/database.hpp"

#include <string>
#include <vector>

namespace nora {

/// One numbered file.
struct SchemaFile {
  int version = 0;
  std::string name;  // "0001_archive.sql"
  std::string text;
};

/// Those that were built into the program, in order.
[[nodiscard]] const std::vector<SchemaFile>& schemaFiles();

/// The statements of a file for one of the databases: the words between @ signs replaced, what is for the other one
/// left out, comments gone.
[[nodiscard]] std::vector<std::string> statementsFor(const std::string& text, SqlDialect dialect);

/// Applies the files that were not applied yet, in order; safe when several programs start at once.
/// Errors: unsupported (the schema is newer than `files`, or a file that was applied has another content since);
///         internal (an earlier attempt was interrupted in MySQL, which cannot take table changes back).
[[nodiscard]] Result<void> migrate(Database& database, const std::vector<SchemaFile>& files);

}  // namespace nora
