// Learns by what content files are known, so that one that is moved and renamed later is known again.
#pragma once

#include "archive/index/archive.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>

namespace nora {

/// Hashes files of a project that have no hash yet (contentHash: a few reads each), at most `most`. Not part of a scan:
/// a first scan is not made slower by it. Stops between files when `stop` is requested or `isWanted` says no; what it
/// has is kept. How many were hashed. Errors: of the folder and of the index.
[[nodiscard]] Result<std::int64_t> hashContents(Archive& archive, const ProjectRecord& project, std::int64_t most,
                                                const std::function<bool()>& isWanted, const std::stop_token& stop);

}  // namespace nora
