// Writes a zip archive as a stream of bytes, of any size (zip64). Nothing is compressed: images mostly are already.
// Source: PKWARE APPNOTE.TXT 6.3.10.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Thread: one at a time.
class ZipStream {
 public:
  using Write = std::function<Result<void>(std::string_view)>;

  explicit ZipStream(Write write) : write_(std::move(write)) {}

  /// `name`: relative, with '/', UTF-8. Its bytes follow by add(). Errors: those of Write.
  [[nodiscard]] Result<void> begin(const std::string& name, std::int64_t modifiedUs);
  [[nodiscard]] Result<void> add(std::string_view bytes);
  [[nodiscard]] Result<void> end();
  /// The directory of the archive; nothing follows.
  [[nodiscard]] Result<void> finish();

 private:
  struct Entry {
    std::string name;
    std::uint32_t time = 0, crc = 0;
    std::uint64_t size = 0, at = 0;
  };
  [[nodiscard]] Result<void> put(std::string_view bytes);

  const Write write_;
  std::vector<Entry> entries_;
  std::uint64_t at_ = 0;
};

}  // namespace nora
