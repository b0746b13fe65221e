// Brings the index of a project up to date with its folder: what is new, changed, moved or gone.
#pragma once

#include "app/dicom_collector.hpp"
#include "app/sidecar_metadata.hpp"
#include "archive/files/path_pattern.hpp"
#include "archive/files/served_root.hpp"
#include "archive/files/tree_walker.hpp"
#include "archive/index/archive.hpp"
#include "image/io/reader_pool.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

struct ScanReport {
  Archive::Registered files;
  std::int64_t vanished = 0;
  std::int64_t broken = 0;            // registered with the reason
  std::int64_t touched = 0;           // of the unchanged: their time alone was another
  std::vector<std::string> problems;  // of folders and names that could not be taken; at most 100
};

/// {"added", "changed", ..., "problems"}
[[nodiscard]] nlohmann::json toJson(const ScanReport& report);

/// Scans one project once. Files whose size and time are as they were are not opened. What a reader process says of new
/// and changed ones is registered in batches: a scan that is stopped keeps what it has, and the next one goes on.
/// DICOM files become series; all series of a project are put together anew where one of their files has changed.
/// What lies in folders that could not be read does not vanish.
/// A file that is found under another path is one that vanished if name, size and time are the same, or the content
/// where its hash is known (content_hashes.hpp). How it ended is noted in the index.
class ProjectScan {
 public:
  /// How many files were looked at, of how many that have to be.
  using Progress = std::function<void(std::int64_t looked, std::int64_t all)>;

  ProjectScan(Archive& archive, const ProjectRecord& project, ReaderPool& pool)
      : archive_(archive), project_(project), pool_(pool) {}

  /// Errors: of the folder (notFound, forbidden) and of the index; cancelled.
  [[nodiscard]] Result<ScanReport> run(const Progress& progress, std::stop_token stop);

 private:
  struct Looked;
  struct Touched {
    FoundFile file;
    Archive::Known before;
  };

  [[nodiscard]] Result<ScanReport> scan(const Progress& progress, std::stop_token stop);
  [[nodiscard]] Result<void> knowVanished();
  [[nodiscard]] Result<void> settleTouched(const ServedRoot& root, const std::stop_token& stop);
  [[nodiscard]] Result<void> reopenDicom();
  [[nodiscard]] Result<void> walk(const ServedRoot& root, const Progress& progress, std::stop_token stop);
  [[nodiscard]] Result<void> takeWanted(const ServedRoot& root, const Progress& progress, std::stop_token stop);
  [[nodiscard]] Result<void> takePattern();
  void place(FoundFile& file) const;
  void meet(const ServedRoot& root, const FoundFile& found);
  void touch(const ServedRoot& root, const std::string& path);
  void touchHeirs();
  void problem(const std::string& path, const std::string& what);
  [[nodiscard]] bool mayBeThere(const std::string& path) const;
  [[nodiscard]] Result<void> markGone(const ServedRoot& root);
  [[nodiscard]] Result<void> take(const ServedRoot& root, std::span<const FoundFile> files, std::stop_token stop);
  [[nodiscard]] Result<FileSummary> withParts(const ServedRoot& root, OpenedFile file, const FileSummary& alone,
                                              std::stop_token stop);
  [[nodiscard]] Result<void> openDicom();
  [[nodiscard]] Result<void> takeDicom(std::span<const Looked> found);
  [[nodiscard]] Result<void> closeDicom();
  void count(const Archive::Registered& done);

  Archive& archive_;
  const ProjectRecord& project_;
  ReaderPool& pool_;
  ScanReport report_;
  std::map<std::string, Archive::Known> known_;        // those that the walk has not met
  std::map<std::string, DicomFileRecord> knownDicom_;  // the same
  std::map<std::string, std::int64_t> wasFile_;        // of `wanted_`: their ids
  std::vector<FoundFile> wanted_;                      // new and changed
  std::vector<Touched> touchedAlone_;                  // of the same size as before, at another time
  std::set<std::int64_t> vanishedSizes_;               // of files that may have moved, and are known by their content
  std::set<std::string> all_;                          // images that are as they were, that may inherit
  std::vector<std::string> inherited_;                 // new and changed metadata that images below may inherit
  std::set<std::string> touched_;                      // images whose sidecars are new or changed
  std::vector<std::string> closed_;                    // folders that could not be read
  std::vector<FoundFileRecord> unreadable_;            // the same, and names that cannot be taken, as records
  bool isPlacedAnew_ = false;           // the pattern is another than at the last scan: all files are looked at
  std::optional<PathPattern> pattern_;  // of the project's settings
  std::optional<SidecarMetadata> sidecars_;
  DicomCollector dicom_;
  std::vector<std::string> goneDicom_;
  std::int64_t looked_ = 0;
  bool isDicomOpen_ = false;    // the collector has all DICOM files
  std::int64_t dicomSeen_ = 0;  // Archive::dicomChanges when they were looked at
  std::size_t dicomPending_ = 0;
};

}  // namespace nora
