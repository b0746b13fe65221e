// Brings the index of a project up to date with its folder: what is new, changed, moved or gone.
#pragma once

#include "archive/files/served_root.hpp"
#include "archive/files/tree_walker.hpp"
#include "archive/index/archive.hpp"
#include "image/io/reader_pool.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

struct ScanReport {
  Archive::Registered files;
  std::int64_t vanished = 0;
  std::int64_t broken = 0;            // registered with the reason
  std::vector<std::string> problems;  // of folders and names that could not be taken; at most 100
};

/// Scans one project once. Files whose size and time are as they were are not opened. What a reader process says of new
/// and changed ones is registered in batches: a scan that is stopped keeps what it has, and the next one goes on.
/// What lies in folders that could not be read does not vanish.
class ProjectScan {
 public:
  /// How many files were looked at, of how many that have to be.
  using Progress = std::function<void(std::int64_t looked, std::int64_t all)>;

  ProjectScan(Archive& archive, const ProjectRecord& project, ReaderPool& pool)
      : archive_(archive), project_(project), pool_(pool) {}

  /// Errors: of the folder (notFound, forbidden) and of the index; cancelled.
  [[nodiscard]] Result<ScanReport> run(const Progress& progress, std::stop_token stop);

 private:
  void meet(const ServedRoot& root, const FoundFile& file);
  void problem(const std::string& path, const std::string& what);
  void checkPlace(FoundFileRecord& record);
  [[nodiscard]] Result<void> markGone();
  [[nodiscard]] Result<void> take(const ServedRoot& root, std::span<const FoundFile> files, std::stop_token stop);

  Archive& archive_;
  const ProjectRecord& project_;
  ReaderPool& pool_;
  ScanReport report_;
  std::map<std::string, Archive::Known> known_;  // those that the walk has not met
  std::vector<FoundFile> wanted_;                // new and changed
  std::set<std::string> touched_;                // images whose sidecars are new or changed
  std::vector<std::string> closed_;              // folders that could not be read
};

}  // namespace nora
