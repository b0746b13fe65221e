// Takes files out of a zip archive that somebody has sent: nothing of it is believed. By libzip.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

struct zip;

namespace nora {

struct UnpackLimits {
  std::size_t files = 200'000;
  std::int64_t bytes = INT64_MAX;    // of all of them, unpacked
  std::int64_t timesSmaller = 1100;  // deflate makes zeros 1032 times smaller
};

class ZipUnpack {
 public:
  struct Item {
    std::uint64_t index = 0;
    std::string path;  // relative, without "..", "." and hidden parts
    std::int64_t size = 0;
  };

  /// Reads the directory of the archive. Errors: invalidInput (no zip, or damaged; a name that leaves the folder, is
  /// absolute or there twice; a link), unsupported (encrypted), limitExceeded. Names the member.
  [[nodiscard]] static Result<ZipUnpack> open(UniqueFd file, const UnpackLimits& limits);

  /// Regular files; folders are made by the paths of files.
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  /// Hidden files and those that systems add for themselves.
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

  /// A file without a name in `folder`, with the item's bytes, whose checksum is right. Errors: invalidInput (damaged,
  /// longer than it says), limitExceeded (disk full), cancelled.
  [[nodiscard]] Result<UniqueFd> extract(const Item& item, const std::string& folder, std::stop_token stop) const;

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };
  [[nodiscard]] Result<void> look(std::uint64_t index, const UnpackLimits& limits);

  std::unique_ptr<zip, Discard> archive_;
  std::vector<Item> items_;
  std::vector<std::string> skipped_;
  std::int64_t bytes_ = 0;
};

}  // namespace nora
