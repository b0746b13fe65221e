// DICOM files of a project put together to series: rows of the index.
#pragma once

#include "archive/files/tree_walker.hpp"
#include "archive/index/archive_values.hpp"
#include "image/io/dicom_header.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nora {

/// Thread: one.
class DicomCollector {
 public:
  /// `isPlaceSaid`: subject and study of the file are what the user says; headers do not count.
  explicit DicomCollector(bool isPlaceSaid = false) : isPlaceSaid_(isPlaceSaid) {}

  /// A file that was added before is replaced: two scans of one folder both find what is new.
  void add(const FoundFile& file, DicomHeader header);
  [[nodiscard]] bool isEmpty() const { return series_.empty(); }

  /// A record of each stack of each series, and one for all files of a series that cannot be shown for the same reason.
  /// No two have the same path and series.
  [[nodiscard]] std::vector<FoundFileRecord> series();

 private:
  struct Instance {
    FoundFile file;
    DicomHeader header;
  };
  struct Made {
    FoundFileRecord record;
    std::string whose;  // dicomSeriesKey
  };
  struct Series {
    std::vector<Instance> instances;
    std::vector<Made> made;
    bool changed = false;
  };

  void make(Series& series) const;
  [[nodiscard]] std::string subjectOf(const Instance& instance) const;
  [[nodiscard]] FoundFileRecord recordOf(const Series& series, const std::vector<std::size_t>& instances) const;

  bool isPlaceSaid_;
  std::map<std::string, Series> series_;                           // by study and series UID
  std::unordered_map<std::string, Series*> seriesOfPath_;          // of files, in series_
  std::map<std::string, std::set<std::string>> patientsInFolder_;  // subject folder -> patient ids
};

/// What is put behind "~" of series with the same name; `whose`: dicomSeriesKey().
[[nodiscard]] std::string seriesMark(const std::string& whose);

/// A name of a subject or study from text of a file: without what such names cannot have (checkItemName).
[[nodiscard]] std::string itemName(const std::string& text);

/// 20240317 of DICOM as 2024-03-17; empty for what is none.
[[nodiscard]] std::string isoDate(const std::string& dicom);

}  // namespace nora
