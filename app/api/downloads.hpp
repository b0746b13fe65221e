// What leaves the archive: bytes of files, zips and tables, for those who may take them away.
#pragma once

#include "app/api/leaving_stream.hpp"
#include "app/api/rows.hpp"
#include "archive/files/served_root.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nora {

/// One opened file that may leave, under the name that the visitor may see.
struct LeavingFile {
  UniqueFd fd;
  std::string name;  // in a zip: "PROJECT/PATH", or without the subject's name
  std::int64_t size = 0, modifiedUs = 0;
  std::string etag;
  std::optional<NiftiTexts> without;  // these are left out
  bool isPacked = false;              // by gzip; only known of those with `without`

  [[nodiscard]] bool isPackedAnew() const { return without && isPacked; }
};

/// Opens files of the index for a visitor who takes them away. Thread: one.
class Departure {
 public:
  Departure(const ApiPlaces& places, Visitor visitor) : places_(places), visitor_(std::move(visitor)) {}
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

  /// The project of a file, if the visitor may download there. Errors: notFound, forbidden.
  [[nodiscard]] Result<OpenProject> project(const FileRecord& file);
  /// All that a row is made of: the file, or those of the series. Errors: forbidden where names are hidden and the file
  /// may tell them; notFound.
  [[nodiscard]] Result<std::vector<LeavingFile>> open(const FileRecord& file);

  [[nodiscard]] const ApiPlaces& places() const { return places_; }

 private:
  [[nodiscard]] Result<LeavingFile> openOne(const OpenProject& project, const std::string& path,
                                            const std::string& name);
  [[nodiscard]] Result<const ServedRoot*> root(const ProjectRecord& project);

  const ApiPlaces places_;
  const Visitor visitor_;
  std::map<std::int64_t, OpenProject> projects_;
  std::map<std::int64_t, ServedRoot> roots_;
};

/// A zip of rows of the index, made while it is sent. What cannot be read is listed in it, in "not-included.txt".
[[nodiscard]] std::shared_ptr<HttpStream> zipStream(const ApiPlaces& places, Visitor visitor,
                                                    std::vector<std::int64_t> fileIds);

/// "attachment; filename*=UTF-8''NAME"
[[nodiscard]] std::string asAttachment(const std::string& name);

}  // namespace nora
