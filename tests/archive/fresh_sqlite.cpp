#include "tests/archive/fresh_database.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <vector>

namespace nora::test {

DatabaseAddress freshAddress() {
  static std::vector<std::unique_ptr<TemporaryFolder>> folders;  // gone when the program ends
  folders.push_back(std::make_unique<TemporaryFolder>());
  DatabaseAddress out;
  out.file = (*folders.back() / "index.sqlite").string();
  return out;
}

std::string whyNoDatabase() {
  return {};
}

}  // namespace nora::test
