// The beginning of a file, as it is and unpacked, to see what it tells.
#pragma once

#include <string>

namespace nora {

constexpr std::size_t headBytes = 16384;

/// At most headBytes from the start; less where the file is shorter or cannot be read. The descriptor is not moved.
[[nodiscard]] std::string fileHead(int fd);
/// The same of what gzip has packed; empty of other files.
[[nodiscard]] std::string unpackedHead(int fd);

}  // namespace nora
