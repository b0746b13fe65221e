// MySQL or MariaDB as a Database, by Connector/C++: a pool of connections; transactions are tried again where they met.
#include "archive/index/database.hpp"
#include "base/log.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <cppconn/connection.h>
#include <cppconn/datatype.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>
#include <mysql_driver.h>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t mostConnections = 16;
constexpr std::size_t mostStatements = 300;    // kept prepared by one connection
constexpr int timesTried = 12;                 // a transaction that meets others
constexpr std::chrono::seconds unusedFor{60};  // then a connection is asked whether it still lives
constexpr int connectSeconds = 5;

// Error numbers of the server and of the client library.
constexpr int deadlock = 1213, lockWait = 1205, diskFull = 1021, tableFull = 1114, readOnly = 1290,
              readOnlySession = 1792;
constexpr int accessDenied = 1045, databaseDenied = 1044, unknownDatabase = 1049, tableDenied = 1142;
constexpr int tooManyConnections = 1040, shuttingDown = 1053, killed = 1317, connectionKilled = 1927;
constexpr int goneAway = 2006, lostInQuery = 2013, cannotConnect = 2003, cannotConnectLocally = 2002,
              packetTooLarge = 1153;

bool isLost(int code) {
  return code == goneAway || code == lostInQuery || code == cannotConnect || code == cannotConnectLocally ||
         code == shuttingDown || code == connectionKilled || code == 2055;
}

bool met(int code) {
  return code == deadlock || code == lockWait;
}

Error errorOf(const sql::SQLException& e, const std::string& name) {
  const int code = e.getErrorCode();
  const std::string detail = e.what();
  if (isLost(code)) return {ErrorCode::unavailable, "the database cannot be reached (" + detail + ")", name};
  switch (code) {
    case deadlock:
    case lockWait: return {ErrorCode::unavailable, "the database is busy with other changes; try again", name};
    case tooManyConnections: return {ErrorCode::unavailable, "the database takes no more connections", name};
    case killed: return {ErrorCode::unavailable, "the database ended the statement", name};
    case diskFull:
    case tableFull:
      return {ErrorCode::limitExceeded, "the disk of the database is full: make room; nothing was stored", name};
    case packetTooLarge:
      return {ErrorCode::limitExceeded, "a text is longer than the database's max_allowed_packet", name};
    case readOnly:
    case readOnlySession: return {ErrorCode::forbidden, "the database is read-only", name};
    case accessDenied: return {ErrorCode::forbidden, "the database does not know this user and password", name};
    case databaseDenied:
    case tableDenied: return {ErrorCode::forbidden, "the database user lacks a right (" + detail + ")", name};
    case unknownDatabase: return {ErrorCode::notFound, "there is no such database: make it with CREATE DATABASE", name};
    default: break;
  }
  if (e.getSQLState().substr(0, 2) == "23")
    return {ErrorCode::invalidInput, "the index does not take that: " + detail, name};
  return {ErrorCode::internal, "the database failed: " + detail, name};
}

/// One connection with its prepared statements. Thread: one at a time.
class MysqlSql final : public Sql {
 public:
  using Sql::append;
  using Sql::change;
  using Sql::query;

  /// Throws sql::SQLException.
  MysqlSql(const DatabaseAddress& address, std::string name) : name_(std::move(name)) {
    sql::ConnectOptionsMap options;
    const std::string host = address.socket.empty() ? "tcp://" + address.host + ":" + std::to_string(address.port)
                                                    : "unix://" + address.socket;
    options["hostName"] = sql::SQLString(host);
    options["userName"] = sql::SQLString(address.user);
    options["password"] = sql::SQLString(address.password);
    options["schema"] = sql::SQLString(address.database);
    options["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
    options["OPT_CONNECT_TIMEOUT"] = connectSeconds;
    options["CLIENT_FOUND_ROWS"] = true;  // rows that an UPDATE met, as SQLite counts, also where it changed nothing
    connection_.reset(sql::mysql::get_mysql_driver_instance()->connect(options));
    // Strict: what does not fit is an error, not cut. Rows that were read stay as they are until the end of a reading.
    runPlain(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', "
        "innodb_lock_wait_timeout = 20, time_zone = '+00:00'");
  }

  void runPlain(const std::string& text) {
    const std::unique_ptr<sql::Statement> statement(connection_->createStatement());
    statement->execute(sql::SQLString(text));
  }
  Result<void> tryPlain(const std::string& text) {
    return attempt<std::monostate>([&] {
             runPlain(text);
             return std::monostate{};
           })
        .map([](std::monostate) {});
  }

  [[nodiscard]] Result<SqlRows> query(std::string_view text, std::span<const SqlValue> parameters) override {
    return attempt<SqlRows>([&]() -> SqlRows {
      const std::unique_ptr<sql::ResultSet> answer(prepared(text, parameters).executeQuery());
      const auto kinds = kindsOf(*answer);
      SqlRows rows;
      while (answer->next()) rows.push_back(rowOf(*answer, kinds));
      return rows;
    });
  }

  [[nodiscard]] Result<Changed> change(std::string_view text, std::span<const SqlValue> parameters) override {
    return attempt<Changed>([&] {
      Changed out;
      if (parameters.empty() && text.starts_with("CREATE TRIGGER")) {  // cannot be prepared
        runPlain(std::string(text));
        return out;
      }
      out.rows = prepared(text, parameters).executeUpdate();
      if (text.starts_with("INSERT")) {
        auto id = query("SELECT LAST_INSERT_ID()", {});
        if (id && !id->empty()) out.newId = id->front().integer(0);
      }
      return out;
    });
  }

  [[nodiscard]] Result<void> append(std::string_view text, std::span<const SqlValue> parameters) override {
    return attempt<int>([&] { return prepared(text, parameters).executeUpdate(); }).map([](int) {});
  }

  /// Of the last statement that failed; 0 if none did.
  [[nodiscard]] int failure() const { return failure_; }
  void forgetFailure() { failure_ = 0; }
  Clock::time_point usedAt = Clock::now();

 private:
  enum class Kind : std::uint8_t { whole, real, text };

  template <class T>
  Result<T> attempt(const std::function<T()>& work) {
    try {
      return work();
    } catch (const sql::SQLException& e) {
      failure_ = e.getErrorCode() != 0 ? e.getErrorCode() : -1;
      return tl::make_unexpected(errorOf(e, name_));
    }
  }

  sql::PreparedStatement& prepared(std::string_view text, std::span<const SqlValue> parameters) {
    auto at = statements_.find(std::string(text));
    if (at == statements_.end()) {
      std::unique_ptr<sql::PreparedStatement> made(
          connection_->prepareStatement(sql::SQLString(text.data(), text.size())));
      if (statements_.size() >= mostStatements) statements_.erase(statements_.begin());
      at = statements_.emplace(std::string(text), std::move(made)).first;
    }
    unsigned number = 0;
    for (const SqlValue& value : parameters) bind(*at->second, ++number, value);
    return *at->second;
  }

  static void bind(sql::PreparedStatement& statement, unsigned at, const SqlValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      statement.setInt64(at, *whole);
    } else if (const auto* real = std::get_if<double>(&value)) {
      statement.setDouble(at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      statement.setString(at, sql::SQLString(text->data(), text->size()));
    } else {
      statement.setNull(at, sql::DataType::VARCHAR);
    }
  }

  static std::vector<Kind> kindsOf(sql::ResultSet& answer) {
    sql::ResultSetMetaData* about = answer.getMetaData();
    std::vector<Kind> out;
    for (unsigned i = 1; i <= about->getColumnCount(); ++i) {
      switch (about->getColumnType(i)) {
        case sql::DataType::BIT:
        case sql::DataType::TINYINT:
        case sql::DataType::SMALLINT:
        case sql::DataType::MEDIUMINT:
        case sql::DataType::INTEGER:
        case sql::DataType::BIGINT: out.push_back(Kind::whole); break;
        case sql::DataType::DECIMAL:
        case sql::DataType::NUMERIC: out.push_back(about->getScale(i) == 0 ? Kind::whole : Kind::real); break;
        case sql::DataType::REAL:
        case sql::DataType::DOUBLE: out.push_back(Kind::real); break;
        default: out.push_back(Kind::text);
      }
    }
    return out;
  }

  static SqlRow rowOf(sql::ResultSet& answer, const std::vector<Kind>& kinds) {
    std::vector<SqlValue> values;
    values.reserve(kinds.size());
    for (unsigned i = 0; i < kinds.size(); ++i) {
      if (answer.isNull(i + 1)) {
        values.emplace_back();
      } else if (kinds[i] == Kind::whole) {
        values.emplace_back(std::int64_t{answer.getInt64(i + 1)});
      } else if (kinds[i] == Kind::real) {
        values.emplace_back(static_cast<double>(answer.getDouble(i + 1)));
      } else {
        const sql::SQLString text = answer.getString(i + 1);
        values.emplace_back(std::string(text.c_str(), text.length()));
      }
    }
    return SqlRow(std::move(values));
  }

  const std::string name_;
  std::unique_ptr<sql::Connection> connection_;
  std::unordered_map<std::string, std::unique_ptr<sql::PreparedStatement>> statements_;
  int failure_ = 0;
};

class MysqlDatabase final : public Database {
 public:
  explicit MysqlDatabase(DatabaseAddress address)
      : address_(std::move(address)),
        name_((address_.socket.empty() ? address_.host + ":" + std::to_string(address_.port) : address_.socket) + "/" +
              address_.database) {}

  [[nodiscard]] Result<void> readAlone(const Work& work) override {
    return run(
        {"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"},
        work);
  }
  /// What others stored while this one waited for them is seen.
  [[nodiscard]] Result<void> writeAlone(const Work& work) override {
    return run({"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"}, work);
  }

  [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::mysql; }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  using Connection = std::unique_ptr<MysqlSql>;

  Result<void> run(std::initializer_list<const char*> begin, const Work& work) {
    Result<void> result;
    for (int attempt = 0; attempt < timesTried; ++attempt) {
      auto connection = take();
      if (!connection) return tl::make_unexpected(connection.error());
      bool again = false;
      result = inTransaction(**connection, begin, work, again);
      if ((*connection)->failure() == 0 || met((*connection)->failure())) {
        giveBack(std::move(*connection));
      } else {
        discard(std::move(*connection));  // one that is broken, or in a state that is not known
      }
      if (!again) return result;
      std::this_thread::sleep_for(std::chrono::milliseconds(5 << std::min(attempt, 6)));  // lets the other one end
    }
    return result;
  }

  static Result<void> begin(MysqlSql& sql, std::initializer_list<const char*> statements) {
    for (const char* statement : statements) {
      if (auto done = sql.tryPlain(statement); !done) return done;
    }
    return {};
  }

  /// `again`: nothing was stored, and another attempt may succeed.
  Result<void> inTransaction(MysqlSql& sql, std::initializer_list<const char*> statements, const Work& work,
                             bool& again) {
    sql.forgetFailure();
    if (auto begun = begin(sql, statements); !begun) {
      again = isLost(sql.failure());
      return begun;
    }
    Result<void> result;
    try {
      result = work(sql);
    } catch (...) {
      static_cast<void>(sql.tryPlain("ROLLBACK"));
      throw;
    }
    const int failure = sql.failure();
    if (!result) {
      again = met(failure) || isLost(failure);
      if (!isLost(failure)) static_cast<void>(sql.tryPlain("ROLLBACK"));
      return result;
    }
    auto stored = sql.tryPlain("COMMIT");
    if (!stored && isLost(sql.failure())) {
      return fail(ErrorCode::unavailable,
                  "the connection to the database was lost at the end: it is not known whether this was stored", name_);
    }
    return stored;
  }

  Result<Connection> take() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [&] { return !idle_.empty() || made_ < mostConnections; });
    while (!idle_.empty()) {
      Connection out = std::move(idle_.back());
      idle_.pop_back();
      if (Clock::now() - out->usedAt < unusedFor) return out;
      lock.unlock();
      const bool lives = out->query("SELECT 1", {}).has_value();
      lock.lock();
      if (lives) return out;
      --made_;
    }
    ++made_;
    lock.unlock();
    try {
      return std::make_unique<MysqlSql>(address_, name_);
    } catch (const sql::SQLException& e) {
      lock.lock();
      --made_;
      free_.notify_one();
      return tl::make_unexpected(errorOf(e, name_));
    }
  }

  void giveBack(Connection connection) {
    connection->usedAt = Clock::now();
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
    free_.notify_one();
  }

  void discard(Connection connection) {
    const bool isBroken = isLost(connection->failure());
    connection.reset();
    std::vector<Connection> others;  // they broke with it; closed without the lock
    const std::lock_guard lock(mutex_);
    if (isBroken) others = std::exchange(idle_, {});
    made_ -= 1 + others.size();
    free_.notify_all();
  }

  const DatabaseAddress address_;
  const std::string name_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<Connection> idle_;
  std::size_t made_ = 0;
};

}  // namespace

Result<std::unique_ptr<Database>> openMysql(const DatabaseAddress& address) {
  auto database = std::make_unique<MysqlDatabase>(address);
  if (auto answer = database->read([](Sql&) -> Result<void> { return {}; }); !answer)
    return tl::make_unexpected(answer.error());
  return database;
}

}  // namespace nora
