// The search on a real MariaDB, which the test starts in a folder of its own. The same comparison as on SQLite.
#include "tests/archive/search_world.hpp"
#include "tests/archive/temporary_folder.hpp"

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

  /// A fresh database with the schema of the index.
  Result<std::unique_ptr<Database>> database(const std::string& name) const {
    DatabaseAddress address;
    address.dialect = SqlDialect::mysql;
    address.socket = socket();
    address.user = "root";
    address.database = "mysql";
    constexpr int tries = 100;
    Result<std::unique_ptr<Database>> system = openMysql(address);
    for (int i = 0; i < tries && !system; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      system = openMysql(address);
    }
    if (!system) return system;
    TestDatabase(std::move(system)).execute("CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    address.database = name;
    return openDatabase(address);
  }

 private:
  std::string data() const { return (folder_.path() / "data").string(); }
  std::string socket() const { return (folder_.path() / "socket").string(); }

  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

TEST(SearchMariaDb, FindsWhatPlainCodeFinds) {
  if (std::system("command -v mariadbd > /dev/null && command -v mariadb-install-db > /dev/null") != 0) {
    GTEST_SKIP() << "mariadbd is not installed (Debian: mariadb-server)";
  }
  const MariaServer server;
  const char* more = std::getenv("NORA_SEARCH_SEEDS");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 2;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const World world = randomWorld(random);
    TestDatabase database(server.database("nora" + std::to_string(seed)));
    insertWorld(database, world);
    compareSearches(database, world, random, 120);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace nora::test
