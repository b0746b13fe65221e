// A folder for one test, gone after it. Names are relative to it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace nora {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where that is possible: thousands of files take a disk seconds.
    const bool inMemory = std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", R_OK | W_OK | X_OK) == 0;
    std::string pattern =
        (inMemory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) / "nora-test-XXXXXX";
    path_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
    // Tests that give up root's rights must still reach it.
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// Writes a file, with the folders before it.
  void file(const std::string& name, const std::string& content = "x") const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  void folder(const std::string& name) const { std::filesystem::create_directories(path_ / name); }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::filesystem::create_symlink(target, path_ / name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace nora
