// A mariadbd of the tests' own, on a fresh folder, listening on a socket alone; it ends with the object.
#pragma once

#include "archive/index/database.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <string>

#include <sys/types.h>

namespace nora::test {

/// Empty, or why there is none here.
[[nodiscard]] std::string whyNoMariaDb();

class MariaServer {
 public:
  /// Blocks until it answers, or some 20 s.
  MariaServer();
  ~MariaServer();
  MariaServer(const MariaServer&) = delete;
  MariaServer& operator=(const MariaServer&) = delete;

  /// As when the power fails.
  void kill();
  /// After kill(): on the same data. Blocks as the constructor does.
  void start();

  /// A new database, or the one of that name.
  [[nodiscard]] DatabaseAddress database(const std::string& name);
  [[nodiscard]] std::string socket() const { return (folder_.path() / "socket").string(); }

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
};

}  // namespace nora::test
