// What the tests of the reader processes share: a folder of order files and pools of the test's reader program.
#pragma once

#include "image/io/reader_pool.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <stdlib.h>

namespace nora {

// A sanitizer turns the signal into a report and an exit status.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
constexpr const char* crashed = "the reader stopped (exit status";
#else
constexpr bool sanitized = false;
constexpr const char* crashed = "the reader stopped (signal 11)";
#endif

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "nora_reader_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

  /// The test's reader program under another name: "liar", "quitter", "sleeper".
  [[nodiscard]] std::string program(const std::string& name) const {
    if (!std::filesystem::exists(path_ / name)) std::filesystem::create_symlink(NORA_READER_PROGRAM, path_ / name);
    return path_ / name;
  }

  /// A file that tells the test's reader what to do.
  [[nodiscard]] OpenedFile order(const std::string& order, const std::string& name = "file.test") const {
    auto opened = openRegularFile(write("order", "NORATEST " + order), name);
    std::filesystem::remove(path_ / "order");
    if (!opened) throw std::runtime_error(describe(opened.error()));
    return std::move(*opened);
  }

  [[nodiscard]] std::vector<OpenedFile> orders(const std::vector<std::string>& list) const {
    std::vector<OpenedFile> files;
    for (const std::string& item : list) files.push_back(order(item, std::to_string(files.size())));
    return files;
  }

 private:
  std::filesystem::path path_;
};

inline ReaderPool::Limits smallLimits() {
  ReaderPool::Limits limits;
  limits.volumeBytes = std::size_t{64} << 20;
  limits.processBytes = std::size_t{1} << 30;
  limits.readTime = std::chrono::seconds(30);
  return limits;
}

inline Result<Volume> readOne(ReaderPool& pool, OpenedFile file, std::stop_token stop = {}) {
  std::vector<OpenedFile> files;
  files.push_back(std::move(file));
  return pool.read(files, "the image", stop);
}

}  // namespace nora
