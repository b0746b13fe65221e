// Damages files in the ways that disks, networks and attackers do: flips, cuts, lies about numbers, repeated parts; for
// compressed files also inside the compression.
#pragma once

#include "image/io/packed_bytes.hpp"

#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace nora::fuzz {

using Bytes = std::vector<std::byte>;
using Random = std::mt19937_64;

/// A damaged copy; `how` says what was done. Never the same as the original unless that is empty.
[[nodiscard]] Bytes mutated(std::span<const std::byte> original, Random& random, std::string& how);

/// The first `sixteenths` / 16 of the bytes.
[[nodiscard]] Bytes cut(std::span<const std::byte> original, int sixteenths);

/// One gzip member, bzip2 stream or xz stream.
[[nodiscard]] Bytes packed(std::span<const std::byte> content, FilePacking way);

}  // namespace nora::fuzz
