// Database: transactions of SQL on SQLite or MySQL. What is stored is said by schema/*.sql, and by archive.hpp.
#pragma once

#include "archive/index/sql_value.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nora {

/// One transaction. Thread: that of the function that was given to read() or write().
class Sql {
 public:
  struct Changed {
    std::int64_t rows = 0;
    std::int64_t newId = 0;  // of the row that an INSERT into a table with an @ID@ made
  };

  Sql() = default;
  Sql(const Sql&) = delete;
  Sql& operator=(const Sql&) = delete;
  virtual ~Sql() = default;

  /// `text` has a question mark for each parameter. Its texts are kept prepared: few different ones, please.
  [[nodiscard]] virtual Result<SqlRows> query(std::string_view text, std::span<const SqlValue> parameters) = 0;
  [[nodiscard]] virtual Result<Changed> change(std::string_view text, std::span<const SqlValue> parameters) = 0;
  /// An INSERT whose new ids are of no interest: MySQL is asked once instead of twice.
  [[nodiscard]] virtual Result<void> append(std::string_view text, std::span<const SqlValue> parameters) = 0;

  [[nodiscard]] Result<SqlRows> query(std::string_view text, std::initializer_list<SqlValue> parameters = {}) {
    return query(text, std::span(parameters.begin(), parameters.size()));
  }
  [[nodiscard]] Result<Changed> change(std::string_view text, std::initializer_list<SqlValue> parameters = {}) {
    return change(text, std::span(parameters.begin(), parameters.size()));
  }
  [[nodiscard]] Result<void> append(std::string_view text, std::initializer_list<SqlValue> parameters) {
    return append(text, std::span(parameters.begin(), parameters.size()));
  }
};

/// Thread: any number at once.
class Database {
 public:
  using Work = std::function<Result<void>(Sql&)>;

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// All queries see the same state. Nothing may be changed.
  [[nodiscard]] Result<void> read(const Work& work);
  /// All or nothing, and on the disk when it returns without an error. An error of `work` takes everything back.
  /// `work` is called again where transactions met (deadlocks) or the connection was lost before the end: it must set
  /// its results anew each time.
  /// Errors: unavailable (not reachable, busy for long; "it is not known whether this was stored" where the connection
  ///         was lost at the very end), limitExceeded (disk full), forbidden (read-only, no right), internal (damaged).
  [[nodiscard]] Result<void> write(const Work& work);

  /// All that `work` reads and writes on this thread is one transaction: all or nothing, also where one of its writes
  /// failed and it went on. Like that of write() it may be called again. Within another: a part of that.
  [[nodiscard]] Result<void> together(const std::function<Result<void>()>& work);
  /// From within write(): to be done when its transaction, or that of together() around it, is on the disk. Destroyed
  /// without being called if it never is.
  void whenStored(std::function<void()> then);

  [[nodiscard]] virtual SqlDialect dialect() const = 0;
  /// For people: the file, or the host and the name. No password.
  [[nodiscard]] virtual std::string name() const = 0;

 protected:
  /// read() and write() outside of together().
  [[nodiscard]] virtual Result<void> readAlone(const Work& work) = 0;
  [[nodiscard]] virtual Result<void> writeAlone(const Work& work) = 0;

 private:
  struct Joined;
  [[nodiscard]] Joined* joined() const;
  [[nodiscard]] Result<void> storeAlone(Joined& joined, const std::function<Result<void>(Sql&)>& work);
};

/// Where the index is kept.
struct DatabaseAddress {
  SqlDialect dialect = SqlDialect::sqlite;
  std::string file;                                    // SQLite
  std::string host, socket, user, password, database;  // MySQL; by `socket` if it is not empty
  int port = 3306;
};

/// "sqlite:PATH", a plain path, or "mysql://USER@HOST[:PORT]/NAME", "mysql://USER@/NAME?socket=PATH".
/// A password stands in the environment or the settings, not in the address.
[[nodiscard]] Result<DatabaseAddress> parseDatabaseAddress(std::string_view text);

/// Opens the database, makes it if it is an SQLite file that is not there, and brings its schema up to date.
/// Errors: those of write(); unsupported if its schema is newer than this program.
[[nodiscard]] Result<std::unique_ptr<Database>> openDatabase(const DatabaseAddress& address);

/// The adapters, with no schema.
[[nodiscard]] Result<std::unique_ptr<Database>> openSqlite(const std::string& file);
[[nodiscard]] Result<std::unique_ptr<Database>> openMysql(const DatabaseAddress& address);

}  // namespace nora
