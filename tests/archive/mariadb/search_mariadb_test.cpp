// The search on a real MariaDB, which the test starts in a folder of its own. The same comparison as on SQLite.
#include "tests/archive/search_world.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <mysql_driver.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace nora::test {
namespace {

/// mariadbd on a fresh folder, listening on a socket alone; ends with the object.
class MariaServer {
 public:
  MariaServer() {
    const std::string install =
        "mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal "
        "--skip-test-db --datadir=" +
        data() + " > " + folder_.path().string() + "/install.log 2>&1";
    if (std::system(install.c_str()) != 0) return;
    pid_ = fork();
    if (pid_ != 0) return;
    const std::string dataArgument = "--datadir=" + data();
    const std::string socketArgument = "--socket=" + socket();
    const std::string logArgument = "--log-error=" + folder_.path().string() + "/error.log";
    execlp("mariadbd", "mariadbd", "--no-defaults", "--user=root", "--skip-networking", "--skip-log-bin",
           dataArgument.c_str(), socketArgument.c_str(), logArgument.c_str(), nullptr);
    _exit(127);
  }
  ~MariaServer() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  MariaServer(const MariaServer&) = delete;
  MariaServer& operator=(const MariaServer&) = delete;

  std::unique_ptr<sql::Connection> connect() const {
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString("unix://" + socket());
    options["userName"] = sql::SQLString("root");
    options["password"] = sql::SQLString("");
    options["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
    constexpr int tries = 100;
    for (int i = 0; i < tries && pid_ > 0; ++i) {
      try {
        return std::unique_ptr<sql::Connection>(get_driver_instance()->connect(options));
      } catch (const sql::SQLException&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    return nullptr;
  }

 private:
  std::string data() const { return (folder_.path() / "data").string(); }
  std::string socket() const { return (folder_.path() / "socket").string(); }

  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

class MariaDatabase final : public TestDatabase {
 public:
  explicit MariaDatabase(std::unique_ptr<sql::Connection> connection) : connection_(std::move(connection)) {}

  SqlDialect dialect() const override { return SqlDialect::mysql; }

  void execute(const SqlText& statement) override {
    try {
      prepared(statement)->execute();
    } catch (const sql::SQLException& error) {
      ADD_FAILURE() << error.what() << "\n" << statement.text;
    }
  }

  std::vector<std::int64_t> numbers(const SqlText& statement) override {
    std::vector<std::int64_t> found;
    try {
      auto asked = prepared(statement);
      const std::unique_ptr<sql::ResultSet> rows(asked->executeQuery());
      while (rows->next()) found.push_back(rows->getInt64(1));
    } catch (const sql::SQLException& error) {
      ADD_FAILURE() << error.what() << "\n" << statement.text;
    }
    return found;
  }

 private:
  std::unique_ptr<sql::PreparedStatement> prepared(const SqlText& statement) {
    std::unique_ptr<sql::PreparedStatement> asked(connection_->prepareStatement(statement.text));
    unsigned index = 0;
    for (const SqlParameter& parameter : statement.parameters) {
      ++index;
      if (const auto* whole = std::get_if<std::int64_t>(&parameter)) asked->setInt64(index, *whole);
      if (const auto* number = std::get_if<double>(&parameter)) asked->setDouble(index, *number);
      if (const auto* text = std::get_if<std::string>(&parameter)) asked->setString(index, *text);
    }
    return asked;
  }

  std::unique_ptr<sql::Connection> connection_;
};

TEST(SearchMariaDb, FindsWhatPlainCodeFinds) {
  if (std::system("command -v mariadbd > /dev/null && command -v mariadb-install-db > /dev/null") != 0) {
    GTEST_SKIP() << "mariadbd is not installed (Debian: mariadb-server)";
  }
  const MariaServer server;
  auto connection = server.connect();
  ASSERT_NE(connection, nullptr) << "mariadbd did not come up";
  MariaDatabase database(std::move(connection));
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 2;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    database.execute(
        {"CREATE DATABASE nora" + std::to_string(seed) + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", {}});
    database.execute({"USE nora" + std::to_string(seed), {}});
    createTables(database);
    insertWorld(database, world);
    compareSearches(database, world, random, 120);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace nora::test
