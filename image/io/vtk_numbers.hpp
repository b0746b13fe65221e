// Numbers written as text in VTK files.
#pragma once

#include "image/io/vtk_dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nora {

/// Reads `count` numbers from `text` at `at`, which moves behind them, into memory of `out` by its type. False if they
/// are not all there or one is no number; nothing is asked for that the text cannot hold.
[[nodiscard]] bool parseVtkNumbers(std::string_view text, std::size_t& at, std::uint64_t count, VtkArray& out);

/// As many numbers as there are up to the end of the text; out.tuples is set by out.components.
[[nodiscard]] bool parseAllVtkNumbers(std::string_view text, VtkArray& out);

}  // namespace nora
