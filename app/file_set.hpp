// Which files make up what a user asked for by one name: the file, what belongs to it by name (.img of .hdr), what its
// header names (the data of .nhdr), and what explains it (b-values, label tables, BIDS sidecars).
#pragma once

#include "image/io/reader_pool.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// Opens one file by its path; how depends on who asks (beneath the served folder, anywhere).
using OpenByPath = std::function<Result<OpenedFile>(const std::string& path)>;

/// Opens `path` and all that belongs to it; `path` comes first. Parts that a header names are opened only in its own
/// folder and below. What is missing is left out: the reader says what it misses.
/// Errors: of `path` itself; cancelled.
[[nodiscard]] Result<std::vector<OpenedFile>> openFileSet(ReaderPool& pool, const std::string& path,
                                                          const OpenByPath& open, std::stop_token stop);

}  // namespace nora
