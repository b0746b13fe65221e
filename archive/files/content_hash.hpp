// What a file is known by when its name and its time have changed.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace nora {

/// SHA-256 in hex behind "whole:" of files of at most 256 KiB; behind "parts:" of larger ones, of their size and of
/// four pieces of 64 KiB between the first and the last byte. So each file costs the same few reads, however large it
/// is. Thread: any; blocks on disk. Errors: cancelled; unavailable (it cannot be read, or is no longer of that size).
[[nodiscard]] Result<std::string> contentHash(int fd, std::int64_t size, const std::stop_token& stop);

/// Two files of one hash are the same byte for byte, not only where they were looked at.
[[nodiscard]] bool isOfWholeContent(std::string_view hash);

}  // namespace nora
