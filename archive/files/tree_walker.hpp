// Walks a folder tree and says of each file to which subject and study it belongs. Opens no file.
#pragma once

#include "archive/files/served_root.hpp"
#include "base/error.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

struct FoundFile {
  std::string path;  // relative to the root, '/' between folders; as path_text.hpp writes it
  FileStat stat;
  std::string subject;  // from the path: BIDS sub-XX, else <subject>/<session>/, else the first folder, else "."
  std::string
      study;  // from the path: BIDS ses-YY, else the second folder where it holds files deeper down; may be empty
};

struct WalkProblem {
  std::string path;
  Error error;  // an unreadable folder, a link that leaves the root, a loop
};

/// Calls `found` with batches of files (at most `batch` each) as they are found, in the order of the names.
/// Hidden files and folders (leading dot) are left out. Symlinks are followed beneath the root; a folder is entered
/// once (by device and inode), so that loops end. Thread: blocks on disk; stops between folders when asked.
void walkTree(const ServedRoot& root, std::size_t batch, const std::function<void(std::vector<FoundFile>)>& found,
              const std::function<void(WalkProblem)>& problem, std::stop_token stop);

/// Subject and study from a relative path alone; used by walkTree.
///
/// BIDS first, at any depth (so that derivatives/<pipeline>/sub-XX counts): the first folder or file name that is
/// sub-XX or starts with sub-XX_ names the subject, ses-YY beside or below it the study (empty without).
/// Else <subject>/<study>/.../file; <subject>/file has no study; a file alone has subject ".".
struct PathPlace {
  std::string subject, study;
};
[[nodiscard]] PathPlace placeFromPath(const std::string& relativePath);

/// Kind of a file by its suffix, in any case: "image?" (worth a look by a reader: unknown or no suffix too), surface,
/// tracts, table, document, other. `name` may have folders before it.
[[nodiscard]] std::string kindBySuffix(const std::string& name);

}  // namespace nora
