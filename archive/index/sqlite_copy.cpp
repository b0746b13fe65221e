#include "archive/index/sqlite_copy.hpp"

#include "archive/index/sqlite_error.hpp"

#include <chrono>
#include <memory>
#include <thread>

#include <sqlite3.h>

namespace nora {
namespace {

constexpr int busyMs = 20'000;

struct Closer {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

Result<Connection> open(const std::string& file, int flags) {
  sqlite3* made = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection out(made);
  if (code != SQLITE_OK) return tl::make_unexpected(sqliteError(out.get(), code, file));
  sqlite3_busy_timeout(out.get(), busyMs);
  return out;
}

Result<std::string> firstText(sqlite3* connection, const char* text, const std::string& file) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(connection, text, -1, &statement, nullptr);
  std::string out;
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) out = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));  // SQLite's type
  }
  Error error;
  if (code != SQLITE_ROW) error = sqliteError(connection, code, file);
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return tl::make_unexpected(std::move(error));
  return out;
}

/// All pages in one step: a step that ends early would begin anew with every change of the source.
int copyPages(sqlite3_backup* backup) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(busyMs);
  for (;;) {
    const int code = sqlite3_backup_step(backup, -1);
    const bool isBusy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (!isBusy || std::chrono::steady_clock::now() > until) return code;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

Result<void> copySqlite(const std::string& source, const std::string& target) {
  // Read and write: a reader of a file in WAL mode keeps notes beside it.
  auto from = open(source, SQLITE_OPEN_READWRITE);
  if (!from) return tl::make_unexpected(from.error());
  auto to = open(target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!to) return tl::make_unexpected(to.error());
  if (const auto known = firstText(from->get(), "PRAGMA schema_version", source); !known)
    return tl::make_unexpected(known.error());
  sqlite3_exec(to->get(), "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
  sqlite3_backup* backup = sqlite3_backup_init(to->get(), "main", from->get(), "main");
  if (backup == nullptr)
    return tl::make_unexpected(sqliteError(to->get(), sqlite3_extended_errcode(to->get()), target));
  const int code = copyPages(backup);
  const int ended = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE && ended == SQLITE_OK) return {};
  return tl::make_unexpected(sqliteError(to->get(), code == SQLITE_DONE ? ended : code, target));
}

Result<void> checkSqlite(const std::string& file) {
  auto connection = open(file, SQLITE_OPEN_READWRITE);
  if (!connection) return tl::make_unexpected(connection.error());
  const auto said = firstText(connection->get(), "PRAGMA integrity_check(1)", file);
  if (!said) return tl::make_unexpected(said.error());
  if (*said != "ok") return fail(ErrorCode::internal, "the index in this file is damaged: " + *said, file);
  return {};
}

Result<void> closeJournal(const std::string& file) {
  auto connection = open(file, SQLITE_OPEN_READWRITE);
  if (!connection) return tl::make_unexpected(connection.error());
  const auto said = firstText(connection->get(), "PRAGMA journal_mode=DELETE", file);
  if (!said) return tl::make_unexpected(said.error());
  if (*said != "delete") return fail(ErrorCode::unavailable, "this index is in use by another program", file);
  return {};
}

}  // namespace nora
