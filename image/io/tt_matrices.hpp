// The matrices of a MATLAB version 4 file, as DSI Studio keeps its streamlines in it.
#pragma once

#include "base/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

enum class MatType : std::uint8_t { float64, float32, int32, int16, uint16, uint8 };

struct MatMatrix {
  std::string name;
  MatType type = MatType::float64;
  std::endian order = std::endian::little;
  std::uint64_t numbers = 0;  // rows * columns
  std::span<const std::byte> bytes;

  /// Empty beyond the end.
  [[nodiscard]] std::optional<double> number(std::size_t i) const;
  [[nodiscard]] std::string text() const;
};

/// All matrices that lie within the bytes. Errors: invalidInput (cut, damaged).
/// Source: MathWorks, "MAT-File Format", appendix on version 4.
[[nodiscard]] Result<std::vector<MatMatrix>> readMat4(std::span<const std::byte> bytes, const std::string& name);

/// True if the bytes begin as a matrix of such a file does.
[[nodiscard]] bool looksLikeMat4(std::span<const std::byte> bytes);

}  // namespace nora
