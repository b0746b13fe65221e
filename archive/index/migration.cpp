#include "archive/index/migration.hpp"

#include "base/log.hpp"

#include <array>
#include <chrono>
#include <sstream>
#include <utility>

namespace nora {
namespace {

struct Token {
  std::string_view name, sqlite, mysql;
};

/// Texts compare by code points, and blanks at their end count, in both.
constexpr std::array<Token, 8> tokens{{
    {"@ID@", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT PRIMARY KEY AUTO_INCREMENT"},
    {"@TEXT@", "TEXT", "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"},
    {"@KEY@", "TEXT", "VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"},
    {"@REAL@", "REAL", "DOUBLE"},
    {"@WITHOUT_ROWID@", "WITHOUT ROWID", ""},
    {"@TABLE@", "", "ENGINE=InnoDB"},
    {"@ON_FILE@", "", " ON file"},
    {"@INSERT_ONCE@", "INSERT OR IGNORE", "INSERT IGNORE"},
}};

std::string replaced(std::string text, SqlDialect dialect) {
  for (const Token& token : tokens) {
    const std::string_view with = dialect == SqlDialect::sqlite ? token.sqlite : token.mysql;
    for (auto at = text.find(token.name); at != std::string::npos; at = text.find(token.name, at + with.size())) {
      text.replace(at, token.name.size(), with);
    }
  }
  return text;
}

/// FNV-1a: tells whether a file was changed after it was applied.
std::string checksum(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> out{};
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(hash));
  return out.data();
}

std::int64_t nowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr std::string_view versions =
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name @KEY@ NOT NULL, "
    "applied_us BIGINT NOT NULL, checksum @KEY@ NOT NULL)";

Result<void> newerThanThis(const Database& database, std::int64_t version, int known) {
  return fail(ErrorCode::unsupported,
              "the index has schema " + std::to_string(version) + ", this program knows " + std::to_string(known) +
                  ": run a newer nora, or the one that made it",
              database.name());
}

/// The files that are still to be applied.
Result<std::vector<const SchemaFile*>> missing(Sql& sql, const Database& database,
                                               const std::vector<SchemaFile>& files) {
  const auto rows = sql.query("SELECT version, name, applied_us, checksum FROM schema_version ORDER BY version");
  if (!rows) return tl::make_unexpected(rows.error());
  const int newest = files.empty() ? 0 : files.back().version;
  std::vector<const SchemaFile*> out;
  for (const SchemaFile& file : files) out.push_back(&file);
  for (const SqlRow& row : *rows) {
    const std::int64_t version = row.integer(0);
    if (version > newest) return tl::make_unexpected(newerThanThis(database, version, newest).error());
    if (row.integer(2) == 0) {
      return fail(ErrorCode::internal,
                  "the step to schema " + std::to_string(version) + " was interrupted: restore a backup",
                  database.name());
    }
    std::erase_if(out, [&](const SchemaFile* file) { return file->version == version; });
    for (const SchemaFile& file : files) {
      if (file.version == version && checksum(file.text) != row.text(3)) {
        return fail(ErrorCode::unsupported, "the index was made with another " + file.name + " than this program has",
                    database.name());
      }
    }
  }
  return out;
}

Result<void> apply(Sql& sql, const SchemaFile& file, SqlDialect dialect) {
  // MySQL ends the transaction with each change of a table: the mark tells that the file was begun.
  auto begun = sql.change("INSERT INTO schema_version (version, name, applied_us, checksum) VALUES (?, ?, 0, ?)",
                          {std::int64_t{file.version}, file.name, checksum(file.text)});
  if (!begun) return tl::make_unexpected(begun.error());
  for (const std::string& statement : statementsFor(file.text, dialect)) {
    if (auto done = sql.change(statement); !done) {
      Error error = done.error();
      error.what = file.name + ": " + error.what;
      return tl::make_unexpected(error);
    }
  }
  auto ended =
      sql.change("UPDATE schema_version SET applied_us = ? WHERE version = ?", {nowUs(), std::int64_t{file.version}});
  if (!ended) return tl::make_unexpected(ended.error());
  return {};
}

}  // namespace

std::vector<std::string> statementsFor(const std::string& text, SqlDialect dialect) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  std::string statement;
  bool isForOther = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("-- @SQLITE")) isForOther = dialect != SqlDialect::sqlite;
    if (line.starts_with("-- @MYSQL")) isForOther = dialect != SqlDialect::mysql;
    if (line.starts_with("-- @END")) isForOther = false;
    if (isForOther || line.starts_with("--") || line.find_first_not_of(' ') == std::string::npos) continue;
    statement += (statement.empty() ? "" : "\n") + line;
    if (!line.ends_with(';')) continue;
    statement.pop_back();
    out.push_back(replaced(std::exchange(statement, {}), dialect));
  }
  if (!statement.empty()) out.push_back(replaced(std::move(statement), dialect));
  return out;
}

Result<void> migrate(Database& database, const std::vector<SchemaFile>& files) {
  const SqlDialect dialect = database.dialect();
  return database.write([&](Sql& sql) -> Result<void> {
    const bool isMysql = dialect == SqlDialect::mysql;
    if (isMysql) {
      const auto mine = sql.query("SELECT GET_LOCK('nora_schema', 120)");
      if (!mine) return tl::make_unexpected(mine.error());
      if (mine->front().integer(0) != 1)
        return fail(ErrorCode::unavailable, "another server changes the schema; try again", database.name());
    }
    const auto steps = [&]() -> Result<void> {
      if (auto made = sql.change(replaced(std::string(versions), dialect)); !made)
        return tl::make_unexpected(made.error());
      const auto todo = missing(sql, database, files);
      if (!todo) return tl::make_unexpected(todo.error());
      for (const SchemaFile* file : *todo) {
        if (auto done = apply(sql, *file, dialect); !done) return done;
        log::info("index: schema " + std::to_string(file->version));
      }
      return {};
    };
    auto result = steps();
    if (isMysql) static_cast<void>(sql.query("SELECT RELEASE_LOCK('nora_schema')"));
    return result;
  });
}

Result<std::unique_ptr<Database>> openDatabase(const DatabaseAddress& address) {
  auto database = address.dialect == SqlDialect::sqlite ? openSqlite(address.file) : openMysql(address);
  if (!database) return database;
  if (auto done = migrate(**database, schemaFiles()); !done) return tl::make_unexpected(done.error());
  return database;
}

}  // namespace nora
