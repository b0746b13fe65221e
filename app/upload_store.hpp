// Files on their way into a project: they lie in its folder under a hidden name until they are whole, so that an upload
// goes on where it was after any interruption, of the server too.
#pragma once

#include "archive/index/archive.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

struct Upload {
  std::int64_t id = 0;
  std::int64_t projectId = 0, userId = 0;
  std::string path;    // where it will lie beneath the project's folder
  std::string sha256;  // hex, lower case; empty: not known
  std::int64_t size = 0, offset = 0;
};

/// What writes one upload; nobody else can meanwhile. Thread: one.
class UploadWriter {
 public:
  UploadWriter(UniqueFd part, const Upload& upload) : part_(std::move(part)), upload_(upload) {}
  /// Errors: invalidInput (more than was said), limitExceeded (disk full).
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  /// On the disk. How far it is.
  [[nodiscard]] Result<std::int64_t> flush();
  [[nodiscard]] const Upload& upload() const { return upload_; }

 private:
  UniqueFd part_;
  Upload upload_;
};

/// Thread: any.
class UploadStore {
 public:
  explicit UploadStore(Archive& archive) : archive_(archive) {}

  /// Errors: invalidInput (path, size), limitExceeded (no room on the disk), forbidden (the folder of the project is
  /// its users'). What nobody has gone on with for a week is cleared away.
  [[nodiscard]] Result<Upload> begin(const ProjectRecord& project, const Upload& wanted);
  /// Errors: notFound.
  [[nodiscard]] Result<Upload> find(std::int64_t id);
  /// Errors: invalidInput if `offset` is not where it is; unavailable while somebody else writes.
  [[nodiscard]] Result<UploadWriter> open(std::int64_t id, std::int64_t offset);

  struct Placed {
    std::vector<std::string> paths;    // that are new
    std::vector<std::string> skipped;  // of a zip: hidden files
  };
  /// Checks size and sum, and moves it into the project; of a zip what it holds, into the folder that the zip would
  /// have lain in. All or nothing. Errors: invalidInput (not whole, another sum, another file is there), those of
  /// ZipUnpack and placeFile.
  [[nodiscard]] Result<Placed> finish(std::int64_t id, bool unpack, std::stop_token stop);
  [[nodiscard]] Result<void> remove(std::int64_t id);

 private:
  struct Found {
    ProjectRecord project;
    Upload upload;
  };
  [[nodiscard]] Result<Found> look(std::int64_t id);

  Archive& archive_;
};

}  // namespace nora
