#include "tests/archive/mariadb/maria_server.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace nora::test {
namespace {

constexpr int tries = 200;
constexpr std::chrono::milliseconds pause{100};

}  // namespace

std::string whyNoMariaDb() {
  const bool isThere = std::system("command -v mariadbd > /dev/null && command -v mariadb-install-db > /dev/null") == 0;
  return isThere ? "" : "mariadbd is not installed (Debian: mariadb-server)";
}

MariaServer::MariaServer() {
  const std::string install =
      "mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal --skip-test-db "
      "--datadir=" +
      (folder_ / "data").string() + " > " + (folder_ / "install.log").string() + " 2>&1";
  if (std::system(install.c_str()) != 0) throw std::runtime_error("mariadb-install-db failed");
  start();
}

MariaServer::~MariaServer() {
  kill();
}

void MariaServer::start() {
  const std::string data = "--datadir=" + (folder_ / "data").string();
  const std::string path = "--socket=" + socket();
  const std::string log = "--log-error=" + (folder_ / "error.log").string();
  pid_ = fork();
  if (pid_ == 0) {
    execlp("mariadbd", "mariadbd", "--no-defaults", "--user=root", "--skip-networking", "--skip-log-bin",
           "--innodb-buffer-pool-size=256M", data.c_str(), path.c_str(), log.c_str(), nullptr);
    _exit(127);
  }
  static_cast<void>(database("nora"));
}

void MariaServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

DatabaseAddress MariaServer::database(const std::string& name) {
  DatabaseAddress out;
  out.dialect = SqlDialect::mysql;
  out.socket = socket();
  out.user = "root";
  out.database = "mysql";
  for (int i = 0; i < tries; ++i) {
    if (auto opened = openMysql(out)) {
      const auto made = (*opened)->write([&](Sql& sql) -> Result<void> {
        auto done = sql.change("CREATE DATABASE IF NOT EXISTS `" + name + "`");
        if (!done) return tl::make_unexpected(done.error());
        return {};
      });
      if (!made) throw std::runtime_error(describe(made.error()));
      out.database = name;
      return out;
    }
    std::this_thread::sleep_for(pause);
  }
  throw std::runtime_error("mariadbd does not answer");
}

}  // namespace nora::test
