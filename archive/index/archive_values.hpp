// What the index holds, as plain values: projects, subjects, studies, files.
#pragma once

#include "archive/search/query.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Common to the items of all levels. Times in microseconds since 1970, UTC.
struct ItemRecord {
  std::int64_t id = 0;
  std::string name;
  std::string meta = "{}";  // JSON object
  std::int64_t createdUs = 0, changedUs = 0;
  std::int64_t revision = 0;  // of the index, at the last change of this item, its metadata or its tags
};

struct ProjectRecord : ItemRecord {
  std::string title;
  std::string root;           // absolute folder
  bool inPlace = false;       // the folder is the users', nora adds nothing to it
  bool hideIdentity = false;  // nobody sees names without the right to
  std::string secret;         // of which pseudonyms are made; addProject makes one where there is none
  std::string settings = "{}";
};

struct SubjectRecord : ItemRecord {
  std::int64_t projectId = 0;
  std::string pseudonym;
};

struct StudyRecord : ItemRecord {
  std::int64_t projectId = 0, subjectId = 0;
  std::string date;  // yyyy-mm-dd, yyyy-mm, yyyy or empty
  std::string uid;   // DICOM's Study Instance UID, or empty
};

enum class FileState : std::uint8_t { present = 0, vanished = 1, broken = 2 };

/// What can be found out about a file by looking at it.
struct FileFacts {
  std::string path;    // beneath the project's root, with '/'; of a series the folder that holds its files, or "."
  std::string series;  // of DICOM: tells series of one folder apart, see DicomStack::series(); else empty
  std::string label;   // shown as the name; empty: the last part of the path
  std::string kind;    // image, surface, streamlines, table, document, sidecar, folder, other
  std::string format;
  std::int64_t size = 0;
  std::int64_t mtimeUs = 0;
  std::string hash;            // of the content, see content_hash.hpp; empty: not computed
  std::int64_t instances = 1;  // files of a series
  FileState state = FileState::present;
  std::string reason;           // of broken ones, and of those that cannot be shown
  std::string warnings = "[]";  // JSON array of texts
  std::string sourceSeries;     // UID of the series that a segmentation or structure set was drawn on
  std::string modality, sequence;
  std::array<std::int64_t, 4> dims{};  // 0: none
  std::array<double, 3> spacingMm{};
  std::string date;
  std::string sidecar = "{}";  // JSON object: metadata that the file brings along
  bool operator==(const FileFacts&) const = default;
};

struct FileRecord : FileFacts {
  std::int64_t id = 0, projectId = 0;
  std::int64_t subjectId = 0, studyId = 0;  // 0: of the project as a whole
  std::string name;
  std::string meta = "{}";  // the sidecar with what users changed
  std::int64_t createdUs = 0, changedUs = 0;
  std::int64_t revision = 0;
};

/// A file and where it belongs; the subject and study are made if they are not there.
struct FoundFileRecord {
  FileFacts facts;
  std::string subject, study;  // names; empty: of the project, or the subject, as a whole
  std::string studyDate, studyUid;
  std::vector<std::string> parts = {};  // of a series: the paths of its files, in the order of its slices
};

/// One DICOM file as a scan has seen it.
struct DicomFileRecord {
  std::string path;
  std::int64_t size = 0, mtimeUs = 0;
  std::string header;  // JSON
};

/// Where to look, and in which order.
struct Selection {
  std::optional<std::int64_t> project, subject, study;  // subject 0, study 0: what belongs to none
  std::string sort;                                     // see Archive::sortColumns(); empty: by id
  bool descending = false;
};

/// One change of metadata.
struct MetaChange {
  std::int64_t atUs = 0;
  std::string user;
  std::string before, after;  // JSON objects
};

}  // namespace nora
