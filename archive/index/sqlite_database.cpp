// SQLite as a Database: a file in WAL mode, one writer at a time, readers beside it.
#include "archive/index/database.hpp"
#include "archive/index/sqlite_error.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace nora {
namespace {

constexpr int busyMs = 20'000;  // other processes may write for so long
constexpr std::size_t mostReaders = 8;
constexpr std::size_t mostStatements = 300;  // kept prepared by one connection

/// One connection with its prepared statements. Thread: one at a time.
class SqliteSql final : public Sql {
 public:
  using Sql::append;
  using Sql::change;
  using Sql::query;

  [[nodiscard]] static Result<std::unique_ptr<SqliteSql>> open(const std::string& file, bool forWriting) {
    auto out = std::unique_ptr<SqliteSql>(new SqliteSql(file));
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (forWriting ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(file.c_str(), &out->connection_, flags, nullptr);
    if (code != SQLITE_OK) return tl::make_unexpected(sqliteError(out->connection_, code, file));
    sqlite3_extended_result_codes(out->connection_, 1);
    sqlite3_busy_timeout(out->connection_, busyMs);
    // A commit is on the disk when it returns. Readers do not wait for the writer. The writer trusts the schema, or its
    // triggers could not write into file_gram (SQLite 3.40 takes FTS5 for unsafe there). Its pages (256 MB at most) hold
    // the indexes into which a scan of a million files writes all over, and go to the file 64 MB at a time.
    const char* settings = forWriting ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                                        "PRAGMA cache_size=-262144; PRAGMA wal_autocheckpoint=16384; "
                                        "PRAGMA temp_store=MEMORY;"
                                      : "PRAGMA query_only=ON; PRAGMA cache_size=-32768; PRAGMA mmap_size=268435456; "
                                        "PRAGMA temp_store=MEMORY;";
    if (auto done = out->runPlain(settings); !done) return tl::make_unexpected(done.error());
    return out;
  }

  ~SqliteSql() override {
    for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(connection_);
  }

  [[nodiscard]] Result<void> runPlain(const char* text) {
    const int code = sqlite3_exec(connection_, text, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return tl::make_unexpected(sqliteError(connection_, code, file_));
    return {};
  }

  /// The file was removed, or another one is in its place: what is written now would be lost with it.
  [[nodiscard]] bool hasMoved() const {
    int moved = 0;
    return sqlite3_file_control(connection_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
  }

  [[nodiscard]] Result<SqlRows> query(std::string_view text, std::span<const SqlValue> parameters) override {
    auto statement = prepared(text, parameters);
    if (!statement) return tl::make_unexpected(statement.error());
    SqlRows rows;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(*statement)) == SQLITE_ROW) rows.push_back(rowOf(*statement));
    return ended(*statement, code, std::move(rows));
  }

  [[nodiscard]] Result<Changed> change(std::string_view text, std::span<const SqlValue> parameters) override {
    auto statement = prepared(text, parameters);
    if (!statement) return tl::make_unexpected(statement.error());
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(*statement);
    const Changed changed{sqlite3_changes64(connection_), sqlite3_last_insert_rowid(connection_)};
    return ended(*statement, code, changed);
  }

  [[nodiscard]] Result<void> append(std::string_view text, std::span<const SqlValue> parameters) override {
    return change(text, parameters).map([](const Changed&) {});
  }

 private:
  explicit SqliteSql(std::string file) : file_(std::move(file)) {}

  template <class T>
  Result<T> ended(sqlite3_stmt* statement, int code, T result) {
    Error error;
    if (code != SQLITE_DONE) error = sqliteError(connection_, code, file_);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code != SQLITE_DONE) return tl::make_unexpected(std::move(error));
    return result;
  }

  Result<sqlite3_stmt*> prepared(std::string_view text, std::span<const SqlValue> parameters) {
    auto at = statements_.find(std::string(text));
    if (at == statements_.end()) {
      sqlite3_stmt* made = nullptr;
      const int code = sqlite3_prepare_v3(connection_, text.data(), static_cast<int>(text.size()),
                                          SQLITE_PREPARE_PERSISTENT, &made, nullptr);
      if (code != SQLITE_OK) return tl::make_unexpected(sqliteError(connection_, code, file_));
      if (statements_.size() >= mostStatements) {
        sqlite3_finalize(statements_.begin()->second);
        statements_.erase(statements_.begin());
      }
      at = statements_.emplace(std::string(text), made).first;
    }
    sqlite3_stmt* statement = at->second;
    if (sqlite3_bind_parameter_count(statement) != static_cast<int>(parameters.size())) {
      return fail(ErrorCode::internal, "a statement has another number of parameters", file_);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) bind(statement, static_cast<int>(i + 1), parameters[i]);
    return statement;
  }

  static void bind(sqlite3_stmt* statement, int at, const SqlValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement, at, *whole);
    } else if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC,
                          SQLITE_UTF8);  // reset before it goes
    } else {
      sqlite3_bind_null(statement, at);
    }
  }

  static SqlRow rowOf(sqlite3_stmt* statement) {
    std::vector<SqlValue> values;
    const int count = sqlite3_column_count(statement);
    values.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER: values.emplace_back(std::int64_t{sqlite3_column_int64(statement, i)}); break;
        case SQLITE_FLOAT: values.emplace_back(sqlite3_column_double(statement, i)); break;
        case SQLITE_NULL: values.emplace_back(); break;
        default: {
          const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
          values.emplace_back(
              std::string(bytes != nullptr ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
        }
      }
    }
    return SqlRow(std::move(values));
  }

  const std::string file_;
  sqlite3* connection_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::string file, std::unique_ptr<SqliteSql> writer)
      : file_(std::move(file)), writer_(std::move(writer)) {}

  [[nodiscard]] Result<void> readAlone(const Work& work) override {
    auto reader = takeReader();
    if (!reader) return tl::make_unexpected(reader.error());
    auto result = inTransaction(**reader, "BEGIN", work);
    giveBack(std::move(*reader));
    return result;
  }

  [[nodiscard]] Result<void> writeAlone(const Work& work) override {
    const std::lock_guard lock(writing_);
    return inTransaction(*writer_, "BEGIN IMMEDIATE", work);
  }

  [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::sqlite; }
  [[nodiscard]] std::string name() const override { return file_; }

 private:
  Result<void> inTransaction(SqliteSql& sql, const char* begin, const Work& work) const {
    if (sql.hasMoved()) {
      return fail(ErrorCode::unavailable,
                  "the file of the index was removed or replaced while it was open: put it back, or start nora again",
                  file_);
    }
    if (auto begun = sql.runPlain(begin); !begun) return begun;
    Result<void> result;
    try {
      result = work(sql);
    } catch (...) {
      static_cast<void>(sql.runPlain("ROLLBACK"));
      throw;
    }
    if (result) result = sql.runPlain("COMMIT");
    if (!result) static_cast<void>(sql.runPlain("ROLLBACK"));  // it has been taken back already after some errors
    return result;
  }

  Result<std::unique_ptr<SqliteSql>> takeReader() {
    std::unique_lock lock(mutex_);
    readerFree_.wait(lock, [&] { return !readers_.empty() || readersMade_ < mostReaders; });
    if (!readers_.empty()) {
      auto out = std::move(readers_.back());
      readers_.pop_back();
      return out;
    }
    ++readersMade_;
    lock.unlock();
    auto made = SqliteSql::open(file_, false);
    if (!made) {
      lock.lock();
      --readersMade_;
      readerFree_.notify_one();
    }
    return made;
  }

  void giveBack(std::unique_ptr<SqliteSql> reader) {
    const std::lock_guard lock(mutex_);
    readers_.push_back(std::move(reader));
    readerFree_.notify_one();
  }

  const std::string file_;
  std::mutex writing_;
  const std::unique_ptr<SqliteSql> writer_;
  std::mutex mutex_;
  std::condition_variable readerFree_;
  std::vector<std::unique_ptr<SqliteSql>> readers_;
  std::size_t readersMade_ = 0;
};

}  // namespace

Result<std::unique_ptr<Database>> openSqlite(const std::string& file) {
  auto writer = SqliteSql::open(file, true);
  if (!writer) return tl::make_unexpected(writer.error());
  return std::make_unique<SqliteDatabase>(file, std::move(*writer));
}

}  // namespace nora
