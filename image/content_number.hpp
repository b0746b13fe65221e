// Numbers that tell arrays of voxels apart for as long as the program runs, unlike their addresses, which come again.
#pragma once

#include <cstdint>

namespace nora {

/// Never 0, never the same twice. Thread: any.
[[nodiscard]] std::uint64_t nextContentNumber();

}  // namespace nora
