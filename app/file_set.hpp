// Which files make up what a user asked for by one name: the file, what belongs to it by name (.img of .hdr), what its
// header names (the data of .nhdr), and what explains it (b-values, label tables, BIDS sidecars).
#pragma once

#include "image/io/reader_pool.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// How files are reached; depends on who asks (beneath the served folder, anywhere).
struct FileAccess {
  /// Opens one file by its path.
  std::function<Result<OpenedFile>(const std::string& path)> open;
  /// Names of the files and folders of a folder ("" or "a/b/"), without the hidden ones; empty if it cannot be read.
  std::function<std::vector<std::string>(const std::string& folder)> list;
};

/// For FileAccess::list: what a folder that is open holds, sorted, at most some ten thousand names.
[[nodiscard]] std::vector<std::string> namesIn(int folder);

/// Opens `path` and all that belongs to it; `path` comes first. Parts that a header names are opened only in its own
/// folder and below. What is missing is left out: the reader says what it misses. Sidecars of a BIDS data set are
/// inherited from the folders above, up to that of dataset_description.json; nearer ones come first.
/// Errors: of `path` itself; cancelled.
[[nodiscard]] Result<std::vector<OpenedFile>> openFileSet(ReaderPool& pool, const std::string& path,
                                                          const FileAccess& access, std::stop_token stop);

}  // namespace nora
