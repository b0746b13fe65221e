// Unpacking .bz2 bytes.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nora {

[[nodiscard]] bool isBzip2(std::span<const std::byte> bytes);

/// The first `most` bytes of the content, or all if there are fewer. Memory grows with what is really there. Several
/// streams behind each other (pbzip2) are one. Errors: invalidInput (damaged, cut short); limitExceeded.
[[nodiscard]] Result<std::vector<std::byte>> unpackBzip2(std::span<const std::byte> packed, std::size_t most,
                                                         const std::string& name);

}  // namespace nora
