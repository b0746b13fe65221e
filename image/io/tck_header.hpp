// The text in front of MRtrix's streamlines (.tck) and of values for their points (.tsf).
#pragma once

#include "base/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nora {

struct TckHeader {
  static constexpr std::size_t mostBytes = std::size_t{4} << 20;  // command histories grow long

  bool values = false;  // .tsf: one number for each point
  bool wide = false;    // float64
  std::endian order = std::endian::little;
  std::size_t dataOffset = 0;
  std::optional<std::uint64_t> count;  // of streamlines, as the header says; it is often wrong
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> warnings;

  [[nodiscard]] std::size_t numberBytes() const { return wide ? 8 : 4; }
};

[[nodiscard]] bool hasTckMagic(std::span<const std::byte> bytes);
[[nodiscard]] bool hasTsfMagic(std::span<const std::byte> bytes);

/// `bytes`: the file, or at least its first mostBytes. The data offset may lie behind them.
/// Errors: invalidInput; unsupported (data in another file, unknown datatype).
/// Source: MRtrix3 documentation, "Tracks file format (.tck)".
[[nodiscard]] Result<TckHeader> parseTckHeader(std::span<const std::byte> bytes, const std::string& name);

}  // namespace nora
