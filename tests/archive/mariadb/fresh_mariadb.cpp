#include "tests/archive/fresh_database.hpp"
#include "tests/archive/mariadb/maria_server.hpp"

namespace nora::test {

DatabaseAddress freshAddress() {
  static MariaServer server;
  static int count = 0;
  return server.database("nora" + std::to_string(++count));
}

std::string whyNoDatabase() {
  static const std::string why = whyNoMariaDb();
  return why;
}

}  // namespace nora::test
