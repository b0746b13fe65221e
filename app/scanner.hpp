// Turns a folder into a catalogue: walk the tree, look at headers in reader processes, group DICOM into series.
#pragma once

#include "archive/files/served_root.hpp"
#include "archive/files/tree_walker.hpp"
#include "archive/index/catalogue.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/reader_pool.hpp"

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace nora {

/// All DICOM instances of the tree seen so far, by series; makes catalogue entries of what changed.
/// Thread: one.
class DicomCollector {
 public:
  void add(const FoundFile& file, DicomHeader header);

  /// Entries of the series that changed since the last call: new and changed stacks, instances that cannot be shown
  /// (one entry a reason), and entries that are no longer true (state removed).
  [[nodiscard]] std::vector<Entry> takeChanges();

 private:
  struct Instance {
    FoundFile file;
    DicomHeader header;
  };
  struct Found {
    Entry entry;
    std::string whose;  // dicomSeriesKey; empty for what cannot be shown
  };
  struct Series {
    std::vector<Instance> instances;
    std::map<std::string, Entry> published;                   // by id
    std::vector<std::pair<std::string, std::string>> claims;  // in owners_
    std::vector<Found> found;                                 // while takeChanges runs
    bool changed = false;
  };

  [[nodiscard]] std::vector<Found> entriesOf(Series& series);
  /// Series UIDs should be unique, but copies with changed names and careless anonymisers make the same twice. Then all
  /// entries that would have the same name get one that says whose they are, in whatever order they were found.
  void claim(Series& series);
  void nameEntries(Series& series) const;
  void nameOthersAnew();
  [[nodiscard]] std::string subjectOf(const Instance& instance) const;

  std::map<std::string, Series> series_;                           // by study and series UID
  std::map<std::string, std::set<std::string>> patientsInFolder_;  // subject folder -> patient ids
  std::map<std::string, std::set<std::string>> owners_;  // plain entry id -> those whose entries would have it
  std::set<std::string> touched_;                        // of these, those that changed
};

class Scanner {
 public:
  /// `changed` is called (from the scanning thread) whenever the catalogue got news.
  Scanner(const ServedRoot& root, ReaderPool& pool, Catalogue& catalogue, std::function<void()> changed);

  /// Scans the whole tree. Thread: blocks; stops between batches when asked.
  void scan(std::stop_token stop);

 private:
  void takeBatch(std::vector<FoundFile> files, std::stop_token stop);
  void lookAt(std::vector<FoundFile> files, std::stop_token stop);
  [[nodiscard]] Result<FileSummary> withParts(OpenedFile file, const FileSummary& alone, std::stop_token stop);
  void takeSummary(const FoundFile& file, const Result<FileSummary>& summary, std::vector<Entry>& entries);
  [[nodiscard]] Entry pairEntry(const FoundFile& file, const FileSummary& summary) const;
  void publish(std::vector<Entry> entries, bool scanning);

  const ServedRoot& root_;
  ReaderPool& pool_;
  Catalogue& catalogue_;
  std::function<void()> changed_;
  DicomCollector dicom_;
  std::int64_t files_ = 0;
  std::int64_t filesAtFlush_ = 0;
};

/// An entry for a file with everything that its path says.
[[nodiscard]] Entry entryFor(const FoundFile& file, std::string kind);

}  // namespace nora
