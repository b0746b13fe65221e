// The list of what was found: subjects, studies and their files or series. In memory, built by a scan; the SQL index of
// the archive takes its place later.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

enum class EntryState : std::uint8_t { ready, unsupported, failed, removed };

/// One file, or one stack of a DICOM series.
struct Entry {
  std::string id;  // stable over scans: a hash of path and series, 16 hex digits
  std::uint64_t revision = 0;
  std::string subject;            // "sub-01", a patient id, or the first folder; never empty
  std::string study;              // "ses-1", a date and description; may be empty
  std::string name;               // shown: file name or series description
  std::string path;               // relative to the root: the file, or the common folder of a series
  std::string series;             // DICOM: "UID" or "UID#number"; else empty
  bool ambiguous = false;         // another entry has the same path and series, as in files without UIDs
  std::string sourceSeries = {};  // UID of the series that a segmentation or structure set was drawn on; else empty
  std::string kind;               // image, surface, tracts, table, document, other
  std::string format;
  std::vector<std::int64_t> dims;
  std::int64_t timePoints = 1;
  std::string modality, description;
  std::int64_t instances = 0;  // files of a series
  std::int64_t sizeBytes = 0;
  EntryState state = EntryState::ready;
  std::string reason;  // why not ready
  std::vector<std::string> warnings;
  std::vector<std::string> files;  // relative paths to open; not sent to the page

  friend bool operator==(const Entry&, const Entry&) = default;
};

[[nodiscard]] nlohmann::json toJson(const Entry& entry);

/// The path by which scenes and the page name an entry: its own, or if that is ambiguous or not UTF-8, so that JSON
/// cannot say it, its id in brackets before what can be shown of it: no two entries have the same.
[[nodiscard]] std::string sourcePath(const Entry& entry);

/// Thread: any.
class Catalogue {
 public:
  struct Counts {
    std::int64_t files = 0;  // looked at so far
    std::int64_t entries = 0;
    std::int64_t problems = 0;  // failed entries
    bool scanning = false;
    std::uint64_t revision = 0;
  };
  struct Page {
    std::vector<Entry> entries;  // ordered by revision
    std::uint64_t revision = 0;  // of the last one, or the newest of all
    bool more = false;
  };

  /// Adds or replaces entries by id; each gets a new revision.
  void put(std::vector<Entry> entries);
  void setProgress(std::int64_t files, bool scanning);
  [[nodiscard]] Page after(std::uint64_t revision, std::size_t limit) const;
  [[nodiscard]] std::optional<Entry> find(const std::string& id) const;
  /// By path or sourcePath(), and series; `series` may leave out "#0".
  [[nodiscard]] std::optional<Entry> find(const std::string& path, const std::string& series) const;
  /// The ready image of a DICOM series by its UID; of several the one with most instances.
  [[nodiscard]] std::optional<Entry> findSeries(const std::string& uid) const;
  [[nodiscard]] Counts counts() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> byId_;
  std::map<std::uint64_t, std::size_t> byRevision_;
  std::map<std::pair<std::string, std::string>, std::size_t> bySource_;
  Counts counts_;
};

[[nodiscard]] std::string entryId(const std::string& path, const std::string& series);

}  // namespace nora
