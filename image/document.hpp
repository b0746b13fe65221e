// Tables, JSON, text, pictures, PDF, label tables: what a panel of the page shows, in a form that a browser takes.
#pragma once

#include "base/error.hpp"
#include "base/mapped_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

struct DocumentInfo {
  std::string kind;    // "table", "document" or "labels"
  std::string format;  // "CSV", "TSV", "JSON", "PNG", "JPEG", "TIFF", "PDF", "text", "FreeSurfer look-up table", ...
  /// Of the bytes: "application/json" (tables: {"columns": [...], "rows": [[...], ...]}), "image/png", "image/jpeg",
  /// "image/gif", "application/pdf", "text/plain" (UTF-8). Nothing else.
  std::string mediaType;
  std::int64_t rows = 0, columns = 0;  // tables: all of the file, even if the bytes hold fewer
  std::int64_t width = 0, height = 0;  // pictures: pixels
  std::int64_t pages = 1;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> warnings;

  friend bool operator==(const DocumentInfo&, const DocumentInfo&) = default;
};

/// Owner: its mapping. Immutable.
class Document {
 public:
  [[nodiscard]] static Result<Document> create(DocumentInfo info, MappedBytes bytes, std::size_t offset,
                                               std::size_t size, std::string name);

  [[nodiscard]] const DocumentInfo& info() const { return info_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view bytes() const;

 private:
  Document(DocumentInfo info, MappedBytes bytes, std::size_t offset, std::size_t size, std::string name);

  DocumentInfo info_;
  MappedBytes bytes_;
  std::size_t offset_ = 0, size_ = 0;
  std::string name_;
};

[[nodiscard]] nlohmann::json toJson(const DocumentInfo& info);
/// The input comes from another process. Errors: invalidInput.
[[nodiscard]] Result<DocumentInfo> documentInfoFromJson(const nlohmann::json& json);

}  // namespace nora
